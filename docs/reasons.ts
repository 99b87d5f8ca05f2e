// The reasons that opjob reads from a cluster, told by the very functions that find them, each in a made-up world.
// Knows which states of the world there are; none of the words: those come from src/clusters.
import { explainAbsence, explainFailure, explainMissingResult } from "../src/clusters/ending.ts";
import type { EndedId, Ending } from "../src/clusters/ending-reasons.ts";
import type { EventView } from "../src/clusters/events.ts";
import type { Condition, ContainerView, JobView, PodView } from "../src/clusters/observation.ts";
import { findObstacle } from "../src/clusters/obstacle.ts";
import { LONG, type Patience } from "../src/clusters/reasons.ts";
import { isRetried } from "../src/clusters/retried.ts";
import type { WaitingId } from "../src/clusters/waiting-reasons.ts";
import { explainOvertaken, explainStranded } from "../src/operations/withdrawn.ts";
import { SETTINGS } from "../src/settings.ts";

const SAID = "<what the cluster says>";

const JOB: JobView = {
  name: "<job>",
  namespace: "<namespace>",
  uid: "",
  operation: "",
  attempt: 1,
  database: "",
  orchestrator: "",
  queueing: undefined,
  createdAt: undefined,
  deleting: false,
  suspended: false,
  tidied: false,
  queue: undefined,
  conditions: [],
};

const container = (facts: Partial<ContainerView> = {}): ContainerView => ({
  name: "<name>",
  image: "<image>",
  sidecar: false,
  running: false,
  restarted: false,
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
  jobUid: "",
  operation: "",
  database: "",
  createdAt: undefined,
  deleting: false,
  gone: false,
  restarts: false,
  phase: "Pending",
  reason: "",
  message: "",
  conditions: [],
  initContainers: [],
  containers: [container()],
  ...facts,
});

const condition = (type: string, reason: string, message = SAID, status = "True"): Condition => ({
  type,
  status,
  reason,
  message,
  at: undefined,
});

type World = { readonly job?: Partial<JobView>; readonly pods?: readonly PodView[]; readonly events?: EventView[] };

const waits = (reason: string, message = SAID): World => ({
  pods: [pod({ containers: [container({ waiting: { reason, message } })] })],
});
const onNode = (reason: string, message = SAID): World => ({
  pods: [pod({ conditions: [condition("PodScheduled", "")] })],
  events: [{ kind: "Pod", uid: "", reason, message }],
});
const unscheduled = (message: string, reason = "Unschedulable"): World => ({
  pods: [pod({ conditions: [condition("PodScheduled", reason, message, "False")] })],
});
const refused = (message: string): World => ({ events: [{ kind: "Job", uid: "", reason: "FailedCreate", message }] });

const WAITING_WORLDS: Record<WaitingId, World> = {
  suspended: { job: { suspended: true } },
  queued: { job: { suspended: true, queue: "<queue>" } },
  gated: unscheduled(SAID, "SchedulingGated"),
  deleting: { job: { deleting: true } },
  noPod: {},
  quotaFull: refused(
    "exceeded quota: <name>, requested: <what the Pod asks>, used: <what others have>, limited: <all>",
  ),
  quotaTooSmall: refused("exceeded quota: <name>, requested: cpu=8, used: cpu=0, limited: cpu=4"),
  resourcesUnset: refused("failed quota: <name>: must specify <requests and limits>"),
  webhookDenied: refused('admission webhook "<name>" denied the request: <why>'),
  webhookFailed: refused('failed calling webhook "<name>": <why>'),
  serviceAccountMissing: refused("error looking up service account <namespace>/<name>: not found"),
  podSecurity: refused('violates PodSecurity "<level>": <fields>'),
  podRefused: refused('pods "<job>" is forbidden: <why>'),
  podCreateFailed: refused(SAID),
  noRoom: unscheduled("<n> Insufficient <resource>"),
  tooLarge: unscheduled("<n> Insufficient <resource>, Preemption is not helpful for scheduling"),
  tainted: unscheduled("<n> node(s) had untolerated taint(s)"),
  noMatch: unscheduled("<n> node(s) didn't match Pod's node affinity/selector"),
  noVolume: unscheduled('persistentvolumeclaim "<name>" not found'),
  nodesAway: unscheduled("<n> node(s) had untolerated taint {node.kubernetes.io/not-ready: }"),
  unscheduled: unscheduled("<what the scheduler says>"),
  notStarted: onNode(""),
  pulling: onNode("Pulling"),
  volumeMissing: onNode("FailedMount", "<what is mounted> not found"),
  mountFailed: onNode("FailedMount"),
  sandboxFailed: onNode("FailedCreatePodSandBox"),
  imageName: waits("InvalidImageName"),
  imageMissing: waits("ErrImagePull", "<what the registry says>: not found"),
  imageDenied: waits("ErrImagePull", "<what the registry says>: denied"),
  imagePlatform: waits("ErrImagePull", "no match for platform in manifest"),
  registryAway: waits("ErrImagePull", "<which address>: connection refused"),
  registryBusy: waits("ErrImagePull", "<what the registry says>: 429 Too Many Requests"),
  imageBackOff: waits("ImagePullBackOff", 'Back-off pulling image "<image>"'),
  imageNeverPulled: waits("ErrImageNeverPull"),
  configMissing: waits("CreateContainerConfigError", '<Secret or ConfigMap> "<name>" not found'),
  configWrong: waits("CreateContainerConfigError"),
  createFailed: waits("CreateContainerError"),
  commandMissing: waits("CreateContainerError", "no command specified"),
  runFailed: waits("RunContainerError"),
  crashLoop: waits("CrashLoopBackOff"),
  otherWait: waits("<Kubernetes' reason>"),
};

const again = (verdict: Parameters<typeof isRetried>[0]): string => (isRetried(verdict, false) ? "yes" : "");

/** Of each obstacle: reason, whose fault, how long it may last, whether it is tried again, message, remedy. */
export function obstacles(): string[][] {
  return Object.entries(WAITING_WORLDS).map(([row, { job, pods = [], events }]) => {
    const found = findObstacle({ job: { ...JOB, ...job }, pods, events });
    if (found?.row !== row) throw new Error(`docs/reasons.ts: the world of ${row} gives ${found?.row}.`);
    return [`\`${found.reason}\``, found.fault, limitOf(found.patience), again(found), found.message, found.remedy];
  });
}

const { imageGraceSeconds: image, pendingTimeoutSeconds: pending } = SETTINGS;

function limitOf(patience: Patience): string {
  const limits = {
    none: "not at all",
    short: `\`${image.env}\` (${image.default} s)`,
    long: `${LONG} × \`${image.env}\` (${image.default * LONG} s)`,
    pending: `\`${pending.env}\` (${pending.default} s)`,
    endless: "without end",
  } satisfies Record<Patience, string>;
  return limits[patience];
}

const FAILED = condition("Failed", "BackoffLimitExceeded");
const LATE = condition("Failed", "DeadlineExceeded");
const seen = ({ job, pods = [], events }: World) => ({ job: { ...JOB, ...job }, pods, events });
const failure = (facts: Partial<PodView>): Ending =>
  explainFailure(FAILED, seen({ pods: [pod({ phase: "Failed", ...facts })] }));
const ended = (exitCode: number, reason = "Error"): ContainerView =>
  container({
    startedAt: "<time>",
    terminated: { exitCode, signal: undefined, reason, message: SAID, finishedAt: undefined },
  });
const byContainer = (exitCode: number, reason?: string): Ending => failure({ containers: [ended(exitCode, reason)] });
const byStatus = (reason: string, message = SAID): Ending => failure({ reason, message });
const byCondition = (reason: string): Ending => failure({ conditions: [condition("DisruptionTarget", reason)] });

const ENDINGS: Record<EndedId, Ending> = {
  workerFailed: byContainer(1),
  workerCrashed: byContainer(139),
  workerKilled: byContainer(137),
  outOfMemory: byContainer(137, "OOMKilled"),
  startError: byContainer(128, "StartError"),
  initFailed: failure({ initContainers: [ended(1)] }),
  containerLost: byContainer(137, "ContainerStatusUnknown"),
  noResult: explainMissingResult({ pods: [pod({ phase: "Succeeded", containers: [ended(0, "Completed")] })] }),
  deadline: explainFailure(LATE, seen({})),
  notInTime: explainFailure(LATE, seen(unscheduled("<what the scheduler says>"))),
  evicted: byStatus("Evicted"),
  diskLimit: byStatus("Evicted", "<who> exceeded its local ephemeral storage limit <limit>"),
  preempted: byCondition("PreemptionByScheduler"),
  preemptedByNode: byStatus("Preempting"),
  drained: byCondition("EvictionByEvictionAPI"),
  tainted: byCondition("DeletionByTaintManager"),
  nodeGone: byCondition("DeletionByPodGC"),
  nodeLost: byStatus("NodeLost"),
  nodeShutdown: byStatus("NodeShutdown"),
  nodeTerminated: byStatus("Terminated"),
  rejected: byStatus("OutOf<resource>"),
  disrupted: byCondition("<Kubernetes' reason>"),
  podDeleted: failure({ deleting: true, containers: [container({ running: true, startedAt: "<time>" })] }),
  podGone: explainFailure(FAILED, seen({ events: [] })),
  jobGone: explainAbsence([], [], undefined),
  policy: explainFailure(condition("Failed", "PodFailurePolicy"), seen({ events: [] })),
  other: failure({}),
};

/** Of each ending: reason, whose fault, whether it is tried again, message, remedy. */
export function endings(): string[][] {
  const all = { ...ENDINGS, overtaken: explainOvertaken(), stranded: explainStranded("<why its Job was taken back>") };
  return Object.entries(all).map(([row, ending]) => {
    if (ending.row !== row) throw new Error(`docs/reasons.ts: the world of ${row} gives ${ending.row}.`);
    const reason = row === "other" ? "Kubernetes' own" : `\`${ending.reason}\``;
    return [reason, ending.fault, again(ending), ending.message, ending.remedy];
  });
}
