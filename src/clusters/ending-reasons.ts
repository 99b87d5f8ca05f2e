// The table of reasons for which a Job ended without its operation's result: its rows, one for each state of the world.
// Pure data. A reason may have several rows, where whose fault it is, or what to do, is not always the same.
import type { Asked, LogPlace, Row, Verdict } from "./reasons.ts";

const AGAIN = "Run the operation again";

export const ENDED = {
  workerFailed: {
    reason: "WorkerFailed",
    fault: "operation",
    remedy: "The last log lines tell more; correct what they name and run the operation again.",
  },
  workerCrashed: {
    reason: "WorkerKilled",
    fault: "operation",
    remedy: "The program crashed: the last log lines tell more. Correct it and run the operation again.",
  },
  workerKilled: {
    reason: "WorkerKilled",
    fault: "cluster",
    remedy: `${AGAIN}. Something outside of the container ended it: often a node that ran out of memory.`,
  },
  outOfMemory: {
    reason: "OOMKilled",
    fault: "operation",
    remedy: "Raise resources.limits.memory in the template, or give the operation less to do at once.",
  },
  startError: {
    reason: "StartError",
    fault: "template",
    remedy: "Check that the image holds the command that the template runs ({{ _command }}).",
  },
  initFailed: {
    reason: "InitContainerFailed",
    fault: "template",
    remedy: "The worker never began. The last log lines of the init container tell more; correct it in the template.",
  },
  containerLost: {
    reason: "ContainerLost",
    fault: "cluster",
    remedy: `${AGAIN}; look at the node's health: it lost track of the container.`,
  },
  noResult: {
    reason: "NoResult",
    fault: "template",
    remedy:
      "Check that the template runs {{ _command }} with {{ _args }}, and that its FIFTYONE_DATABASE_URI and FIFTYONE_DATABASE_NAME are this database's.",
  },

  deadline: {
    reason: "DeadlineExceeded",
    fault: "operation",
    remedy: "Raise activeDeadlineSeconds in the template, or give the operation less to do at once.",
  },
  notInTime: {
    reason: "DeadlineExceeded",
    fault: "cluster",
    remedy:
      "Raise activeDeadlineSeconds in the template: it counts from the Job's beginning, also while its Pod waits.",
  },

  evicted: {
    reason: "Evicted",
    fault: "cluster",
    remedy:
      "Give the container requests that it really needs (memory, ephemeral-storage), so that its node keeps room for it.",
  },
  diskLimit: {
    reason: "Evicted",
    fault: "operation",
    remedy: "Raise the named limit in the template, or let the operation write less to its local disk.",
  },
  preempted: {
    reason: "Preempted",
    fault: "cluster",
    remedy: `${AGAIN}, or give the template a higher priorityClassName.`,
  },
  preemptedByNode: {
    reason: "Preempting",
    fault: "cluster",
    remedy: `${AGAIN}, or give the template a higher priorityClassName.`,
  },
  drained: {
    reason: "Drained",
    fault: "cluster",
    remedy: `${AGAIN}. The template's annotation cluster-autoscaler.kubernetes.io/safe-to-evict: "false" keeps an autoscaler from it.`,
  },
  tainted: {
    reason: "NodeTainted",
    fault: "cluster",
    remedy: `${AGAIN}; look at the node's health: it was not reachable, or somebody tainted it.`,
  },
  nodeGone: { reason: "NodeGone", fault: "cluster", remedy: `${AGAIN}; the node was removed from the cluster.` },
  nodeLost: { reason: "NodeLost", fault: "cluster", remedy: `${AGAIN}; look at the node's health.` },
  nodeShutdown: { reason: "NodeShutdown", fault: "cluster", remedy: `${AGAIN}.` },
  nodeTerminated: { reason: "Terminated", fault: "cluster", remedy: `${AGAIN}.` },
  rejected: {
    reason: "RejectedByNode",
    fault: "cluster",
    remedy: `${AGAIN}; the node had changed between the scheduler's choice and the Pod's arrival.`,
  },
  disrupted: {
    reason: "Disrupted",
    fault: "cluster",
    remedy: `${AGAIN}; the cluster removed its Pod (preemption, drain or eviction).`,
  },
  podDeleted: {
    reason: "PodDeleted",
    fault: "cluster",
    remedy: `${AGAIN}; if nobody deleted the Pod on purpose, look for clean-up programs in the namespace.`,
  },
  podGone: {
    reason: "PodGone",
    fault: "cluster",
    remedy: "Look at the cluster's events; the Pod may have been deleted by a person or with its node.",
  },
  jobGone: {
    reason: "JobDeleted",
    fault: "cluster",
    remedy:
      "If nobody deleted it on purpose, look for clean-up programs in the namespace; then run the operation again.",
  },
  policy: {
    reason: "PodFailurePolicy",
    fault: "template",
    remedy: "Look at podFailurePolicy in the template, and at what it makes of the Pod's end.",
  },
  other: {
    reason: "JobFailed",
    fault: "cluster",
    remedy: "`kubectl describe job` and `kubectl describe pod` tell more, as long as they exist.",
  },
} as const satisfies Record<string, Row>;

export type EndedId = keyof typeof ENDED;

export type Ending = Verdict & {
  /** Whose last log lines tell more; undefined where no container ever ran. */
  readonly logs: LogPlace | undefined;
  /** Whose Events may tell more. */
  readonly ask?: Asked | undefined;
};

export const end = (row: EndedId, message: string, logs: LogPlace | undefined): Ending => ({
  ...ENDED[row],
  row,
  message,
  logs,
});
