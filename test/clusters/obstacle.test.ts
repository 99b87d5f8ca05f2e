// What holds a live Job up, one row for each reason: what a person reads, and how long it may last.
import { describe, expect, test } from "@jest/globals";
import type { JobView, PodView } from "../../src/clusters/observation.ts";
import { findObstacle, type Obstacle, type Patience } from "../../src/clusters/obstacle.ts";
import { condition, containerView, ended, iso, jobView, podView, running, T0, waiting } from "./views.ts";

const find = (pod: Partial<PodView>, job: Partial<JobView> = {}): Obstacle | undefined =>
  findObstacle(jobView(job), [podView(pod)]);

const unschedulable = (message: string): Partial<PodView> => ({
  conditions: [condition("PodScheduled", { status: "False", reason: "Unschedulable", message })],
});
const SCHEDULED = [condition("PodScheduled")];
const image = (reason: string, message = "not found"): Partial<PodView> => ({ containers: [waiting(reason, message)] });

test.each<[string, Partial<PodView>, string, Patience, RegExp]>([
  [
    "an image that cannot be pulled",
    image("ErrImagePull"),
    "ImagePullFailed",
    "short",
    /"registry\/image:tag" of container "task-worker" cannot be pulled: not found/,
  ],
  ["the pause before the next pull", image("ImagePullBackOff"), "ImagePullFailed", "short", /not found/],
  ["an image that must not be pulled", image("ErrImageNeverPull"), "ImagePullFailed", "short", /cannot be pulled/],
  ["an image that cannot be looked into", image("ImageInspectError"), "ImagePullFailed", "short", /cannot be pulled/],
  ["a registry that is away", image("RegistryUnavailable"), "ImagePullFailed", "short", /cannot be pulled/],
  ["a signature that is not valid", image("SignatureValidationFailed"), "ImagePullFailed", "short", /cannot be pulled/],
  [
    "a registry that asks to slow down",
    image("ErrImagePull", "429 Too Many Requests"),
    "RegistryOverloaded",
    "pending",
    /cannot be pulled/,
  ],
  [
    "a registry's daily limit",
    image("ImagePullBackOff", "toomanyrequests: You have reached"),
    "RegistryOverloaded",
    "pending",
    /toomany/,
  ],
  ["a node's own limit of pulls", image("ErrImagePull", "pull QPS exceeded"), "RegistryOverloaded", "pending", /QPS/],
  [
    "a digest that only holds these digits",
    image("ErrImagePull", "sha256:a4290b: not found"),
    "ImagePullFailed",
    "short",
    /4290/,
  ],
  [
    "a name that is no image's",
    image("InvalidImageName", "bad"),
    "InvalidImageName",
    "none",
    /"registry\/image:tag" .* is not valid: bad/,
  ],
  [
    "a Secret or ConfigMap that is missing",
    image("CreateContainerConfigError", 'secret "x" not found'),
    "CreateContainerConfigError",
    "short",
    /cannot be created: secret "x" not found/,
  ],
  [
    "a container that cannot be made",
    image("CreateContainerError", "bad mount"),
    "CreateContainerError",
    "short",
    /cannot be created: bad mount/,
  ],
  [
    "a container that ends again and again",
    image("CrashLoopBackOff"),
    "CrashLoopBackOff",
    "pending",
    /ends again and again/,
  ],
  [
    "a node that nobody has",
    unschedulable("0/3 nodes are available: 3 Insufficient nvidia.com/gpu."),
    "Unschedulable",
    "pending",
    /No node .*: 0\/3 nodes/,
  ],
  [
    "an init container's image",
    { initContainers: [waiting("ErrImagePull", "denied")] },
    "ImagePullFailed",
    "short",
    /denied/,
  ],
  [
    "an image, without any words",
    image("ErrImagePull", ""),
    "ImagePullFailed",
    "short",
    /cannot be pulled: ErrImagePull/,
  ],
])("%s", (_, pod, reason, patience, message) => {
  const obstacle = find(pod);
  expect(obstacle).toMatchObject({ reason, patience });
  expect(obstacle?.message).toMatch(message);
  expect(obstacle?.remedy).toMatch(/^\S.*\.$/);
});

test.each<[string, JobView, PodView[], string, Patience]>([
  ["a Job that a queue holds", jobView({ suspended: true }), [], "Suspended", "endless"],
  [
    "a Job that a queue holds, with an old Pod",
    jobView({ suspended: true }),
    [podView({ containers: [running()] })],
    "Suspended",
    "endless",
  ],
  ["a Job without a Pod", jobView(), [], "NoPod", "pending"],
  ["a Pod on a node", jobView(), [podView({ conditions: SCHEDULED })], "NotStarted", "pending"],
  [
    "a container that is being made on a node",
    jobView(),
    [podView({ conditions: SCHEDULED, containers: [waiting("ContainerCreating")] })],
    "NotStarted",
    "pending",
  ],
  [
    "a Job whose only Pod is on its way out",
    jobView(),
    [podView({ deleting: true, phase: "Running" })],
    "NoPod",
    "pending",
  ],
])("%s", (_, job, pods, reason, patience) => {
  expect(findObstacle(job, pods)).toMatchObject({ reason, patience });
});

test.each<[string, Partial<PodView>]>([
  ["a Pod that is just made", {}],
  ["an init container that is at work on a node", { conditions: SCHEDULED, initContainers: [running()] }],
  ["init containers that are at work", { containers: [waiting("PodInitializing")], initContainers: [running()] }],
  ["a worker that runs", { phase: "Running", containers: [running()] }],
  ["a worker that has ended, before Kubernetes says so of the Job", { phase: "Running", containers: [ended(1)] }],
  ["a Pod that has ended", { phase: "Failed", containers: [waiting("ImagePullBackOff")] }],
  ["a Pod of which nothing is known", { phase: "Unknown" }],
])("%s is no obstacle", (_, pod) => {
  expect(find(pod)).toBeUndefined();
});

test("the newest Pod counts: an older one's trouble is over", () => {
  const old = podView({ uid: "old", ...image("ImagePullBackOff") });
  const fresh = podView({ uid: "new", createdAt: iso(T0 + 1_000), phase: "Running", containers: [running()] });
  expect(findObstacle(jobView(), [fresh, old])).toBeUndefined();
  expect(findObstacle(jobView(), [old, { ...fresh, deleting: true }])?.reason).toBe("ImagePullFailed");
});

test("a sidecar's bad image is an obstacle as well", () => {
  const obstacle = find({
    phase: "Running",
    containers: [running(), { ...waiting("ErrImagePull"), name: "telemetry" }],
  });
  expect(obstacle?.message).toContain('container "telemetry"');
});

describe("what to do about missing nodes is taken from the scheduler's words", () => {
  test.each([
    ["1 Insufficient cpu.", /^Ask for less in resources\.requests, or add nodes/],
    ["2 node(s) had untolerated taint {gpu: true}.", /^Add a toleration for the named taint/],
    ["3 node(s) didn't match Pod's node affinity/selector.", /^Correct nodeSelector or affinity/],
    ['persistentvolumeclaim "x" not found', /^Check the PersistentVolumeClaims/],
    ["1 Insufficient memory, 2 node(s) had untolerated taint.", /^Ask for less .*; add a toleration/],
    ["something new", /^Look at the cluster's nodes/],
  ])("%s", (message, remedy) => {
    expect(find(unschedulable(message))?.remedy).toMatch(remedy);
  });

  test("without words the reason stands for them", () => {
    expect(
      find({ conditions: [condition("PodScheduled", { status: "False", reason: "SchedulingGated" })] })?.message,
    ).toMatch(/: SchedulingGated$/);
  });
});

test("a container that waits to be restarted for an unknown reason is no obstacle", () => {
  expect(find({ containers: [containerView({ waiting: { reason: "", message: "" } })] })).toBeUndefined();
});

test("a moment without a Pod, and some time until it starts, are nothing out of the ordinary", () => {
  const scheduled = podView({ conditions: SCHEDULED });
  expect(findObstacle(jobView(), [])?.ordinaryMs).toBeGreaterThan(0);
  expect(findObstacle(jobView(), [scheduled])?.ordinaryMs).toBeGreaterThan(0);
  expect(find({ containers: [waiting("ImagePullBackOff")] })?.ordinaryMs).toBe(0);
});
