// The reducer, one row for each state of the world.
import { describe, expect, test } from "@jest/globals";
import type { PodView } from "../../src/clusters/observation.ts";
import type { Claim, Claimed } from "../../src/operations/operation.ts";
import { type Observation, questionOf, reduce } from "../../src/operations/transition.ts";
import { condition, ended, event, iso, running, T0, waiting } from "../clusters/views.ts";
import { ABSENT, claimOf, NOW, operationOf, PATIENCE, seen, UNKNOWN } from "./claimed.ts";

const FAILED = { conditions: [condition("Failed", { reason: "BackoffLimitExceeded" })] };
const COMPLETE = { conditions: [condition("Complete")] };
const SCHEDULED = [condition("PodScheduled", { at: iso(T0 + 1_000) })];
const scheduledAt = (ms: number) => [condition("PodScheduled", { at: iso(ms) })];
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
      "whose Job is being deleted waits for it to go, and says so",
      operationOf(),
      seen({ deleting: true }, RUNNING),
      { ...enters("waiting", "JobDeleting"), again: undefined },
    ],
    [
      "whose Pod is on its way needs no word yet",
      operationOf(),
      seen({}, { conditions: scheduledAt(NOW - 1_000) }),
      { kind: "again", ms: 1_000 },
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
      "whose Job was made this instant is asked about soon, and not before",
      operationOf(),
      seen({ createdAt: iso(NOW) }),
      { kind: "again", ms: 500 },
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

/** What stands in the sub-document since so many milliseconds because of what was observed. */
function recorded(observation: Observation, ms = 0): Partial<Claim> {
  const transition = reduce(operationOf(), observation, PATIENCE, NOW);
  if (transition.kind !== "change") throw new Error(`it is ${transition.kind}`);
  return { ...transition.change, timeline: claimOf().timeline, since: since(ms) } as Partial<Claim>;
}

describe("an obstacle", () => {
  const image = { phase: "waiting" as const, reason: "ImagePullFailed" };
  const nodes = { phase: "waiting" as const, reason: "Unschedulable" };
  test.each<Row>([
    [
      "is recorded when it is met, and looked at when its grace ends",
      operationOf(),
      seen({}, PULLING),
      { ...enters("waiting", "ImagePullFailed"), again: 30_000 },
    ],
    [
      "that lasts is not written again",
      operationOf({}, recorded(seen({}, PULLING), 10_000)),
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
      operationOf({}, recorded(seen({ suspended: true }), 9e9)),
      seen({ suspended: true }),
      { kind: "rest" },
    ],
    [
      "that is over is forgotten",
      operationOf({}, { ...nodes, since: since(1_000) }),
      seen({}, { conditions: scheduledAt(NOW - 3_000) }),
      { ...enters("waiting"), again: 27_000 },
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
    const old = operationOf({}, recorded(observation, NOW));
    expect(reduce(old, observation, patience, NOW)).toEqual({ kind: "rest" });
  });
});

describe("while a worker is at work", () => {
  const beside = (one: Partial<PodView>): Observation => seen({}, { ...RUNNING, ...one });
  const broken = { ...waiting("CrashLoopBackOff"), name: "telemetry" };

  test.each<[string, Partial<PodView>]>([
    ["a native sidecar that breaks", { initContainers: [{ ...broken, sidecar: true }] }],
    ["a second container that breaks", { containers: [running(), broken] }],
    ["a second container without its image", { containers: [running(), { ...waiting("ErrImagePull"), name: "b" }] }],
  ])("%s neither holds it up nor fails it", (_, pod) => {
    const working = operationOf({ runState: "running" }, runs);
    expect(reduce(working, beside(pod), PATIENCE, NOW)).toEqual({ kind: "rest" });
  });

  test("and before that, a container that waits may be the worker", () => {
    const waits = reduce(operationOf({}, runs), beside({ containers: [running(), broken] }), PATIENCE, NOW);
    expect(waits).toMatchObject(enters("waiting", "CrashLoopBackOff"));
  });
});

describe("what Events tell", () => {
  const quota = "exceeded quota: q, requested: pods=1, used: pods=9, limited: pods=9";
  const refused = [event("Job", "FailedCreate", `Error creating: pods "echo-" is forbidden: ${quota}`)];
  const without = seen({});
  const told = { ...without, events: refused } as Observation;

  test("is asked for as soon as most Pods would have come, and only while nothing else tells", () => {
    expect(questionOf(operationOf(), without, NOW)).toMatchObject({ refusedTo: "job-1" });
    expect(questionOf(operationOf(), seen({ createdAt: iso(NOW) }), NOW)).toBeUndefined();
    expect(questionOf(operationOf(), seen({}, PULLING), NOW)).toBeUndefined();
    expect(questionOf(operationOf(), seen({}, RUNNING), NOW)).toBeUndefined();
    expect(questionOf(operationOf({ runState: "failed" }), without, NOW)).toBeUndefined();
    expect(questionOf(operationOf(), seen(FAILED), NOW)).toBeUndefined();
    expect(questionOf(operationOf(), ABSENT, NOW)).toBeUndefined();
  });

  test("is recorded with whose fault it is, in words as well, and waits as long as its kind may", () => {
    const transition = reduce(operationOf(), told, PATIENCE, NOW);
    expect(transition).toMatchObject({ ...enters("waiting", "QuotaExceeded"), again: undefined });
    expect(recorded(told)).toMatchObject({
      fault: "cluster",
      message: `Kubernetes cannot make a Pod for the Job: ${quota}. The cause lies in the cluster, not in the operation: it is not your fault.`,
    });
  });

  test("stays on record when nobody tells it any more, and keeps its own time and its own patience", () => {
    const known = recorded(told);
    expect(reduce(operationOf({}, known), without, PATIENCE, NOW + 9e9)).toEqual({ kind: "rest" });
    const missing = 'error looking up service account a/b: serviceaccount "b" not found';
    const account = recorded({ ...without, events: [event("Job", "FailedCreate", missing)] } as Observation);
    expect(reduce(operationOf({}, account), without, PATIENCE, NOW + 170_000)).toEqual({ kind: "again", ms: 10_000 });
    const over = reduce(operationOf({}, account), without, PATIENCE, NOW + 180_000);
    expect(over).toMatchObject({ ending: { reason: "ServiceAccountMissing", fault: "template" } });
    expect(over).toMatchObject({ ending: { message: expect.stringMatching(/"b" not found\.$/) as unknown } });
  });

  test("gives way to what they tell now: nothing any more", () => {
    const known = recorded(told);
    const silent = { ...without, events: [] } as Observation;
    expect(reduce(operationOf({}, known), silent, PATIENCE, NOW)).toMatchObject(enters("waiting", "NoPod"));
  });

  test("of a registry that is busy is not forgotten in the pause before the next pull, where old clusters tell no cause", () => {
    const busy = recorded(seen({}, { containers: [waiting("ErrImagePull", "429 Too Many Requests")] }));
    expect(busy).toMatchObject({ reason: "RegistryOverloaded", fault: "cluster" });
    const pause = seen({}, { containers: [waiting("ImagePullBackOff", 'Back-off pulling image "i"')] });
    expect(reduce(operationOf({}, busy), pause, PATIENCE, NOW + 1_000)).toEqual({ kind: "again", ms: 899_000 });
  });
});

describe("the words of an obstacle that goes on", () => {
  const nodes = (message: string): Observation =>
    seen({}, { conditions: [condition("PodScheduled", { status: "False", reason: "Unschedulable", message })] });
  const full = "0/3 nodes are available: 3 Insufficient cpu.";
  const claim = { phase: "waiting" as const, reason: "Unschedulable", since: since(10_000) };
  const known = {
    ...claim,
    fault: "cluster" as const,
    message: `No node of the cluster can take the Pod: ${full} The cause lies in the cluster, not in the operation: it is not your fault.`,
  };

  test("are not written again for a count that changed", () => {
    const counted = nodes("0/4 nodes are available: 4 Insufficient cpu.");
    expect(reduce(operationOf({}, known), counted, PATIENCE, NOW)).toEqual({ kind: "again", ms: 890_000 });
  });

  test("are written, with whose fault it is, when they say something else; its time goes on", () => {
    const tainted = reduce(
      operationOf({}, known),
      nodes("0/3 nodes: 3 node(s) had untolerated taint {a: b}."),
      PATIENCE,
      NOW,
    );
    expect(tainted).toMatchObject({ kind: "change", change: { fault: "template" }, again: 890_000 });
    expect(tainted).not.toHaveProperty("change.since");
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
    ["and whose Pods are gone fails for want of more", operationOf({}, past), seen(FAILED), fails("PodGone")],
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
    const announced = { conditions: [condition("SuccessCriteriaMet"), condition("Failed", { status: "False" })] };
    expect(reduce(operationOf({}, runs), seen(announced, RUNNING), PATIENCE, NOW)).toEqual({ kind: "rest" });
  });

  const target = { conditions: [condition("FailureTarget", { reason: "BackoffLimitExceeded", at: iso(NOW - 9_000) })] };
  const lost = {
    ...RUNNING,
    deleting: true,
    conditions: [...SCHEDULED, condition("DisruptionTarget", { reason: "DeletionByTaintManager" })],
  };

  test("an end that the Job controller has decided is told while a lost Pod delays it, and concluded when that lasts", () => {
    const told = reduce(operationOf({}, runs), seen(target, lost), PATIENCE, NOW);
    expect(told).toMatchObject({ ...enters("waiting", "NodeTainted"), again: 900_000 });
    const waits = { ...runs, phase: "waiting" as const, reason: "NodeTainted", since: since(900_000) };
    expect(reduce(operationOf({}, waits), seen(target, lost), PATIENCE, NOW)).toMatchObject(fails("NodeTainted"));
  });

  test("an end that was decided a moment ago is about to come by itself", () => {
    const fresh = { conditions: [condition("FailureTarget", { at: iso(NOW - 1_000) })] };
    expect(reduce(operationOf({}, runs), seen(fresh, lost), PATIENCE, NOW)).toEqual({ kind: "again", ms: 4_000 });
  });

  test("a native sidecar that outlives its worker keeps nothing running for ever", () => {
    const sidecar = { ...running(), name: "telemetry", sidecar: true };
    const pod = { ...RUNNING, initContainers: [sidecar], containers: [ended(1)] };
    const told = reduce(operationOf({ runState: "running" }, runs), seen({}, pod), PATIENCE, NOW);
    expect(told).toMatchObject({ ...enters("waiting", "WorkerFailed"), again: 180_000 });
    const waits = { ...runs, phase: "waiting" as const, reason: "WorkerFailed", since: since(180_000) };
    const over = reduce(operationOf({ runState: "running" }, waits), seen({}, pod), PATIENCE, NOW);
    expect(over).toMatchObject({ ending: { fault: "operation", logs: { container: "task-worker" } } });
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
