// The reasons that opjob reads from a cluster, told by the very functions that find them, each in a made-up world.
// Knows which states of the world there are; none of the words: those come from src/clusters.
import { type Ending, explainFailure, explainMissingResult, JOB_GONE } from "../src/clusters/ending.ts";
import type { Condition, ContainerView, JobView, PodView } from "../src/clusters/observation.ts";
import { findObstacle, type Patience } from "../src/clusters/obstacle.ts";
import { SETTINGS } from "../src/settings.ts";

const SAID = "<what the cluster says>";
const CONTAINER = "<name>";

const JOB: JobView = {
  name: "<job>",
  namespace: "<namespace>",
  uid: "",
  operation: "",
  attempt: 1,
  database: "",
  orchestrator: "",
  createdAt: undefined,
  deleting: false,
  suspended: false,
  conditions: [],
};

const container = (facts: Partial<ContainerView> = {}): ContainerView => ({
  name: CONTAINER,
  image: "<image>",
  waiting: undefined,
  startedAt: undefined,
  terminated: undefined,
  ...facts,
});

const pod = (facts: Partial<PodView> = {}): PodView => ({
  name: "<pod>",
  namespace: "<namespace>",
  uid: "",
  job: "<job>",
  operation: "",
  database: "",
  createdAt: undefined,
  deleting: false,
  phase: "Pending",
  reason: "",
  message: "",
  conditions: [],
  initContainers: [],
  containers: [container()],
  ...facts,
});

const condition = (facts: Partial<Condition>): Condition => ({
  type: "Failed",
  status: "True",
  reason: "",
  message: SAID,
  at: undefined,
  ...facts,
});

const waiting = (reason: string, message = SAID): PodView =>
  pod({ containers: [container({ waiting: { reason, message } })] });

const unscheduled = (message: string): PodView =>
  pod({ conditions: [condition({ type: "PodScheduled", status: "False", reason: "Unschedulable", message })] });

const ended = (exitCode: number, reason = "Error", message = ""): ContainerView =>
  container({ startedAt: "<time>", terminated: { exitCode, signal: undefined, reason, message } });

const HELD_UP: readonly { job?: Partial<JobView>; pods: readonly PodView[] }[] = [
  { job: { suspended: true }, pods: [] },
  { pods: [] },
  { pods: [unscheduled("<what the scheduler says>")] },
  { pods: [pod({ conditions: [condition({ type: "PodScheduled" })] })] },
  { pods: [waiting("ImagePullBackOff")] },
  { pods: [waiting("ErrImagePull", "<what the registry says> (429 Too Many Requests)")] },
  { pods: [waiting("InvalidImageName")] },
  { pods: [waiting("CreateContainerConfigError")] },
  { pods: [waiting("CreateContainerError")] },
  { pods: [waiting("CrashLoopBackOff")] },
];

/** Of each obstacle: reason, how long it may last, message, remedy. */
export function obstacles(): string[][] {
  return HELD_UP.map(({ job, pods }) => {
    const found = findObstacle({ ...JOB, ...job }, pods);
    if (found === undefined) throw new Error("docs/reasons.ts: a world that should hold up a Job does not.");
    return [`\`${found.reason}\``, LIMITS[found.patience], found.message, found.remedy];
  });
}

const LIMITS = {
  none: "not at all",
  short: `\`${SETTINGS.imageGraceSeconds.env}\``,
  pending: `\`${SETTINGS.pendingTimeoutSeconds.env}\``,
  endless: "without end",
} satisfies Record<Patience, string>;

const failedBy = (...containers: ContainerView[]): PodView => pod({ phase: "Failed", containers });
const interruptedBy = (reason: string): PodView => pod({ phase: "Failed", reason, message: SAID });
const FAILED = condition({ reason: "BackoffLimitExceeded" });

const ENDED: readonly Ending[] = [
  explainFailure(FAILED, [failedBy(ended(1))]),
  explainFailure(FAILED, [failedBy(ended(137))]),
  explainFailure(FAILED, [failedBy(ended(137, "OOMKilled"))]),
  explainFailure(FAILED, [failedBy(ended(128, "StartError", SAID))]),
  explainFailure(FAILED, [pod({ phase: "Failed", initContainers: [ended(1)] })]),
  explainFailure(condition({ reason: "DeadlineExceeded" }), []),
  ...["Evicted", "Preempting", "NodeLost", "NodeShutdown", "Terminated"].map((reason) =>
    explainFailure(FAILED, [interruptedBy(reason)]),
  ),
  explainFailure(FAILED, [pod({ phase: "Failed", conditions: [condition({ type: "DisruptionTarget" })] })]),
  explainMissingResult([failedBy(ended(0, "Completed"))]),
  JOB_GONE,
];

/** Of each ending: reason, message, remedy. */
export const endings = (): string[][] => ENDED.map(({ reason, message, remedy }) => [`\`${reason}\``, message, remedy]);
