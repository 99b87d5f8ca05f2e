// What is kept of Jobs and Pods as the API server sends them, and what is concluded from their conditions.
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { isScheduled, jobEnd, newest, viewJob, viewPod } from "../../src/clusters/observation.ts";
import { condition, iso, jobView, podView, T0 } from "./views.ts";

const ID = "6b0364133073fa365dde3037";
const METADATA = {
  name: `echo-${ID}`,
  namespace: "fiftyone",
  uid: "u-1",
  creationTimestamp: iso(T0),
  labels: { "opjob/operation": ID, "opjob/attempt": "2" },
  annotations: { "opjob/database": "f1ngerpr1nt", "opjob/orchestrator": "GPU no. 1" },
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
    createdAt: iso(T0),
    deleting: false,
    suspended: false,
    conditions: [{ type: "Failed", status: "True", reason: "R", message: "M", at: iso(T0) }],
  });
});

test("a Job that is suspended, or on its way out, says so", () => {
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
