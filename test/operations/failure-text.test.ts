// The words that a person reads when an operation failed: whole, bounded, without the word that FiftyOne takes for its own.
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { type FailureFacts, failureText, hideSecrets, lastLines } from "../../src/operations/failure-text.ts";

const FACTS: FailureFacts = {
  message: "The container used too much memory.",
  remedy: "Raise the limit.",
  reason: "OOMKilled",
  fault: "operation",
  job: "fiftyone/echo-1",
  log: { container: "task-worker", lines: "one\ntwo" },
};

test("it says where, why, what to do, and what the worker said last", () => {
  expect(failureText(FACTS)).toBe(
    "Kubernetes Job fiftyone/echo-1 failed: OOMKilled. The container used too much memory. The cause lies in the operation itself.\n" +
      'What to do: Raise the limit.\nLast log lines of container "task-worker":\none\ntwo',
  );
});

test("where no Job was made it says so", () => {
  const text = failureText({ ...FACTS, job: undefined, log: undefined, reason: "TEMPLATE_NOT_A_JOB" });
  expect(text.split("\n")).toEqual([
    "No Kubernetes Job could be launched: TEMPLATE_NOT_A_JOB. The container used too much memory. The cause lies in the operation itself.",
    "What to do: Raise the limit.",
  ]);
});

test("an empty log is not announced", () => {
  expect(failureText({ ...FACTS, log: { container: "a", lines: "" } })).not.toContain("Last log lines");
});

test("a long log loses its beginning, not its end", () => {
  const lines = `${"x".repeat(20_000)}\nthe last line`;
  const text = failureText({ ...FACTS, log: { container: "a", lines } });
  expect(text).toMatch(/What to do: Raise the limit\.\nLast log lines of container "a":\n…x+\nthe last line$/);
});

describe("whatever the facts", () => {
  const word = fc.oneof(
    fc.string({ maxLength: 50 }),
    fc.constantFrom("expired", "EXPIRED", "token Expired", "x".repeat(9_000)),
  );
  const facts: fc.Arbitrary<FailureFacts> = fc.record({
    message: word,
    remedy: word,
    reason: word,
    fault: fc.constantFrom("operation", "template", "cluster"),
    job: fc.option(word, { nil: undefined }),
    log: fc.option(fc.record({ container: word, lines: word }), { nil: undefined }),
  });
  const check = (holds: (text: string) => void): void =>
    fc.assert(
      fc.property(facts, (given) => holds(failureText(given))),
      { numRuns: 500 },
    );

  test("the word that FiftyOne takes for its own termination is never written", () => {
    check((text) => expect(text).not.toMatch(/expired/i));
  });

  test("the text is bounded", () => {
    check((text) => expect(text.length).toBeLessThanOrEqual(8_000));
  });
});

describe("the last lines", () => {
  test.each<[string, string, number, number, string]>([
    ["are the last", "a\nb\nc\n", 2, 100, "b\nc"],
    ["are all where there are fewer", "a\nb", 20, 100, "a\nb"],
    ["stay whole within the bytes", "first\nsecond\nthird", 20, 12, "second\nthird"],
    ["of one line alone are cut at its start", "a long line", 20, 4, "line"],
    ["of nothing are nothing", "\n\n", 20, 100, ""],
  ])("%s", (_, text, lines, bytes, kept) => {
    expect(lastLines(text, lines, bytes)).toBe(kept);
  });
});

test("known secrets are cut out of what a worker logged, wherever they stand; short texts are no secrets", () => {
  const text = hideSecrets("uri=mongodb://u:hunter2@db pw hunter2 $& a", [
    "mongodb://u:hunter2@db",
    "hunter2",
    "a",
    "",
  ]);
  expect(text).toBe("uri=[hidden] pw [hidden] $& a");
});
