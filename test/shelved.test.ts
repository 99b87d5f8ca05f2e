// An operation that is not to be launched holds its place only as long as a Job of it may be there or come.
import { expect, test } from "@jest/globals";
import type { ClaimChange } from "../src/operations/claim.ts";
import type { Claim } from "../src/operations/operation.ts";
import type { Observation } from "../src/operations/transition.ts";
import { lookAtShelved } from "../src/shelved.ts";
import { ABSENT, claimOf, NOW, operationOf, UNKNOWN } from "./operations/claimed.ts";

const LATER_MS = 90_000;

type World = { readonly archived?: boolean; readonly active?: boolean; readonly seen?: Observation };

async function lookAt(claim: Partial<Claim>, world: World) {
  const { active = true, seen = ABSENT, ...fields } = world;
  const changes: ClaimChange[] = [];
  const options = {
    operations: {
      change: async (_: unknown, change: ClaimChange) => {
        changes.push(change);
      },
    },
    look: { find: async () => ({ observation: seen, cluster: undefined }) },
    isActive: () => active,
    now: () => NOW,
  };
  const { job: _, uid: __, ...unmade } = claimOf();
  const operation = { ...operationOf(fields), claim: { ...unmade, phase: "held", ...claim } as const };
  return { shelved: await lookAtShelved(options, operation), changes };
}

test.each<[string, Partial<Claim>, World]>([
  ["that waits for its next try", {}, {}],
  ["whose Job may have been made, for it is tried again", { unsure: true }, {}],
  ["of an idle orchestrator, which is told so", {}, { active: false }],
])("an operation %s is not shelved", async (_, claim, world) => {
  expect(await lookAt(claim, world)).toEqual({ shelved: undefined, changes: [] });
});

test("an archived one of which no Job was asked for holds no place", async () => {
  const { shelved, changes } = await lookAt({}, { archived: true });
  expect([shelved?.vacant, shelved?.next, changes]).toEqual([true, undefined, []]);
});

const SHELVED: readonly [string, World][] = [
  ["archived", { archived: true }],
  ["of an idle orchestrator", { active: false }],
];

test.each(SHELVED)("one whose creation was not answered, %s, holds its place until none can come", async (_, world) => {
  const first = await lookAt({ unsure: true, reason: "CLUSTER_UNREACHABLE" }, world);
  expect(first.shelved).toMatchObject({ vacant: false, next: { again: LATER_MS } });
  expect(first.changes).toMatchObject([{ phase: "held", reason: "Shelved", since: new Date(NOW) }]);
  expect(first.changes[0]?.message).toMatch(/^It is not launched: .* no answer says whether it was made/);
  const since = (ms: number) => ({ unsure: true, reason: "Shelved", since: new Date(NOW - ms) });
  const second = await lookAt(since(30_000), world);
  expect(second).toMatchObject({ shelved: { vacant: false, next: { again: LATER_MS - 30_000 } }, changes: [] });
  const third = await lookAt(since(LATER_MS), world);
  expect(third).toMatchObject({ shelved: { vacant: true, next: undefined }, changes: [{ unsure: false }] });
});

test.each(SHELVED)("one %s of which nobody can see whether its Job is there holds its place", async (_, world) => {
  const { shelved, changes } = await lookAt({ unsure: true }, { ...world, seen: UNKNOWN });
  expect([shelved?.vacant, shelved?.next, changes]).toEqual([false, undefined, []]);
});
