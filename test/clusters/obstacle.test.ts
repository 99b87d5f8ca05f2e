// What holds a live Job up: which Pod and which container counts, what is asked of Events, and what is no obstacle at all.
// The table's rows are in waiting-rows.test.ts.
import { describe, expect, test } from "@jest/globals";
import { endAhead } from "../../src/clusters/ending.ts";
import { type EventView, viewEvents } from "../../src/clusters/events.ts";
import { type JobView, type PodView, viewJob, viewPod } from "../../src/clusters/observation.ts";
import { findObstacle } from "../../src/clusters/obstacle.ts";
import { quantityOf } from "../../src/clusters/refused-pod.ts";
import type { Obstacle } from "../../src/clusters/waiting-reasons.ts";
import * as raw from "./states.ts";
import { condition, ended, iso, jobView, podView, running, T0, waiting } from "./views.ts";

type World = { readonly job?: raw.Raw; readonly pods?: readonly raw.Raw[]; readonly events?: readonly raw.Raw[] };

const see = ({ job = raw.job(), pods = [], events }: World): Obstacle | undefined =>
  findObstacle({ job: viewJob(job), pods: pods.map(viewPod), events: events && viewEvents(events) });
const find = (pods: readonly PodView[], job: Partial<JobView> = {}, events?: readonly EventView[]) =>
  findObstacle({ job: jobView(job), pods, events });
const findIn = (pod: Partial<PodView>) => find([podView(pod)]);

const created = (...containers: raw.Raw[]): World => ({ pods: [raw.pod("Pending", { containers })] });
const image = (reason: string, message: string): World => created(raw.waiting(reason, message));
const starting = (...events: raw.Raw[]): World => ({ ...created(raw.waiting("ContainerCreating")), events });
const PULL = 'failed to resolve reference "registry.example/worker:1": registry.example/worker:1: not found';
const PULLING = { containers: [waiting("ImagePullBackOff", "not found")] };
const SCHEDULED = [condition("PodScheduled")];

describe("the Pod that counts", () => {
  test("is the newest: an older one's trouble is over", () => {
    const old = podView({ uid: "old", ...PULLING });
    const fresh = podView({ uid: "new", createdAt: iso(T0 + 1_000), phase: "Running", containers: [running()] });
    expect(find([fresh, old])).toBeUndefined();
    expect(find([old, { ...fresh, deleting: true }])?.reason).toBe("ImagePullFailed");
    expect(find([old, { ...fresh, deleting: true, gone: true }])?.reason).toBe("ImagePullFailed");
  });

  test("is none where the only one is on its way out", () => {
    const obstacle = find([podView({ deleting: true, phase: "Running" })]);
    expect(obstacle).toMatchObject({
      reason: "NoPod",
      message: expect.stringMatching(/was taken away, and .* another/),
    });
  });

  test("is none where the Job is suspended, whatever an old one does", () => {
    expect(find([podView({ containers: [running()] })], { suspended: true })?.reason).toBe("Suspended");
  });
});

test.each<[string, Partial<PodView>]>([
  ["a Pod that is just made", {}],
  ["an init container that is at work on a node", { conditions: SCHEDULED, initContainers: [running()] }],
  ["init containers that are at work", { containers: [waiting("PodInitializing")], initContainers: [running()] }],
  ["a worker that runs", { phase: "Running", containers: [running()] }],
  ["a worker that has ended, before Kubernetes says so of the Job", { phase: "Running", containers: [ended(1)] }],
  ["a Pod that has ended", { phase: "Failed", containers: [waiting("ImagePullBackOff")] }],
  ["a Pod of which nothing is known", { phase: "Unknown" }],
  ["a container that waits for no reason that is told", { containers: [waiting("")] }],
])("%s is no obstacle", (_, pod) => {
  expect(findIn(pod)).toBeUndefined();
});

test("the bad image of an init container, or of a second container, is an obstacle as well", () => {
  const telemetry = { ...waiting("ErrImagePull", "denied"), name: "telemetry" };
  expect(findIn({ initContainers: [telemetry] })?.message).toContain('container "telemetry"');
  const beside = findIn({ phase: "Running", containers: [running(), telemetry] });
  expect(beside?.message).toContain('container "telemetry"');
});

describe("what to do about missing nodes is taken from the scheduler's words", () => {
  test.each([
    [
      "1 Insufficient cpu, 1 node(s) had untolerated taint {a: b}.",
      /^Wait until other Pods end, .*; add a toleration .*\.$/,
    ],
    [
      "2 node(s) didn't match Pod's node affinity/selector, 1 node(s) had untolerated taint {a: b}.",
      /^Correct nodeSelector .*; add a toleration/,
    ],
    ["something new", /^Look at the cluster's nodes and their room\.$/],
  ])("%s", (message, remedy) => {
    const unscheduled = condition("PodScheduled", { status: "False", reason: "Unschedulable", message });
    expect(findIn({ conditions: [unscheduled] })?.remedy).toMatch(remedy);
  });

  test("without words the reason stands for them", () => {
    const unscheduled = condition("PodScheduled", { status: "False", reason: "SchedulerError" });
    expect(findIn({ conditions: [unscheduled] })?.message).toMatch(/: SchedulerError\.$/);
  });
});

test("a moment without a Pod, and some time until it starts, are nothing out of the ordinary", () => {
  expect(find([])?.ordinaryMs).toBeGreaterThan(0);
  expect(findIn({ conditions: SCHEDULED })).toMatchObject({ ordinaryMs: 30_000, from: SCHEDULED[0]?.at });
  expect(findIn(PULLING)?.ordinaryMs).toBe(0);
});

describe("what a state does not tell by itself", () => {
  const asks = (world: World) => see(world)?.ask;

  test("is asked of the Job's Events as long as it has no Pod, and nobody has answered", () => {
    expect(asks({})).toMatchObject({ refusedTo: raw.JOB_UID });
    expect(asks({ events: [raw.forbidden("x")] })).toBeUndefined();
  });

  test("is asked of the Pod's Events as long as nothing of it runs", () => {
    expect(asks(created(raw.waiting("ContainerCreating")))).toMatchObject({ uid: "pod-echo-x7k2p" });
    expect(asks(image("CreateContainerConfigError", 'secret "x" not found'))).toBeUndefined();
  });

  test("the error behind a pause before the next pull is the same as before the pause, and an Event tells it where that does not", () => {
    const error = `rpc error: code = NotFound desc = ${PULL}`;
    const pulling = see(image("ErrImagePull", error));
    const pausing = image(
      "ImagePullBackOff",
      `Back-off pulling image "registry.example/worker:1": ErrImagePull: ${error}`,
    );
    expect(see(pausing)).toEqual(pulling);
    const silent = image("ImagePullBackOff", 'Back-off pulling image "registry.example/worker:1"');
    expect(asks(silent)).toMatchObject({ uid: "pod-echo-x7k2p" });
    const events = [raw.event("Pod", "Failed", `Failed to pull image "registry.example/worker:1": ${error}`)];
    expect(see({ ...silent, events })).toEqual(pulling);
  });

  test("a mount that failed and then did not is over", () => {
    const failed = raw.event(
      "Pod",
      "FailedMount",
      'MountVolume.SetUp failed for volume "keys" : secret "nope" not found',
      3,
    );
    const pulling = raw.event("Pod", "Pulling", 'Pulling image "registry.example/worker:1"', 9);
    const pulled = raw.event("Pod", "Pulled", "Successfully pulled image", 12);
    expect(see(starting(pulling, failed))?.row).toBe("pulling");
    expect(see(starting(pulled, pulling, failed))?.row).toBe("notStarted");
  });
});

describe("a native sidecar", () => {
  const beside = (sidecar: raw.Raw, ...containers: raw.Raw[]): World => ({
    pods: [
      raw.pod(containers[0] === undefined ? "Pending" : "Running", {
        spec: raw.withSidecar,
        init: [sidecar],
        containers,
      }),
    ],
  });
  const broken = raw.waiting("CrashLoopBackOff", "back-off 5m0s restarting failed container", "telemetry");

  test("that does not start holds up the worker behind it", () => {
    expect(
      see({
        pods: [
          raw.pod("Pending", { spec: raw.withSidecar, init: [broken], containers: [raw.waiting("PodInitializing")] }),
        ],
      })?.row,
    ).toBe("crashLoop");
  });

  test("that breaks while the worker runs is no obstacle", () => {
    expect(see(beside(broken, raw.running()))).toBeUndefined();
  });
});

describe("an end that is sure before the Job says so", () => {
  const ahead = ({ job = raw.job(), pods = [] }: World) => endAhead({ job: viewJob(job), pods: pods.map(viewPod) });
  const target = raw.job([
    raw.condition("FailureTarget", "True", "BackoffLimitExceeded", "Job has reached the specified backoff limit"),
  ]);
  const lost = raw.pod("Running", {
    metadata: raw.going,
    conditions: [
      raw.SCHEDULED,
      raw.condition(
        "DisruptionTarget",
        "True",
        "DeletionByTaintManager",
        "Taint manager: deleting due to NoExecute taint",
      ),
    ],
    containers: [raw.running()],
  });

  test("is told while a Pod on a lost node keeps the Job from ending, and may last as long as a Pod may wait", () => {
    expect(ahead({ job: target, pods: [lost] })).toMatchObject({
      reason: "NodeTainted",
      fault: "cluster",
      patience: "pending",
    });
  });

  test("is told while a native sidecar outlives the worker", () => {
    const sidecar = raw.running("telemetry");
    const pods = [raw.pod("Running", { spec: raw.withSidecar, init: [sidecar], containers: [raw.terminated(3)] })];
    expect(ahead({ pods })).toMatchObject({ reason: "WorkerFailed", patience: "long", from: raw.at(50) });
    const done = [raw.pod("Running", { spec: raw.withSidecar, init: [sidecar], containers: [raw.terminated(0)] })];
    expect(ahead({ pods: done })).toMatchObject({ reason: "NoResult" });
  });

  test.each<[string, World]>([
    ["while the worker runs", { pods: [raw.pod("Running", { containers: [raw.running()] })] }],
    [
      "while one of two containers runs",
      { pods: [raw.pod("Running", { containers: [raw.terminated(1), raw.running("b")] })] },
    ],
    [
      "where the container is started again",
      { pods: [raw.pod("Running", { spec: { restartPolicy: "OnFailure" }, containers: [raw.terminated(1)] })] },
    ],
    [
      "while Kubernetes only counts a failure",
      {
        job: raw.job([], { status: { failed: 1, active: 1 } }),
        pods: [raw.pod("Running", { containers: [raw.running()] })],
      },
    ],
  ])("is none %s", (_, world) => {
    expect(ahead(world)).toBeUndefined();
  });
});

test.each([
  ["500m", 0.5],
  ["2", 2],
  ["1.5", 1.5],
  ["4Gi", 4 * 1_024 ** 3],
  ["3G", 3e9],
  ["1k", 1_000],
  ["8Ki", 8_192],
  ["1e3", 1_000],
  ["lots", Number.NaN],
  ["", Number.NaN],
])("the quantity %j is %d", (text, amount) => {
  expect(quantityOf(text)).toBe(amount);
});
