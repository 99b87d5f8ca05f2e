// Why a Job ended without its operation's result, in plain words, from its condition and its Pods.
// Pure: data in, verdict out. Knows Kubernetes' words for states; nothing of operations, times or settings.
import { type Condition, type ContainerView, newest, type PodView } from "./observation.ts";

export type Ending = {
  readonly reason: string;
  readonly message: string;
  readonly remedy: string;
  /** Whose last log lines tell more; undefined where no container ever ran. */
  readonly logs: { readonly pod: string; readonly container: string } | undefined;
};

/** Why a Job ended as failed, by its condition and its newest Pod. */
export function explainFailure(condition: Condition, pods: readonly PodView[]): Ending {
  const pod = newest(pods);
  if (condition.reason === "DeadlineExceeded") return deadline(condition, pod);
  if (pod === undefined) {
    return {
      reason: condition.reason || "JobFailed",
      message: `Kubernetes reports: ${condition.message || "the Job failed"}; its Pod is gone.`,
      remedy: "Look at the cluster's events; the Pod may have been deleted by a person or with its node.",
      logs: undefined,
    };
  }
  return interrupted(pod) ?? badInit(pod) ?? badContainer(pod) ?? unexplained(condition, pod);
}

/** A Job that Kubernetes calls complete although no worker recorded a result. */
export function explainMissingResult(pods: readonly PodView[]): Ending {
  const pod = newest(pods);
  return {
    reason: "NoResult",
    message: "The Job ended with success, but no worker recorded a result for the operation.",
    remedy:
      "Check that the template runs {{ _command }} with {{ _args }}, and that its FIFTYONE_DATABASE_URI and FIFTYONE_DATABASE_NAME are this database's.",
    logs: logsOf(pod, pod?.containers[0]),
  };
}

/** A Job that is gone although its operation had not ended. */
export const JOB_GONE: Ending = {
  reason: "JobDeleted",
  message: "The Job was deleted before the operation had ended.",
  remedy: "If nobody deleted it on purpose, look for clean-up programs in the namespace; then run the operation again.",
  logs: undefined,
};

function deadline(condition: Condition, pod: PodView | undefined): Ending {
  return {
    reason: "DeadlineExceeded",
    message: `The Job ran longer than its activeDeadlineSeconds allows${condition.message ? ` (${condition.message})` : ""}.`,
    remedy: "Raise activeDeadlineSeconds in the template, or give the operation less to do at once.",
    logs: logsOf(pod, pod?.containers[0]),
  };
}

const INTERRUPTIONS: Record<string, { message: string; remedy: string }> = {
  Evicted: {
    message: "The Pod was evicted from its node",
    remedy:
      "Give the container requests that it really needs (memory, ephemeral-storage), so that its node keeps room for it.",
  },
  Preempting: {
    message: "The Pod had to make room for one of higher priority",
    remedy: "Run the operation again, or give the template a higher priorityClassName.",
  },
  NodeLost: { message: "The Pod's node was lost", remedy: "Run the operation again; look at the node's health." },
  NodeShutdown: { message: "The Pod's node was shut down", remedy: "Run the operation again." },
  Terminated: { message: "The Pod's node was shut down", remedy: "Run the operation again." },
  DeadlineExceeded: {
    message: "The Pod ran longer than its activeDeadlineSeconds allows",
    remedy: "Raise activeDeadlineSeconds in the template.",
  },
};

function interrupted(pod: PodView): Ending | undefined {
  const logs = logsOf(pod, pod.containers[0]);
  const known = INTERRUPTIONS[pod.reason];
  if (known) return { ...known, reason: pod.reason, message: sentence(known.message, pod.message), logs };
  const disruption = pod.conditions.find(({ type, status }) => type === "DisruptionTarget" && status === "True");
  if (disruption === undefined) return undefined;
  return {
    reason: "Disrupted",
    message: sentence("The Pod was removed by the cluster", disruption.message),
    remedy: "Run the operation again; the cluster removed its Pod (preemption, drain or eviction).",
    logs,
  };
}

const sentence = (what: string, detail: string): string => (detail === "" ? `${what}.` : `${what}: ${detail}`);

function badInit(pod: PodView): Ending | undefined {
  const container = pod.initContainers.find(({ terminated }) => terminated !== undefined && terminated.exitCode !== 0);
  // A sidecar is killed at the end of the Pod, with an exit code that means nothing: a worker that failed explains more.
  if (container === undefined || pod.containers.some(({ terminated }) => terminated !== undefined)) return undefined;
  return { ...exitOf(pod, container), reason: "InitContainerFailed" };
}

function badContainer(pod: PodView): Ending | undefined {
  const failed = pod.containers.filter(({ terminated }) => terminated !== undefined && terminated.exitCode !== 0);
  const container = failed.find(({ terminated }) => terminated?.reason === "OOMKilled") ?? failed[0];
  return container && exitOf(pod, container);
}

function exitOf(pod: PodView, container: ContainerView): Ending {
  const { exitCode = 0, reason = "" } = container.terminated ?? {};
  const logs = logsOf(pod, container);
  if (reason === "OOMKilled") {
    return {
      reason: "OOMKilled",
      message: `The container "${container.name}" used more memory than its limit and was killed (OOMKilled, exit code ${exitCode}).`,
      remedy: "Raise resources.limits.memory in the template, or give the operation less to do at once.",
      logs,
    };
  }
  if (reason === "StartError" || reason === "ContainerCannotRun") return notStarted(container);
  const signal = signalOf(container);
  const how =
    signal === undefined
      ? `ended with exit code ${exitCode}`
      : `was killed by signal ${signal} (exit code ${exitCode})`;
  return {
    reason: signal === undefined ? "WorkerFailed" : "WorkerKilled",
    message: `The container "${container.name}" ${how} before a result was recorded.`,
    remedy: "The last log lines tell more; correct what they name and run the operation again.",
    logs,
  };
}

function notStarted({ name, terminated }: ContainerView): Ending {
  return {
    reason: "StartError",
    message: `The container "${name}" could not be started: ${terminated?.message || `exit code ${terminated?.exitCode}`}`,
    remedy: "Check that the image holds the command that the template runs ({{ _command }}).",
    logs: undefined,
  };
}

/** Shells and runtimes report a signal as 128 + its number. */
function signalOf({ terminated }: ContainerView): number | undefined {
  if (terminated === undefined) return undefined;
  const { signal, exitCode } = terminated;
  return signal ?? (exitCode > 128 && exitCode < 160 ? exitCode - 128 : undefined);
}

function unexplained(condition: Condition, pod: PodView): Ending {
  return {
    reason: condition.reason || "JobFailed",
    message: `Kubernetes reports: ${condition.message || pod.message || "the Job failed"}.`,
    remedy: "`kubectl describe job` and `kubectl describe pod` tell more, as long as they exist.",
    logs: logsOf(pod, pod.containers[0]),
  };
}

const logsOf = (pod: PodView | undefined, container: ContainerView | undefined): Ending["logs"] =>
  pod === undefined || container?.startedAt === undefined ? undefined : { pod: pod.name, container: container.name };
