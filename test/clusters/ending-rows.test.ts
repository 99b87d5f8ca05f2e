// Every row of the table of reasons for which a Job ended without a result, from objects as Kubernetes writes them.
import { expect, test } from "@jest/globals";
import { explainAbsence, explainFailure, explainMissingResult } from "../../src/clusters/ending.ts";
import { ENDED, type EndedId, type Ending } from "../../src/clusters/ending-reasons.ts";
import { viewEvents } from "../../src/clusters/events.ts";
import { jobEnd, type PodView, viewJob, viewPod } from "../../src/clusters/observation.ts";
import type { Row } from "../../src/clusters/reasons.ts";
import * as raw from "./states.ts";

type World = {
  /** undefined: it is not there any more. */
  readonly job: raw.Raw | undefined;
  readonly pods?: readonly raw.Raw[];
  /** Pods that are not there any more, as they were last seen. */
  readonly gone?: readonly raw.Raw[];
  readonly events?: readonly raw.Raw[];
};
type Case = readonly [what: string, row: EndedId, world: World, message: RegExp, container?: string];

const goneView = (object: raw.Raw): PodView => ({ ...viewPod(object), deleting: true, gone: true });

function explain({ job, pods = [], gone = [], events }: World): Ending {
  const views = [...pods.map(viewPod), ...gone.map(goneView)];
  const told = events && viewEvents(events);
  if (job === undefined) return explainAbsence(views, told, raw.JOB_UID);
  const seen = { job: viewJob(job), pods: views, events: told };
  const end = jobEnd(seen.job);
  if (end === undefined) throw new Error("the Job has not ended");
  return end.outcome === "complete" ? explainMissingResult(seen) : explainFailure(end.condition, seen);
}

const failed = (...containers: raw.Raw[]): World => ({
  job: raw.failedJob(),
  pods: [raw.pod("Failed", { containers })],
});
const byStatus = (reason: string, message: string, containers: raw.Raw[] = [raw.terminated(137)]): World => ({
  job: raw.failedJob(),
  pods: [raw.pod("Failed", { status: { reason, message }, containers })],
});
/** The cluster deletes the Pod at once; only what was seen of it before is left. */
const byCondition = (reason: string, message: string): World => {
  const conditions = [raw.SCHEDULED, raw.condition("DisruptionTarget", "True", reason, message)];
  return { job: raw.failedJob(), gone: [raw.pod("Running", { conditions, containers: [raw.running()] })] };
};
const POLICY = raw.failedJob(
  "PodFailurePolicy",
  "Container worker for pod fiftyone/echo-x7k2p failed with exit code 42 matching FailJob rule at index 0",
);
const NOBODY = raw.event("Job", "FailedCreate", 'Error creating: pods "echo-" is forbidden: exceeded quota: q');
const LOW =
  "The node was low on resource: memory. Container worker was using 3Gi, request is 0, has larger consumption of memory. ";

const CASES: readonly Case[] = [
  [
    "an exit code",
    "workerFailed",
    failed(raw.terminated(3)),
    /"worker" ended with exit code 3 before a result/,
    "worker",
  ],
  ["an exit code that is no signal's", "workerFailed", failed(raw.terminated(255)), /exit code 255/, "worker"],
  [
    "an exit code that a policy ends the Job for",
    "workerFailed",
    { ...failed(raw.terminated(42)), job: POLICY },
    /exit code 42/,
    "worker",
  ],
  ["a crash", "workerCrashed", failed(raw.terminated(139)), /killed by signal 11 \(exit code 139\)/, "worker"],
  [
    "a signal that the runtime names",
    "workerCrashed",
    failed(raw.terminated(1, "Error", { signal: 6 })),
    /signal 6/,
    "worker",
  ],
  [
    "a kill from outside",
    "workerKilled",
    failed(raw.terminated(137)),
    /killed by signal 9 \(exit code 137\)/,
    "worker",
  ],
  [
    "a container over its memory",
    "outOfMemory",
    failed(raw.terminated(137, "OOMKilled")),
    /^The container "worker" used more memory than its limit .*137/,
    "worker",
  ],
  [
    "a child over its memory, and a parent that ends with 1",
    "outOfMemory",
    failed(raw.terminated(1, "OOMKilled")),
    /OOMKilled, exit code 1/,
    "worker",
  ],
  [
    "success although something was killed for its memory",
    "outOfMemory",
    { job: raw.completeJob(), pods: [raw.pod("Succeeded", { containers: [raw.terminated(0, "OOMKilled")] })] },
    /^A process of the container "worker" used more memory/,
    "worker",
  ],
  [
    "a command that is not in the image",
    "startError",
    failed(raw.notStarted('failed to create containerd task: exec: "nope": executable file not found in $PATH')),
    /"worker" could not be started: .*"nope": executable file not found/,
  ],
  [
    "an init container that fails",
    "initFailed",
    {
      job: raw.failedJob(),
      pods: [
        raw.pod("Failed", {
          init: [raw.terminated(2, "Error", {}, "clone")],
          containers: [raw.waiting("PodInitializing")],
        }),
      ],
    },
    /^The init container "clone" ended with exit code 2/,
    "clone",
  ],
  [
    "a container that its node lost track of",
    "containerLost",
    failed(
      raw.terminated(137, "ContainerStatusUnknown", {
        message: "The container could not be located when the pod was terminated",
        startedAt: null,
        finishedAt: null,
      }),
    ),
    /was not there any more/,
  ],
  [
    "success without a result",
    "noResult",
    { job: raw.completeJob(), pods: [raw.pod("Succeeded", { containers: [raw.terminated(0)] })] },
    /ended with success, but no worker recorded/,
    "worker",
  ],

  [
    "the Job's deadline, which takes the Pod",
    "deadline",
    { job: raw.lateJob(), gone: [raw.pod("Running", { containers: [raw.running()] })] },
    /^The Job ran longer .*\(Job was active longer than specified deadline\)/,
    "worker",
  ],
  ["the Job's deadline, and nobody saw the Pod", "deadline", { job: raw.lateJob() }, /^The Job ran longer/],
  [
    "the Pod's deadline",
    "deadline",
    byStatus("DeadlineExceeded", "Pod was active on the node longer than the specified deadline", [
      raw.terminated(143),
    ]),
    /^The Pod ran longer .*\. The container "worker" then ended with exit code 143\.$/,
    "worker",
  ],
  [
    "the Job's deadline while no node took the Pod",
    "notInTime",
    {
      job: raw.lateJob(),
      gone: [raw.pod("Pending", { conditions: [raw.unschedulable("0/1 nodes are available: 1 Insufficient cpu.")] })],
    },
    /before its worker had begun\. No node .*Insufficient cpu/,
  ],
  [
    "the Job's deadline while no Pod could be made",
    "notInTime",
    { job: raw.lateJob(), events: [NOBODY] },
    /before its worker had begun\. .*exceeded quota: q/,
  ],

  [
    "a node that is low on memory",
    "evicted",
    byStatus("Evicted", LOW),
    /evicted from its node: The node was low on resource: memory/,
    "worker",
  ],
  [
    "a Pod that fills its disk",
    "diskLimit",
    byStatus("Evicted", 'Container worker exceeded its local ephemeral storage limit "1Gi". '),
    /exceeded its local ephemeral storage limit/,
    "worker",
  ],
  [
    "a volume that is filled",
    "diskLimit",
    byStatus("Evicted", 'Usage of EmptyDir volume "scratch" exceeds the limit "1Gi". '),
    /EmptyDir volume "scratch"/,
    "worker",
  ],
  [
    "the scheduler's preemption",
    "preempted",
    byCondition("PreemptionByScheduler", "default-scheduler: preempting to accommodate a higher priority pod"),
    /of higher priority: default-scheduler/,
    "worker",
  ],
  [
    "a node's preemption",
    "preemptedByNode",
    byStatus("Preempting", "Preempted in order to admit critical pod"),
    /had to make room .*critical pod/,
    "worker",
  ],
  [
    "a drain",
    "drained",
    byCondition("EvictionByEvictionAPI", "Eviction API: evicting"),
    /on somebody's request.*Eviction API/,
    "worker",
  ],
  [
    "a node with a taint",
    "tainted",
    byCondition("DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint"),
    /got a taint that it does not tolerate/,
    "worker",
  ],
  [
    "a node that was removed",
    "nodeGone",
    byCondition("DeletionByPodGC", "PodGC: node no longer exists"),
    /node is not there any more: PodGC/,
    "worker",
  ],
  [
    "a node that nobody reaches",
    "nodeLost",
    byStatus("NodeLost", "Node node-1 which was running pod echo is unresponsive"),
    /node was lost: Node node-1/,
    "worker",
  ],
  [
    "a node that shuts down and takes nobody",
    "nodeShutdown",
    byStatus("NodeShutdown", "Pod was rejected as the node is shutting down.", []),
    /was shut down: Pod was rejected/,
  ],
  [
    "a node that shuts down",
    "nodeTerminated",
    byStatus("Terminated", "Pod was terminated in response to imminent node shutdown."),
    /was shut down: .*imminent node shutdown/,
    "worker",
  ],
  [
    "a node that has no room after all",
    "rejected",
    byStatus(
      "OutOfcpu",
      "Pod was rejected: Node didn't have enough resource: cpu, requested: 4000, used: 3000, capacity: 4000",
      [],
    ),
    /refused the Pod \(OutOfcpu\)/,
  ],
  [
    "a device plugin in trouble",
    "rejected",
    byStatus(
      "UnexpectedAdmissionError",
      "Allocate failed due to no healthy devices present; cannot allocate unhealthy devices nvidia.com/gpu",
      [],
    ),
    /no healthy devices/,
  ],
  [
    "a disruption of a kind that is new",
    "disrupted",
    byCondition("DeletionByFireDrill", "practising"),
    /removed by the cluster: practising/,
    "worker",
  ],
  [
    "a Pod that somebody deletes",
    "podDeleted",
    { job: raw.failedJob(), gone: [raw.pod("Running", { metadata: raw.going, containers: [raw.running()] })] },
    /was deleted before it had ended/,
    "worker",
  ],
  [
    "a Pod that somebody deletes, whose worker heeds the signal",
    "podDeleted",
    { job: raw.failedJob(), gone: [raw.pod("Failed", { metadata: raw.going, containers: [raw.terminated(143)] })] },
    /was deleted before/,
    "worker",
  ],
  [
    "a Pod that nobody saw, and that was preempted",
    "preempted",
    {
      job: raw.failedJob(),
      events: [
        raw.event("Job", "SuccessfulCreate", "Created pod: echo-x7k2p"),
        raw.event("Pod", "Preempted", "Preempted by pod 1 on node node-1"),
      ],
    },
    /Preempted by pod 1/,
  ],
  [
    "a Pod that nobody saw",
    "podGone",
    { job: raw.failedJob() },
    /Job has reached the specified backoff limit; its Pod is gone/,
  ],
  [
    "a policy, and a Pod that nobody saw",
    "policy",
    { job: POLICY },
    /failed with exit code 42 matching FailJob rule at index 0; its Pod is gone/,
  ],
  [
    "a Job that somebody deleted",
    "jobGone",
    { job: undefined },
    /^The Job was deleted before the operation had ended\.$/,
  ],
  [
    "a failure that no container explains",
    "other",
    failed(raw.terminated(0)),
    /^Kubernetes reports: Job has reached the specified backoff limit\.$/,
    "worker",
  ],
];

test.each(CASES)("%s: %s", (...[, row, world, message, container]: Case) => {
  const ending = explain(world);
  const { reason, fault, remedy } = ending;
  expect(ending.row).toBe(row);
  // Kubernetes' own reason and the obstacle's fault come through where the table can only guess.
  if (row !== "other") expect(reason).toBe(ENDED[row].reason);
  if (row !== "notInTime") expect(fault).toBe(ENDED[row].fault);
  expect(ending.message).toMatch(message);
  expect(ending.message).toMatch(/^[A-Z].*[^.]\.$/s);
  expect(remedy).toMatch(/^\S.*\.$/);
  expect(ending.message + remedy).not.toMatch(/expired/i);
  expect(ending.logs?.container).toBe(container);
});

test("every row of the table has a state of the world here", () => {
  expect(Object.keys(ENDED).filter((row) => !CASES.some((one) => one[1] === row))).toEqual([]);
});

test("whose fault each is", () => {
  const rows: [string, Row][] = Object.entries(ENDED);
  const of = (fault: string): string[] => rows.flatMap(([id, row]) => (row.fault === fault ? [id] : []));
  expect(of("operation")).toEqual(["workerFailed", "workerCrashed", "outOfMemory", "deadline", "diskLimit"]);
  expect(of("template")).toEqual(["startError", "initFailed", "noResult", "policy"]);
});
