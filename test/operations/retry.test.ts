// Another attempt: what may be launched again, and what the writes of that way require and set.
import { describe, expect, test } from "@jest/globals";
import { ENDED, type EndedId } from "../../src/clusters/ending-reasons.ts";
import { WAITING, type WaitingId } from "../../src/clusters/waiting-reasons.ts";
import type { Claim, Claimed } from "../../src/operations/operation.ts";
import { canRun, mayRetry, pauseBefore, relaunchWrite, withdrawWrite, worked } from "../../src/operations/retry.ts";
import { reduce } from "../../src/operations/transition.ts";
import { condition, podView, running, T0, waiting } from "../clusters/views.ts";
import { ABSENT, claimOf, NOW, operationOf, PATIENCE, seen, UNKNOWN } from "./claimed.ts";

const POLICY = { budget: 2, rerun: ["@peer/again"], pause: { first: 10_000, longest: 60_000 } };
const ended = (row: EndedId) => ({ ...ENDED[row], row });
const waits = (row: WaitingId) => ({ ...WAITING[row], row });
const STARTED = { timeline: { ...claimOf().timeline, started: new Date(T0 + 5_000) } };
const earlier = (count: number): Partial<Claim> => ({
  earlier: Array.from({ length: count }, (_, i) => ({
    attempt: i + 1,
    reason: "Evicted",
    message: "",
    created: new Date(T0),
    ended: new Date(T0),
  })),
});
const again = (runState: Claimed["runState"] = "queued", claim: Partial<Claim> = {}) =>
  operationOf({ operator: "@peer/again", runState }, claim);

describe("an operation whose worker has not begun is launched again", () => {
  const RETRIED: readonly EndedId[] = [
    ...(["evicted", "preempted", "preemptedByNode", "drained", "tainted", "nodeGone", "nodeLost"] as const),
    ...(["nodeShutdown", "nodeTerminated", "rejected", "disrupted", "podDeleted", "podGone", "jobGone"] as const),
  ];
  test.each(Object.keys(ENDED) as EndedId[])("after %s if the cluster took its place away, and else not", (row) => {
    expect(mayRetry(operationOf(), ended(row), POLICY)).toBe(RETRIED.includes(row));
  });

  const STUCK: readonly WaitingId[] = [
    ...(["noPod", "webhookFailed", "podCreateFailed", "notStarted", "mountFailed", "sandboxFailed"] as const),
    ...(["createFailed", "registryAway", "registryBusy"] as const),
  ];
  test.each(Object.keys(WAITING) as WaitingId[])(
    "after it waited too long with %s if another Pod may fare better, and else not",
    (row) => {
      expect(mayRetry(operationOf(), waits(row), POLICY)).toBe(STUCK.includes(row));
    },
  );

  test.each<[string, Claimed, boolean]>([
    ["for the second time", operationOf({}, earlier(1)), true],
    ["not when the budget is spent", operationOf({}, earlier(2)), false],
    ["not when its worker has set it running", operationOf({ runState: "running" }), false],
    ["not when its container was seen to start", operationOf({}, STARTED), false],
    ["not when it is archived", operationOf({ archived: true }), false],
    ["not when it has ended", operationOf({ runState: "failed" }), false],
    ["not when its Job was never recorded", operationOf({}, { uid: undefined as never }), false],
    ["not when a creation of its Job was in doubt", operationOf({}, { unsure: true }), false],
    ["not when it was given up to be taken back", operationOf({}, { withdrawn: "queued" }), false],
    ["also when it has begun, if its operator may run twice", again("running", STARTED), true],
  ])("%s", (_, operation, expected) => {
    expect(mayRetry(operation, ended("preempted"), POLICY)).toBe(expected);
  });

  test.each<[string, Claimed, boolean]>([
    ["launched again, however it ended", operationOf({}, { ...STARTED, stale: true }), true],
    ["not when a worker has it", operationOf({ runState: "running" }, { ...STARTED, stale: true }), false],
    ["not when the budget is spent", operationOf({}, { ...earlier(2), stale: true }), false],
  ])("one whose Job had ended before it was recorded: %s", (_, operation, expected) => {
    expect(mayRetry(operation, ended("noResult"), POLICY)).toBe(expected);
  });

  test("a worker that its node killed is run again only where the operator may run twice", () => {
    expect(mayRetry(again("running"), ended("workerKilled"), POLICY)).toBe(true);
    expect(mayRetry(again("running"), ended("workerFailed"), POLICY)).toBe(false);
    expect(mayRetry(operationOf({ runState: "running" }), ended("workerKilled"), POLICY)).toBe(false);
  });

  test("with a budget of none, never", () => {
    expect(mayRetry(operationOf(), ended("preempted"), { ...POLICY, budget: 0 })).toBe(false);
  });
});

describe("a Pod", () => {
  test.each<[string, Parameters<typeof podView>[0], boolean, boolean]>([
    [
      "that waits can run, and has not begun",
      { phase: "Pending", containers: [waiting("ContainerCreating")] },
      true,
      false,
    ],
    ["that is being deleted can still run", { phase: "Pending", deleting: true }, true, false],
    ["whose container runs has begun", { phase: "Running", containers: [running()] }, true, true],
    ["that was evicted before it began can not", { phase: "Failed", reason: "Evicted", containers: [] }, false, false],
    ["that is gone can not", { phase: "Pending", gone: true }, false, false],
    ["that is gone and had run has begun", { phase: "Running", gone: true, containers: [running()] }, false, true],
  ])("%s", (_, facts, able, begun) => {
    expect(canRun([podView(facts)])).toBe(able);
    expect(worked([podView(facts)])).toBe(begun);
  });
});

test("each pause is twice as long as the one before, up to the longest", () => {
  const pauses = [0, 1, 2, 3, 9].map((count) => pauseBefore(count, POLICY.pause, 0.5));
  expect(pauses).toEqual([10_000, 20_000, 40_000, 60_000, 60_000]);
});

describe("the writes", () => {
  const withdrawn = operationOf({}, { phase: "withdrawn", withdrawn: "queued", reason: "Preempted", message: "why" });
  const AT = new Date(NOW + 10_000);

  test("a Job is taken back only of an operation that still is as it was judged", () => {
    const { filter, update } = withdrawWrite(operationOf(), { ...ended("preempted"), message: "why" }, new Date(NOW));
    expect(filter).toMatchObject({
      run_state: "queued",
      "opjob.attempt": 1,
      "opjob.uid": "job-1",
      "opjob.phase": "created",
    });
    expect(update).toEqual({
      $set: {
        "opjob.phase": "withdrawn",
        "opjob.withdrawn": "queued",
        "opjob.reason": "Preempted",
        "opjob.message": "why",
        "opjob.fault": "cluster",
        "opjob.since": new Date(NOW),
      },
    });
  });

  test("the next attempt keeps what became of the ones before, has no Job yet, and leaves the run state alone", () => {
    const { filter, update } = relaunchWrite(withdrawn, { at: AT, message: "again" }, new Date(NOW));
    expect(filter).toMatchObject({
      run_state: "queued",
      "opjob.attempt": 1,
      "opjob.uid": "job-1",
      "opjob.phase": "withdrawn",
    });
    expect(update).toEqual({ $set: { opjob: expect.anything() as unknown } });
    const { opjob } = (update as { $set: { opjob: Claim } }).$set;
    expect(opjob).toMatchObject({ attempt: 2, phase: "held", notBefore: AT, queued_at: new Date(T0) });
    expect(Object.keys(opjob)).not.toEqual(expect.arrayContaining(["uid"]));
    expect(opjob.withdrawn).toBeUndefined();
    expect(opjob.earlier).toEqual([
      {
        attempt: 1,
        reason: "Preempted",
        message: "why",
        fault: null,
        job: claimOf().job,
        uid: "job-1",
        created: new Date(T0),
        ended: new Date(NOW),
      },
    ]);
  });

  test("one that had begun is queued again as FiftyOne does it, and claimed for that in the same write", () => {
    const begun = again("running", { phase: "withdrawn", withdrawn: "running" });
    const { filter, update } = relaunchWrite(begun, { at: AT, message: "again" }, new Date(NOW));
    expect(filter).toMatchObject({ run_state: "running" });
    const now = new Date(NOW);
    expect(update).toMatchObject({
      $set: { run_state: "queued", queued_at: now, updated_at: now, opjob: { queued_at: now } },
    });
  });
});

describe("an operation whose Job is taken back", () => {
  const taken = (runState: Claimed["runState"], sinceMs = 1_000) =>
    operationOf({ runState }, { phase: "withdrawn", withdrawn: "queued", since: new Date(NOW - sinceMs) });
  const LIVE = seen({}, { phase: "Running", conditions: [condition("PodScheduled")], containers: [running()] });

  test.each<[string, Claimed, Parameters<typeof reduce>[1], object]>([
    ["goes on with that while its Job lives", taken("queued"), LIVE, { kind: "withdraw" }],
    ["goes on with that when it is gone", taken("queued"), ABSENT, { kind: "withdraw" }],
    ["is left alone while its cluster does not answer", taken("queued"), UNKNOWN, { kind: "rest" }],
    ["runs on if its worker came first", taken("running"), LIVE, { kind: "change", change: { phase: "running" } }],
    ["waits for the end of a worker that came too late", taken("running"), seen({ deleting: true }), { kind: "again" }],
    [
      "fails if its worker ended with its Job",
      taken("running"),
      ABSENT,
      { kind: "fail", ending: { reason: "StartedTooLate" } },
    ],
    [
      "fails if its Pod does not go",
      taken("queued", 300_001),
      LIVE,
      { kind: "fail", ending: { reason: "PodStranded" } },
    ],
  ])("%s", (_, operation, observed, expected) => {
    expect(reduce(operation, observed, PATIENCE, NOW)).toMatchObject(expected);
  });
});
