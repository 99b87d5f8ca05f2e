// The reducer, one row for each state of the world.
import { describe, expect, test } from "@jest/globals";
import { type Observation, reduce } from "../../src/operations/transition.ts";
import { condition, ended, iso, running, T0, waiting } from "../clusters/views.ts";
import { ABSENT, type Claimed, claimOf, NOW, operationOf, PATIENCE, seen, UNKNOWN } from "./claimed.ts";

const FAILED = { conditions: [condition("Failed", { reason: "BackoffLimitExceeded" })] };
const COMPLETE = { conditions: [condition("Complete")] };
const SCHEDULED = [condition("PodScheduled", { at: iso(T0 + 1_000) })];
const UNSCHEDULABLE = [
  condition("PodScheduled", { status: "False", reason: "Unschedulable", message: "0/3 nodes: Insufficient cpu." }),
];
const PULLING = { conditions: SCHEDULED, containers: [waiting("ImagePullBackOff", "Back-off pulling")] };
const RUNNING = { phase: "Running", conditions: SCHEDULED, containers: [running()] };
const started = { scheduled: new Date(T0 + 1_000), started: new Date(T0 + 5_000) };
const runs = { phase: "running" as const, timeline: { ...claimOf().timeline, ...started } };
const since = (ms: number) => new Date(NOW - ms);

type Row = [string, Claimed, Observation, object];

const fails = (reason: string): object => ({ kind: "fail", ending: expect.objectContaining({ reason }) as unknown });
const enters = (phase: string, reason: string | null = null): object => ({
  kind: "change",
  change: expect.objectContaining({ phase, reason, since: new Date(NOW) }) as unknown,
});

describe("a live operation", () => {
  test.each<Row>([
    ["of an unknown Job is left alone", operationOf(), UNKNOWN, { kind: "rest" }],
    [
      "of a running worker and an unknown Job is left alone",
      operationOf({ runState: "running" }),
      UNKNOWN,
      { kind: "rest" },
    ],
    ["whose Job is gone fails", operationOf(), ABSENT, fails("JobDeleted")],
    ["that runs and whose Job is gone fails", operationOf({ runState: "running" }), ABSENT, fails("JobDeleted")],
    [
      "whose Job is being deleted waits for it to go",
      operationOf(),
      seen({ deleting: true }, RUNNING),
      { kind: "rest" },
    ],
    [
      "whose Pod is on its way needs no word yet",
      operationOf(),
      seen({ createdAt: iso(NOW - 1_000) }, { conditions: SCHEDULED }),
      { kind: "again", ms: 29_000 },
    ],
    [
      "whose Pod is on a node and does not start says so",
      operationOf(),
      seen({}, { conditions: SCHEDULED }),
      { ...enters("waiting", "NotStarted"), again: 900_000 },
    ],
    [
      "whose container is created needs no word",
      operationOf(),
      seen({}, { containers: [waiting("ContainerCreating")] }),
      { kind: "rest" },
    ],
    [
      "whose Job is a moment old and has no Pod yet is looked at again",
      operationOf(),
      seen({ createdAt: iso(NOW - 1_000) }),
      { kind: "again", ms: 2_000 },
    ],
    [
      "whose Job has no Pod for longer says so",
      operationOf(),
      seen({}),
      { ...enters("waiting", "NoPod"), again: 900_000 },
    ],
    [
      "whose Pod was deleted and not made anew says so",
      operationOf(),
      seen({}, { deleting: true }),
      enters("waiting", "NoPod"),
    ],
    ["whose container has started runs", operationOf(), seen({}, RUNNING), { ...enters("running"), again: undefined }],
    [
      "that is known to run costs no write",
      operationOf({ runState: "running" }, runs),
      seen({}, RUNNING),
      { kind: "rest" },
    ],
  ])("%s", (_, operation, observation, transition) => {
    expect(reduce(operation, observation, PATIENCE, NOW)).toMatchObject(transition);
  });

  test("enters `running` with the times that the cluster tells", () => {
    const transition = reduce(operationOf(), seen({}, RUNNING), PATIENCE, NOW);
    expect(transition).toMatchObject({ change: { timeline: started } });
  });
});

describe("an obstacle", () => {
  const image = { phase: "waiting" as const, reason: "ImagePullFailed" };
  const nodes = { phase: "waiting" as const, reason: "Unschedulable" };
  const suspended = { phase: "waiting" as const, reason: "Suspended" };
  test.each<Row>([
    [
      "is recorded when it is met, and looked at when its grace ends",
      operationOf(),
      seen({}, PULLING),
      { ...enters("waiting", "ImagePullFailed"), again: 30_000 },
    ],
    [
      "that lasts is not written again",
      operationOf({}, { ...image, since: since(10_000) }),
      seen({}, PULLING),
      { kind: "again", ms: 20_000 },
    ],
    [
      "that outlasts its grace ends the operation",
      operationOf({}, { ...image, since: since(30_000) }),
      seen({}, PULLING),
      fails("ImagePullFailed"),
    ],
    [
      "of an image's name is final at once",
      operationOf(),
      seen({}, { containers: [waiting("InvalidImageName")] }),
      fails("InvalidImageName"),
    ],
    [
      "of missing configuration has the short grace",
      operationOf(),
      seen({}, { containers: [waiting("CreateContainerConfigError")] }),
      { again: 30_000 },
    ],
    [
      "of missing nodes has the long grace",
      operationOf(),
      seen({}, { conditions: UNSCHEDULABLE }),
      { ...enters("waiting", "Unschedulable"), again: 900_000 },
    ],
    [
      "of missing nodes ends the operation when that is over",
      operationOf({}, { ...nodes, since: since(900_000) }),
      seen({}, { conditions: UNSCHEDULABLE }),
      fails("Unschedulable"),
    ],
    [
      "another one than before begins its own grace",
      operationOf({}, { ...nodes, since: since(899_000) }),
      seen({}, PULLING),
      { ...enters("waiting", "ImagePullFailed"), again: 30_000 },
    ],
    [
      "of a queue that holds the Job may last for ever",
      operationOf(),
      seen({ suspended: true }),
      { ...enters("waiting", "Suspended"), again: undefined },
    ],
    [
      "of a queue does not end by itself",
      operationOf({}, { ...suspended, since: since(9e9) }),
      seen({ suspended: true }),
      { kind: "rest" },
    ],
    [
      "that is over is forgotten",
      operationOf({}, { ...nodes, since: since(1_000) }),
      seen({ createdAt: iso(NOW - 1_000) }, { conditions: SCHEDULED }),
      { ...enters("waiting"), again: 29_000 },
    ],
    [
      "that is over because the worker runs is forgotten",
      operationOf({}, { ...nodes, since: since(1_000) }),
      seen({}, RUNNING),
      enters("running"),
    ],
    [
      "that an earlier Pod met is not that of the newest Pod",
      operationOf(),
      seen({}, { ...PULLING, uid: "old" }, { ...RUNNING, uid: "new", createdAt: iso(T0 + 3_000) }),
      enters("running"),
    ],
  ])("%s", (_, operation, observation, transition) => {
    expect(reduce(operation, observation, PATIENCE, NOW)).toMatchObject(transition);
  });

  test("without any grace ends the operation at once", () => {
    expect(reduce(operationOf(), seen({}, PULLING), { ...PATIENCE, short: 0 }, NOW)).toMatchObject(
      fails("ImagePullFailed"),
    );
  });

  test("of missing nodes lasts for ever where the pending timeout is 0", () => {
    const observation = seen({}, { conditions: UNSCHEDULABLE });
    const patience = { ...PATIENCE, pending: 0 };
    const met = reduce(operationOf(), observation, patience, NOW);
    expect(met).toMatchObject({ ...enters("waiting", "Unschedulable"), again: undefined });
    const old = operationOf({}, { ...nodes, since: new Date(0) });
    expect(reduce(old, observation, patience, NOW)).toEqual({ kind: "rest" });
  });
});

describe("an operation without a result whose Job has ended", () => {
  const finished = { phase: "finished" as const, timeline: { ...runs.timeline, finished: new Date(T0 + 60_000) } };
  const failedPod = { ...RUNNING, phase: "Failed", containers: [ended(1)] };
  const donePod = { ...RUNNING, phase: "Succeeded", containers: [ended(0)] };
  const recent = { ...finished, since: since(1_000) };
  const past = { ...finished, since: since(5_000) };
  test.each<Row>([
    [
      "as failed is given a moment for its result",
      operationOf({}, runs),
      seen(FAILED, failedPod),
      { ...enters("finished"), again: 5_000 },
    ],
    [
      "as complete is given a moment too",
      operationOf({ runState: "running" }, runs),
      seen(COMPLETE, donePod),
      { ...enters("finished"), again: 5_000 },
    ],
    [
      "is looked at again when that moment is over",
      operationOf({}, recent),
      seen(FAILED, failedPod),
      { kind: "again", ms: 4_000 },
    ],
    ["as failed fails with the container's end", operationOf({}, past), seen(FAILED, failedPod), fails("WorkerFailed")],
    [
      "as failed, while FiftyOne shows it running, fails too",
      operationOf({ runState: "running" }, past),
      seen(FAILED, failedPod),
      fails("WorkerFailed"),
    ],
    ["as complete fails for want of a result", operationOf({}, past), seen(COMPLETE, donePod), fails("NoResult")],
    [
      "and whose Pods are gone fails with the Job's own reason",
      operationOf({}, past),
      seen(FAILED),
      fails("BackoffLimitExceeded"),
    ],
    [
      "fails also while the Job is being deleted",
      operationOf({}, past),
      seen({ ...FAILED, deleting: true }, failedPod),
      fails("WorkerFailed"),
    ],
  ])("%s", (_, operation, observation, transition) => {
    expect(reduce(operation, observation, PATIENCE, NOW)).toMatchObject(transition);
  });

  test("has the end that its Job's condition tells in its timeline", () => {
    const transition = reduce(operationOf(), seen(FAILED, failedPod), PATIENCE, NOW);
    expect(transition).toMatchObject({ change: { timeline: { ...started, finished: new Date(T0 + 60_000) } } });
  });

  test("an end that only some of the Job's conditions announce is none yet", () => {
    const announced = { conditions: [condition("FailureTarget"), condition("Failed", { status: "False" })] };
    expect(reduce(operationOf({}, runs), seen(announced, RUNNING), PATIENCE, NOW)).toEqual({ kind: "rest" });
  });
});

describe("an operation that has ended is never overwritten", () => {
  const completed = { runState: "completed" as const, endedAt: since(20_000) };
  const lingering = { ...completed, endedAt: since(600_000) };
  const byPerson = { runState: "failed" as const, endedAt: new Date(NOW) };
  const byWorker = { runState: "failed" as const, endedAt: since(20_000), error: "Traceback" };
  const long = { ...byWorker, endedAt: since(60_000) };
  const gone = { kind: "delete", why: "the operation has failed" };
  test.each<Row>([
    [
      "completed, the Job still ending: given ten minutes",
      operationOf(completed, runs),
      seen({}, RUNNING),
      { kind: "again", ms: 580_000 },
    ],
    [
      "completed, but its Job does not end: the Job goes",
      operationOf(lingering, runs),
      seen({}, RUNNING),
      { kind: "delete", why: "the operation has completed" },
    ],
    [
      "completed, the Job failed all the same: done",
      operationOf(completed, runs),
      seen(FAILED, RUNNING),
      enters("done"),
    ],
    ["completed, the Job complete: done", operationOf(completed, runs), seen(COMPLETE), enters("done")],
    ["completed, the Job tidied up: done", operationOf(completed, runs), ABSENT, enters("done")],
    [
      "completed and done: nothing more",
      operationOf(completed, {
        ...runs,
        phase: "done",
        timeline: { ...runs.timeline, finished: since(1), written: since(1) },
      }),
      ABSENT,
      { kind: "rest" },
    ],
    ["failed by a person while its Job runs: the Job goes", operationOf(byPerson, runs), seen({}, RUNNING), gone],
    ["failed by a person while its Job waits: the Job goes", operationOf(byPerson), seen({}), gone],
    [
      "failed by us while its Job lives: the Job goes",
      operationOf({ ...byPerson, error: "ours" }, { phase: "failed" }),
      seen({}, RUNNING),
      gone,
    ],
    [
      "failed by us, the Job on its way out: nothing more",
      operationOf({ ...byPerson, error: "ours" }, { phase: "failed" }),
      seen({ deleting: true }),
      { kind: "rest" },
    ],
    [
      "failed by us, the Job gone: nothing more",
      operationOf({ ...byPerson, error: "ours" }, { phase: "failed" }),
      ABSENT,
      { kind: "rest" },
    ],
    [
      "failed by its worker, which is about to end: given a minute",
      operationOf(byWorker, runs),
      seen({}, RUNNING),
      { kind: "again", ms: 40_000 },
    ],
    ["failed by its worker, which does not end: the Job goes", operationOf(long, runs), seen({}, RUNNING), gone],
    ["failed by its worker, the Job failed: done", operationOf(byWorker, runs), seen(FAILED), enters("done")],
    ["failed, the Job unknown: left alone", operationOf(byPerson, runs), UNKNOWN, { kind: "rest" }],
    [
      "set to scheduled by somebody: not ours to judge",
      operationOf({ runState: "scheduled" }),
      ABSENT,
      { kind: "rest" },
    ],
  ])("%s", (_, operation, observation, transition) => {
    expect(reduce(operation, observation, PATIENCE, NOW)).toMatchObject(transition);
  });
});
