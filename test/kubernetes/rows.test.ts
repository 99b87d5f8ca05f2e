// The judge of which rows of the tables of reasons were told: nothing tells of none, and an error tells of its own row only.
import { expect, test } from "@jest/globals";
import { ROWS, untold } from "./rows.ts";

const IDS = ROWS.map(([id]) => id);
const told = (failed: Parameters<typeof untold>[0], waits: Parameters<typeof untold>[1]): string[] => {
  const left = new Set(untold(failed, waits));
  return IDS.filter((id) => !left.has(id));
};
const ENDING = ROWS.filter(([, { patience }]) => patience !== "endless");

test("nothing tells of no row", () => {
  expect(untold([], [])).toEqual(IDS);
});

test.each(ENDING)("an error with the remedy of %s tells of that row and no other", (id, { reason, remedy }) => {
  const error = `Kubernetes Job n/j failed: ${reason}. Words.\nWhat to do: ${remedy}\nLast log lines of container "w":\nx`;
  expect(told([{ opjob: { reason }, result: { error } }], [])).toEqual([id]);
});

test("of several remedies each counts", () => {
  const error =
    "x\nWhat to do: Correct nodeSelector or affinity, or label a node; ask for less in resources.requests, or add nodes that have it.";
  expect(told([{ opjob: { reason: "Unschedulable" }, result: { error } }], [])).toEqual([
    "WAITING.tooLarge",
    "WAITING.noMatch",
  ]);
});

test("a remedy counts also where it stands behind that of what came before", () => {
  const error =
    "x\nWhat to do: Correct it. Raise activeDeadlineSeconds in the template: it counts from the Job's beginning, also while its Pod waits.";
  expect(told([{ opjob: { reason: "DeadlineExceeded" }, result: { error } }], [])).toEqual(["ENDED.notInTime"]);
});

test("two rows of one reason that only wait must each be said in words of their own", () => {
  const suspended = { reason: "Suspended", message: "The Job is suspended." };
  const queue = (name: string) => ({ reason: "Suspended", message: `The Job waits in the Kueue queue "${name}".` });
  expect(told([], [suspended])).toEqual([]);
  expect(told([], [queue("a"), queue("b")])).toEqual([]);
  expect(told([], [suspended, queue("a")])).toEqual(["WAITING.suspended", "WAITING.queued"]);
});
