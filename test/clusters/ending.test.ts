// Why a Job ended, one row for each reason: what a person reads, and whose log tells more.
import { describe, expect, test } from "@jest/globals";
import { explainFailure, explainMissingResult, JOB_GONE } from "../../src/clusters/ending.ts";
import type { Condition, PodView } from "../../src/clusters/observation.ts";
import { condition, containerView, ended, iso, podView, T0, waiting } from "./views.ts";

const FAILED = condition("Failed", { reason: "BackoffLimitExceeded", message: "Job has reached the limit" });
const DEADLINE = condition("Failed", { reason: "DeadlineExceeded", message: "was active too long" });
const disrupted = (message: string): Partial<PodView> => ({ conditions: [condition("DisruptionTarget", { message })] });
const NEVER_RAN = containerView({
  terminated: { exitCode: 128, signal: undefined, reason: "StartError", message: "exec: no such file" },
});
const sidecar = (exitCode: number) => ({ ...ended(exitCode), name: "telemetry" });
const LOG = "task-worker";

test.each<[string, Condition, Partial<PodView>, string, RegExp, string | undefined]>([
  [
    "a worker that ended with an error",
    FAILED,
    { containers: [ended(1)] },
    "WorkerFailed",
    /"task-worker" ended with exit code 1/,
    LOG,
  ],
  [
    "a worker that was killed for its memory",
    FAILED,
    { containers: [ended(137, { reason: "OOMKilled" })] },
    "OOMKilled",
    /more memory than its limit.*137/,
    LOG,
  ],
  [
    "a worker that a signal ended, by its exit code",
    FAILED,
    { containers: [ended(139)] },
    "WorkerKilled",
    /killed by signal 11 \(exit code 139\)/,
    LOG,
  ],
  [
    "a worker that a signal ended, by its field",
    FAILED,
    { containers: [ended(1, { signal: 9 })] },
    "WorkerKilled",
    /killed by signal 9/,
    LOG,
  ],
  ["an exit code that is no signal's", FAILED, { containers: [ended(255)] }, "WorkerFailed", /exit code 255/, LOG],
  [
    "a command that is not in the image",
    FAILED,
    { containers: [NEVER_RAN] },
    "StartError",
    /could not be started: exec: no such file/,
    undefined,
  ],
  [
    "an init container that failed",
    FAILED,
    { initContainers: [{ ...ended(2), name: "clone" }], containers: [waiting("PodInitializing")] },
    "InitContainerFailed",
    /"clone" ended with exit code 2/,
    "clone",
  ],
  [
    "a sidecar that was killed after the worker failed",
    FAILED,
    { initContainers: [sidecar(137)], containers: [ended(1)] },
    "WorkerFailed",
    /"task-worker" ended with exit code 1/,
    LOG,
  ],
  [
    "a second container's lack of memory after the first one's failure",
    FAILED,
    { containers: [ended(1), { ...ended(137, { reason: "OOMKilled" }), name: "b" }] },
    "OOMKilled",
    /"b" used more memory/,
    "b",
  ],
  [
    "an eviction",
    FAILED,
    { reason: "Evicted", message: "low on memory", containers: [ended(137)] },
    "Evicted",
    /evicted from its node: low on memory/,
    LOG,
  ],
  ["a preemption", FAILED, { reason: "Preempting" }, "Preempting", /higher priority/, undefined],
  ["a node that is lost", FAILED, { reason: "NodeLost" }, "NodeLost", /node was lost/, undefined],
  [
    "a node that was shut down",
    FAILED,
    { reason: "Terminated", message: "node shutdown" },
    "Terminated",
    /shut down: node shutdown/,
    undefined,
  ],
  [
    "a drain that only a condition tells of",
    FAILED,
    { ...disrupted("deleted by taint manager"), containers: [ended(143)] },
    "Disrupted",
    /removed by the cluster: deleted by taint/,
    LOG,
  ],
  ["a Pod's own deadline", FAILED, { reason: "DeadlineExceeded" }, "DeadlineExceeded", /Pod ran longer/, undefined],
  [
    "a Job's deadline",
    DEADLINE,
    { containers: [ended(143)] },
    "DeadlineExceeded",
    /Job ran longer .*\(was active too long\)/,
    LOG,
  ],
  ["a Job's deadline before anything ran", DEADLINE, {}, "DeadlineExceeded", /Job ran longer/, undefined],
  [
    "a failure that no container explains",
    FAILED,
    { containers: [ended(0)] },
    "BackoffLimitExceeded",
    /Kubernetes reports: Job has reached the limit\.$/,
    LOG,
  ],
  [
    "a failure without any words",
    condition("Failed"),
    { message: "odd" },
    "JobFailed",
    /Kubernetes reports: odd\.$/,
    undefined,
  ],
])("%s", (_, end, pod, reason, message, container) => {
  const ending = explainFailure(end, [podView(pod)]);
  expect(ending.reason).toBe(reason);
  expect(ending.message).toMatch(message);
  expect(ending.remedy).toMatch(/^\S.*\.$/);
  expect(ending.logs).toEqual(container === undefined ? undefined : { pod: "echo-x", container });
});

describe("without Pods", () => {
  test.each<[string, Condition, string, RegExp]>([
    [
      "a failure keeps the Job's own reason",
      FAILED,
      "BackoffLimitExceeded",
      /Job has reached the limit; its Pod is gone\.$/,
    ],
    [
      "a failure without a reason has one all the same",
      condition("Failed"),
      "JobFailed",
      /the Job failed; its Pod is gone/,
    ],
    ["a deadline is a deadline", DEADLINE, "DeadlineExceeded", /longer than its activeDeadlineSeconds/],
  ])("%s", (_, end, reason, message) => {
    const ending = explainFailure(end, []);
    expect(ending).toMatchObject({ reason, logs: undefined });
    expect(ending.message).toMatch(message);
  });
});

test("of several Pods the newest one explains", () => {
  const pods = [
    podView({ uid: "2", name: "second", createdAt: iso(T0 + 9_000), containers: [ended(3)] }),
    podView({ uid: "1", name: "first", containers: [ended(137, { reason: "OOMKilled" })] }),
  ];
  expect(explainFailure(FAILED, pods)).toMatchObject({ reason: "WorkerFailed", logs: { pod: "second" } });
});

test("a Job that is complete without a result names the settings to check, and the worker's log", () => {
  const ending = explainMissingResult([podView({ phase: "Succeeded", containers: [ended(0)] })]);
  expect(ending).toMatchObject({ reason: "NoResult", logs: { pod: "echo-x", container: LOG } });
  expect(ending.remedy).toMatch(/_command.*_args.*FIFTYONE_DATABASE_URI/);
  expect(explainMissingResult([]).logs).toBeUndefined();
});

test("no ending has the word that FiftyOne takes for its own termination", () => {
  const endings = [JOB_GONE, explainMissingResult([]), explainFailure(DEADLINE, []), explainFailure(FAILED, [])];
  for (const { message, remedy } of endings) expect(message + remedy).not.toMatch(/expired/i);
});
