// What is kept of Jobs and Pods as the API server sends them, and what is concluded from their conditions.
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { hasBegun, isScheduled, jobEnd, newest, viewJob, viewPod } from "../../src/clusters/observation.ts";
import { condition, iso, jobView, podView, T0 } from "./views.ts";

const ID = "6b0364133073fa365dde3037";
const METADATA = {
  name: `echo-${ID}`,
  namespace: "fiftyone",
  uid: "u-1",
  creationTimestamp: iso(T0),
  labels: { "opjob/operation": ID, "opjob/attempt": "2" },
  annotations: { "opjob/database": "f1ngerpr1nt", "opjob/orchestrator": "GPU no. 1", "opjob/queued-at": iso(T0 - 1) },
  managedFields: [{ manager: "opjob" }],
};

test("of a Job only what is judged by is kept", () => {
  const job = {
    metadata: METADATA,
    spec: { template: { spec: { containers: [{ env: [{ name: "TOKEN", value: "hunter2" }] }] } } },
    status: {
      conditions: [
        { type: "Failed", status: "True", reason: "R", message: "M", lastTransitionTime: iso(T0), lastProbeTime: "x" },
      ],
    },
  };
  expect(viewJob(job)).toEqual({
    name: `echo-${ID}`,
    namespace: "fiftyone",
    uid: "u-1",
    operation: ID,
    attempt: 2,
    database: "f1ngerpr1nt",
    orchestrator: "GPU no. 1",
    queueing: iso(T0 - 1),
    createdAt: iso(T0),
    deleting: false,
    suspended: false,
    tidied: false,
    queue: undefined,
    conditions: [{ type: "Failed", status: "True", reason: "R", message: "M", at: iso(T0) }],
  });
});

test("a Job's counters are not read: one of them may be ahead of its end", () => {
  const counted = { metadata: METADATA, status: { failed: 1, active: 1, conditions: [] } };
  expect(viewJob(counted)).toEqual(viewJob({ metadata: METADATA }));
  expect(jobEnd(viewJob(counted))).toBeUndefined();
});

test("a Job that is suspended, queued, or on its way out, says so", () => {
  const labels = { ...METADATA.labels, "kueue.x-k8s.io/queue-name": "gpu" };
  expect(viewJob({ metadata: { ...METADATA, labels } }).queue).toBe("gpu");
  expect(viewJob({ metadata: METADATA, spec: { suspend: true } }).suspended).toBe(true);
  expect(viewJob({ metadata: { ...METADATA, deletionTimestamp: iso(T0) } }).deleting).toBe(true);
});

test("of a Pod the containers' states are kept, also those before the last restart", () => {
  const pod = {
    metadata: { ...METADATA, labels: { ...METADATA.labels, "batch.kubernetes.io/job-name": "j" } },
    spec: { containers: [{ env: [{ value: "hunter2" }] }] },
    status: {
      phase: "Running",
      conditions: [{ type: "PodScheduled", status: "True", lastTransitionTime: iso(T0) }],
      initContainerStatuses: [{ name: "init", image: "i", state: { terminated: { exitCode: 0, startedAt: iso(T0) } } }],
      containerStatuses: [
        {
          name: "a",
          image: "i",
          state: { running: { startedAt: iso(T0) } },
          lastState: { terminated: { exitCode: 137, reason: "OOMKilled" } },
        },
        { name: "b", image: "i", state: { waiting: { reason: "ErrImagePull", message: "no" } } },
        { name: "c", image: "i", state: {} },
      ],
    },
  };
  const view = viewPod(pod);
  expect(view).toMatchObject({ job: "j", operation: ID, phase: "Running", reason: "" });
  expect(JSON.stringify(view)).not.toContain("hunter2");
  expect(view.initContainers).toMatchObject([{ name: "init", startedAt: iso(T0), terminated: { exitCode: 0 } }]);
  expect(view.containers).toMatchObject([
    { name: "a", startedAt: iso(T0), terminated: { exitCode: 137, reason: "OOMKilled", message: "" } },
    { name: "b", waiting: { reason: "ErrImagePull", message: "no" }, startedAt: undefined, terminated: undefined },
    { name: "c", waiting: undefined, startedAt: undefined, terminated: undefined },
  ]);
});

test("a native sidecar is told from the init containers that must end before the worker begins", () => {
  const initContainers = [{ name: "clone" }, { name: "telemetry", restartPolicy: "Always" }];
  const statuses = ["clone", "telemetry"].map((name) => ({ name, image: "i", state: {} }));
  const view = viewPod({ metadata: METADATA, spec: { initContainers }, status: { initContainerStatuses: statuses } });
  expect(view.initContainers.map(({ name, sidecar }) => [name, sidecar])).toEqual([
    ["clone", false],
    ["telemetry", true],
  ]);
});

test("a container that never ran did not start in 1970", () => {
  const terminated = { exitCode: 128, reason: "StartError", startedAt: "1970-01-01T00:00:00Z", finishedAt: iso(T0) };
  const view = viewPod({ metadata: METADATA, status: { containerStatuses: [{ name: "a", state: { terminated } }] } });
  expect(view.containers).toMatchObject([{ startedAt: undefined, terminated: { finishedAt: iso(T0) } }]);
  expect(hasBegun(view)).toBe(false);
});

test("the run before the present one is told from an end", () => {
  const terminated = { exitCode: 1, startedAt: iso(T0) };
  const states = [
    { state: { running: { startedAt: iso(T0) } }, lastState: { terminated } },
    { state: { waiting: { reason: "CrashLoopBackOff" } }, lastState: { terminated } },
    { state: { terminated } },
  ];
  const view = viewPod({ metadata: METADATA, status: { containerStatuses: states } });
  expect(view.containers.map(({ running, restarted }) => [running, restarted])).toEqual([
    [true, true],
    [false, true],
    [false, false],
  ]);
});

test("the label of older clusters names a Pod's Job as well", () => {
  expect(viewPod({ metadata: { labels: { "job-name": "old" } } }).job).toBe("old");
});

test("any object gives a view, never an error", () => {
  const part = fc.oneof(
    fc.anything(),
    fc.dictionary(fc.constantFrom("labels", "annotations", "state", "conditions", "containerStatuses"), fc.anything()),
  );
  fc.assert(
    fc.property(fc.record({ metadata: part, spec: part, status: part }), (object) => {
      expect(typeof viewJob(object).name).toBe("string");
      expect(Array.isArray(viewPod(object).containers)).toBe(true);
    }),
  );
});

describe("a Job's end", () => {
  test.each([
    ["none without conditions", [], undefined],
    ["complete", [condition("Complete")], "complete"],
    ["failed", [condition("Failed")], "failed"],
    ["none while it is only announced", [condition("FailureTarget"), condition("SuccessCriteriaMet")], undefined],
    ["none by a condition that does not hold", [condition("Failed", { status: "False" })], undefined],
    ["none by being suspended", [condition("Suspended")], undefined],
  ])("%s", (_, conditions, outcome) => {
    expect(jobEnd(jobView({ conditions }))?.outcome).toBe(outcome);
  });
});

test("a Pod is scheduled when its condition holds", () => {
  expect(isScheduled(podView({ conditions: [condition("PodScheduled")] }))).toBe(true);
  expect(isScheduled(podView({ conditions: [condition("PodScheduled", { status: "False" })] }))).toBe(false);
});

test("the newest Pod is the one that was created last", () => {
  const [a, b] = [podView({ uid: "a", createdAt: iso(T0 + 1) }), podView({ uid: "b" })];
  expect([newest([a, b])?.uid, newest([b, a])?.uid, newest([])]).toEqual(["a", "a", undefined]);
});
