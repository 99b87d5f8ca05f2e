// What is kept of a Job and of a Pod: only the fields that opjob judges by, so that memory stays small.
// Pure: objects of the Kubernetes API in, small views out.

export const LABELS = {
  operation: "opjob/operation",
  /** In the place of the operation's, on Jobs that report an orchestrator's operators: no watch shows them. */
  registration: "opjob/registration",
  orchestrator: "opjob/orchestrator",
  attempt: "opjob/attempt",
  managedBy: "app.kubernetes.io/managed-by",
} as const;

export type Condition = {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly at: string | undefined;
};

export type JobView = {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly operation: string;
  readonly attempt: number;
  readonly database: string;
  /** Of whose operation it is; empty where an older opjob made the Job. */
  readonly orchestrator: string;
  /** Which queueing of its operation it was made for, by `queueingOf`; undefined where an older opjob made the Job. */
  readonly queueing: string | undefined;
  readonly createdAt: string | undefined;
  readonly deleting: boolean;
  readonly suspended: boolean;
  /** Kubernetes deletes it by itself some time after its end. */
  readonly tidied: boolean;
  /** The Kueue queue that admits it, if any. */
  readonly queue: string | undefined;
  readonly conditions: readonly Condition[];
};

export type ContainerView = {
  readonly name: string;
  readonly image: string;
  /** A native sidecar: an init container that runs beside the others, and whose own end means nothing. */
  readonly sidecar: boolean;
  readonly running: boolean;
  /** `terminated` tells of the run before the present one. */
  readonly restarted: boolean;
  readonly waiting: { readonly reason: string; readonly message: string } | undefined;
  readonly startedAt: string | undefined;
  readonly terminated:
    | {
        readonly exitCode: number;
        readonly signal: number | undefined;
        readonly reason: string;
        readonly message: string;
        readonly finishedAt: string | undefined;
      }
    | undefined;
};

export type PodView = {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly job: string;
  /** uid of the Job that made it; empty where nothing tells it. */
  readonly jobUid: string;
  readonly operation: string;
  readonly database: string;
  readonly createdAt: string | undefined;
  readonly deleting: boolean;
  /** It does not exist any more; this is how it was last seen. */
  readonly gone: boolean;
  /** Its containers are started again when they end. */
  readonly restarts: boolean;
  readonly phase: string;
  readonly reason: string;
  readonly message: string;
  readonly conditions: readonly Condition[];
  readonly initContainers: readonly ContainerView[];
  readonly containers: readonly ContainerView[];
};

type Raw = Readonly<Record<string, unknown>>;

const isRaw = (value: unknown): value is Raw => typeof value === "object" && value !== null;
const object = (value: unknown): Raw => (isRaw(value) ? value : {});
const list = (value: unknown): Raw[] => (Array.isArray(value) ? value.filter(isRaw) : []);
const text = (value: unknown): string => (typeof value === "string" ? value : "");
const maybe = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

/** A container that never ran is said to have started in 1970. */
const time = (value: unknown): string | undefined =>
  typeof value === "string" && !value.startsWith("1970-") ? value : undefined;

/** Annotation with the fingerprint of the database whose operation a Job serves: others' Jobs are never deleted. */
export const DATABASE_ANNOTATION = "opjob/database";
/** Its label of the same name holds only what fits into a label. */
export const ORCHESTRATOR_ANNOTATION = "opjob/orchestrator";
/** Tells a Job that was made for an earlier queueing: its worker may be at work on that one. */
export const QUEUED_ANNOTATION = "opjob/queued-at";
/** Its value: when the operation was queued (ISO 8601); empty where its document does not say. */
export const queueingOf = (queuedAt: Date | null): string => queuedAt?.toISOString() ?? "";

export function viewJob(job: Raw): JobView {
  const metadata = object(job["metadata"]);
  const labels = object(metadata["labels"]);
  return {
    name: text(metadata["name"]),
    namespace: text(metadata["namespace"]),
    uid: text(metadata["uid"]),
    operation: text(labels[LABELS.operation]),
    attempt: Number(labels[LABELS.attempt] ?? 1),
    database: text(object(metadata["annotations"])[DATABASE_ANNOTATION]),
    orchestrator: text(object(metadata["annotations"])[ORCHESTRATOR_ANNOTATION]),
    queueing: maybe(object(metadata["annotations"])[QUEUED_ANNOTATION]),
    createdAt: maybe(metadata["creationTimestamp"]),
    deleting: metadata["deletionTimestamp"] !== undefined,
    suspended: object(job["spec"])["suspend"] === true,
    tidied: typeof object(job["spec"])["ttlSecondsAfterFinished"] === "number",
    queue: maybe(labels["kueue.x-k8s.io/queue-name"]),
    conditions: viewConditions(object(job["status"])["conditions"]),
  };
}

export function viewPod(pod: Raw): PodView {
  const metadata = object(pod["metadata"]);
  const labels = object(metadata["labels"]);
  const status = object(pod["status"]);
  const spec = object(pod["spec"]);
  const sidecars = new Set(
    list(spec["initContainers"])
      .filter((container) => container["restartPolicy"] === "Always")
      .map((container) => container["name"]),
  );
  return {
    name: text(metadata["name"]),
    namespace: text(metadata["namespace"]),
    uid: text(metadata["uid"]),
    job: text(labels["batch.kubernetes.io/job-name"]) || text(labels["job-name"]),
    jobUid: text(labels["batch.kubernetes.io/controller-uid"]) || text(labels["controller-uid"]),
    operation: text(labels[LABELS.operation]),
    database: text(object(metadata["annotations"])[DATABASE_ANNOTATION]),
    createdAt: maybe(metadata["creationTimestamp"]),
    deleting: metadata["deletionTimestamp"] !== undefined,
    gone: false,
    restarts: spec["restartPolicy"] !== "Never",
    phase: text(status["phase"]),
    reason: text(status["reason"]),
    message: text(status["message"]),
    conditions: viewConditions(status["conditions"]),
    initContainers: list(status["initContainerStatuses"]).map((one) => viewContainer(one, sidecars)),
    containers: list(status["containerStatuses"]).map((one) => viewContainer(one, NONE)),
  };
}

function viewConditions(conditions: unknown): Condition[] {
  return list(conditions).map((condition) => ({
    type: text(condition["type"]),
    status: text(condition["status"]),
    reason: text(condition["reason"]),
    message: text(condition["message"]),
    at: maybe(condition["lastTransitionTime"]),
  }));
}

const NONE: ReadonlySet<unknown> = new Set();

function viewContainer(status: Raw, sidecars: ReadonlySet<unknown>): ContainerView {
  const state = object(status["state"]);
  const waiting = state["waiting"];
  // A container that is restarted tells of its last end in lastState only.
  const terminated = state["terminated"] ?? object(status["lastState"])["terminated"];
  return {
    name: text(status["name"]),
    image: text(status["image"]),
    sidecar: sidecars.has(status["name"]),
    running: isRaw(state["running"]),
    restarted: isRaw(terminated) && !isRaw(state["terminated"]),
    waiting: isRaw(waiting) ? { reason: text(waiting["reason"]), message: text(waiting["message"]) } : undefined,
    startedAt: time(object(state["running"])["startedAt"]) ?? time(object(terminated)["startedAt"]),
    terminated: isRaw(terminated)
      ? {
          exitCode: Number(terminated["exitCode"] ?? 0),
          signal: typeof terminated["signal"] === "number" ? terminated["signal"] : undefined,
          reason: text(terminated["reason"]),
          message: text(terminated["message"]),
          finishedAt: time(terminated["finishedAt"]),
        }
      : undefined,
  };
}

const holds = (conditions: readonly Condition[], type: string): Condition | undefined =>
  conditions.find((condition) => condition.type === type && condition.status === "True");

/** The end that is decided for a Job whose Pods have yet to go. */
export const failureTarget = (job: JobView): Condition | undefined => holds(job.conditions, "FailureTarget");

/** Why the cluster takes a Pod away, if it does. */
export const disruption = (pod: PodView): Condition | undefined => holds(pod.conditions, "DisruptionTarget");

/** How a Job ended by its conditions, never by its counters; undefined while it lives. */
export function jobEnd(
  job: JobView,
): { readonly outcome: "complete" | "failed"; readonly condition: Condition } | undefined {
  const complete = holds(job.conditions, "Complete");
  if (complete) return { outcome: "complete", condition: complete };
  const failed = holds(job.conditions, "Failed");
  return failed ? { outcome: "failed", condition: failed } : undefined;
}

export const isScheduled = (pod: PodView): boolean => holds(pod.conditions, "PodScheduled") !== undefined;

/** No node has room for the Pod now, or none ever will. */
export const isUnschedulable = (pod: PodView): boolean =>
  pod.conditions.some(
    ({ type, status, reason }) => type === "PodScheduled" && status === "False" && reason === "Unschedulable",
  );

/** Kubernetes makes a new Pod for each retry of a Job. */
export const inOrder = (pods: readonly PodView[]): PodView[] =>
  pods.toSorted((a, b) => (a.createdAt ?? "").localeCompare(b.createdAt ?? ""));

/** The Pod that tells the present. */
export const newest = (pods: readonly PodView[]): PodView | undefined => inOrder(pods).at(-1);

/** Whether a main container of a Pod has begun to run. */
export const hasBegun = ({ containers }: PodView): boolean =>
  containers.some(
    ({ running, startedAt, terminated }) =>
      running || startedAt !== undefined || (terminated !== undefined && !neverStarted(terminated)),
  );

/** The runtime could not start it: its end is no worker's. */
export const neverStarted = ({ reason }: NonNullable<ContainerView["terminated"]>): boolean =>
  reason === "StartError" || reason === "ContainerCannotRun";
