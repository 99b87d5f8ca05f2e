// The table of reasons for which a live Job waits: its rows, one for each state of the world that needs other words.
// Pure data. A reason may have several rows, where whose fault it is, or what to do, is not always the same.
import type { Asked, LogPlace, Patience, Verdict, WaitingRow } from "./reasons.ts";

const TEMPLATE_AT_ONCE = { fault: "template", patience: "short" } as const;
const TEMPLATE_SOON = { fault: "template", patience: "long" } as const;
const CLUSTER_LATER = { fault: "cluster", patience: "pending" } as const;
const ITS_TURN = { fault: "cluster", patience: "endless" } as const;
const ON_NODES = { reason: "Unschedulable", patience: "pending" } as const;
const ON_IMAGE = { reason: "ImagePullFailed", fault: "template", patience: "short" } as const;

export const WAITING = {
  suspended: {
    reason: "Suspended",
    ...ITS_TURN,
    remedy: "Admit it (spec.suspend: false), or look at the queue that holds it.",
  },
  queued: {
    reason: "Suspended",
    ...ITS_TURN,
    remedy:
      "Nothing to do: the queue admits it when it is its turn. Its Workload (`kubectl get workloads`) tells what it waits for.",
  },
  gated: {
    reason: "SchedulingGated",
    ...ITS_TURN,
    remedy: "Nothing to do if a queue holds it; else look at who set spec.schedulingGates.",
  },
  deleting: {
    reason: "JobDeleting",
    ...ITS_TURN,
    remedy:
      "Nothing to do: the operation fails when the Job is gone. If it stays, look at its finalizers and at its Pod's node.",
  },

  noPod: {
    reason: "NoPod",
    ...CLUSTER_LATER,
    remedy: "`kubectl describe job` tells why: often a quota, an admission webhook or a missing service account.",
  },
  quotaFull: {
    reason: "QuotaExceeded",
    ...ITS_TURN,
    remedy: "Nothing to do if other Pods end: Kubernetes tries again. Else have the ResourceQuota raised.",
  },
  quotaTooSmall: {
    reason: "QuotaTooSmall",
    ...TEMPLATE_SOON,
    remedy:
      "Ask for less in resources.requests and limits, or have the ResourceQuota raised: this one Pod is more than all of it.",
  },
  resourcesUnset: {
    reason: "ResourcesUnset",
    ...TEMPLATE_SOON,
    remedy:
      "Set the named requests and limits for every container of the template: the namespace's quota asks for them.",
  },
  webhookDenied: {
    reason: "WebhookDenied",
    ...TEMPLATE_SOON,
    remedy: "Change the template as the webhook's or policy's words say, or ask who runs it.",
  },
  webhookFailed: {
    reason: "WebhookFailed",
    ...CLUSTER_LATER,
    remedy: "Tell who runs the admission webhook: it does not answer. Kubernetes tries again.",
  },
  serviceAccountMissing: {
    reason: "ServiceAccountMissing",
    ...TEMPLATE_SOON,
    remedy: "Create the service account in the Job's namespace, or correct serviceAccountName in the template.",
  },
  podSecurity: {
    reason: "PodSecurityViolated",
    ...TEMPLATE_SOON,
    remedy:
      "Set the named securityContext fields in the template, or run the Jobs in a namespace with a laxer Pod Security level.",
  },
  podRefused: { reason: "PodRefused", ...TEMPLATE_SOON, remedy: "Change the template as the API server's words say." },
  podCreateFailed: {
    reason: "PodCreateFailed",
    ...CLUSTER_LATER,
    remedy: "Nothing to do if it passes: Kubernetes tries again. Else look at the API server's health.",
  },

  noRoom: {
    ...ON_NODES,
    fault: "cluster",
    remedy: "Wait until other Pods end, or add nodes; a longer wait is allowed by OPJOB_PENDING_TIMEOUT_SECONDS",
  },
  tooLarge: { ...ON_NODES, fault: "template", remedy: "Ask for less in resources.requests, or add nodes that have it" },
  tainted: {
    ...ON_NODES,
    fault: "template",
    remedy: "Add a toleration for the nodes' taint to the template (`kubectl describe nodes` names it)",
  },
  noMatch: { ...ON_NODES, fault: "template", remedy: "Correct nodeSelector or affinity, or label a node" },
  noVolume: { ...ON_NODES, fault: "template", remedy: "Check the PersistentVolumeClaims that the template mounts" },
  nodesAway: {
    ...ON_NODES,
    fault: "cluster",
    remedy: "Look at the nodes' health: those that would do are not ready, cordoned or under pressure",
  },
  unscheduled: { ...ON_NODES, fault: "cluster", remedy: "Look at the cluster's nodes and their room" },

  notStarted: {
    reason: "NotStarted",
    ...CLUSTER_LATER,
    remedy:
      "`kubectl describe pod` tells which: a large image takes its time, a volume that is missing waits for ever.",
  },
  pulling: {
    reason: "PullingImage",
    ...CLUSTER_LATER,
    remedy: "Nothing to do: a large image takes its time. A smaller one, or one that the nodes keep, starts sooner.",
  },
  volumeMissing: {
    reason: "MountFailed",
    ...TEMPLATE_SOON,
    remedy: "Create the Secret, ConfigMap or claim that the template mounts, or correct the reference.",
  },
  mountFailed: {
    reason: "MountFailed",
    ...CLUSTER_LATER,
    remedy: "Look at the volume: who else uses it, and whether its storage answers. Kubernetes tries again.",
  },
  sandboxFailed: {
    reason: "SandboxFailed",
    ...CLUSTER_LATER,
    remedy: "Look at the node: its container runtime or its network plugin fails. Kubernetes tries again.",
  },

  imageName: {
    reason: "InvalidImageName",
    fault: "template",
    patience: "none",
    remedy: "Correct the image in the Job template or in the orchestrator's config.",
  },
  imageMissing: {
    ...ON_IMAGE,
    remedy: "Check the image's name and tag, that it was pushed, and that the cluster may pull it (imagePullSecrets).",
  },
  imageDenied: {
    ...ON_IMAGE,
    remedy:
      "Let the cluster pull it (imagePullSecrets of the template or of its service account), and check the image's name.",
  },
  imagePlatform: {
    ...ON_IMAGE,
    remedy:
      "Push the image for the nodes' processor architecture, or select other nodes (nodeSelector: kubernetes.io/arch).",
  },
  registryAway: {
    reason: "ImagePullFailed",
    fault: "cluster",
    patience: "long",
    remedy:
      "Look at the registry and the way to it: it does not answer. If the registry's name is wrong, correct the image.",
  },
  registryBusy: {
    reason: "RegistryOverloaded",
    ...CLUSTER_LATER,
    remedy: "Not your fault: the registry asks to slow down, and Kubernetes tries again.",
  },
  imageBackOff: {
    reason: "ImagePullFailed",
    ...TEMPLATE_SOON,
    remedy: "`kubectl describe pod` tells why; check the image's name and tag, and that the cluster may pull it.",
  },
  imageNeverPulled: {
    reason: "ImageNeverPulled",
    ...TEMPLATE_AT_ONCE,
    remedy: "Change imagePullPolicy in the template to IfNotPresent, or load the image onto every node.",
  },

  configMissing: {
    reason: "CreateContainerConfigError",
    ...TEMPLATE_AT_ONCE,
    remedy: "Create the Secret or ConfigMap that the template refers to, or correct the reference.",
  },
  configWrong: {
    reason: "CreateContainerConfigError",
    ...TEMPLATE_AT_ONCE,
    remedy: "Correct the container's settings in the template as the node's words say.",
  },
  createFailed: {
    reason: "CreateContainerError",
    fault: "cluster",
    patience: "long",
    remedy: "Look at the node: its container runtime fails. Kubernetes tries again.",
  },
  commandMissing: {
    reason: "CreateContainerError",
    ...TEMPLATE_AT_ONCE,
    remedy: "Set a command in the template ({{ _command }}): the image has none of its own.",
  },
  runFailed: {
    reason: "RunContainerError",
    ...TEMPLATE_SOON,
    remedy: "Check that the image holds the command that the template runs ({{ _command }}), and what it mounts.",
  },
  crashLoop: {
    reason: "CrashLoopBackOff",
    fault: "template",
    patience: "pending",
    remedy: "Use restartPolicy: Never in the template: a FiftyOne worker runs an operation only once.",
  },
  otherWait: { reason: "ContainerWaiting", ...CLUSTER_LATER, remedy: "`kubectl describe pod` tells more." },
} as const satisfies Record<string, WaitingRow>;

export type WaitingId = keyof typeof WAITING;

/** What keeps a live Job from running. */
export type Obstacle = Verdict & {
  readonly patience: Patience;
  /** For so long after `from` it is nothing out of the ordinary (ms). */
  readonly ordinaryMs: number;
  /** When it began to count: a time of the cluster's; undefined: with the Job's creation. */
  readonly from: string | undefined;
  /** Whose Events may tell more, from so long after `from` on (ms). */
  readonly ask: (Asked & { readonly afterMs: number }) | undefined;
  /** It says less than these reasons: where one of them is on record, it says nothing new. */
  readonly lessThan: readonly string[];
  /** Whose last log lines tell more, where a container ran. */
  readonly logs: LogPlace | undefined;
};

const PLAIN = { ordinaryMs: 0, from: undefined, ask: undefined, lessThan: [], logs: undefined } as const;

export const met = (row: WaitingId, message: string, more: Partial<Obstacle> = {}): Obstacle => ({
  ...PLAIN,
  ...WAITING[row],
  row,
  message,
  ...more,
});
