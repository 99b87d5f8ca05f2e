// What holds a live Job up, in plain words, from what is observed of it and its Pods.
// Pure: data in, verdict out. Knows Kubernetes' words for states; nothing of operations, times or settings.
import { type ContainerView, isScheduled, type JobView, newest, type PodView } from "./observation.ts";

/** How long an obstacle may last: not at all, the image grace, the pending timeout, or as long as it likes. */
export type Patience = "none" | "short" | "pending" | "endless";

export type Obstacle = {
  readonly reason: string;
  readonly message: string;
  readonly remedy: string;
  readonly patience: Patience;
  /** For so long after the Job's creation it is nothing out of the ordinary (ms). */
  readonly ordinaryMs: number;
};

/** Kubernetes needs a moment to make a Pod, and a node some time to pull an image and to mount volumes (ms). */
const ORDINARY = { withoutPod: 3_000, starting: 30_000 };

/** What keeps a live Job from running; undefined when nothing does. */
export function findObstacle(job: JobView, pods: readonly PodView[]): Obstacle | undefined {
  if (job.suspended) {
    return {
      reason: "Suspended",
      message: "The Job is suspended: it waits to be admitted by a queue or by a person.",
      remedy: "Admit it (spec.suspend: false), or look at the queue that holds it.",
      patience: "endless",
      ordinaryMs: 0,
    };
  }
  const pod = newest(pods.filter((candidate) => !candidate.deleting));
  if (pod === undefined) {
    return {
      reason: "NoPod",
      message: "Kubernetes has not made a Pod for the Job yet.",
      remedy: "`kubectl describe job` tells why: often a quota, an admission webhook or a missing service account.",
      patience: "pending",
      ordinaryMs: ORDINARY.withoutPod,
    };
  }
  if (pod.phase !== "Pending" && pod.phase !== "Running") return undefined;
  return waitingContainer(pod) ?? unscheduled(pod) ?? notStarted(pod);
}

/** A node took the Pod, but nothing of it runs yet: neither a container nor one that prepares for it. */
function notStarted(pod: PodView): Obstacle | undefined {
  const begun = [...pod.initContainers, ...pod.containers].some(({ startedAt }) => startedAt !== undefined);
  if (begun || pod.phase !== "Pending" || !isScheduled(pod)) return undefined;
  return {
    reason: "NotStarted",
    message:
      "A node has taken the Pod, but none of its containers has started: it pulls the image, or mounts a volume.",
    remedy:
      "`kubectl describe pod` tells which: a large image takes its time, a volume that is missing waits for ever.",
    patience: "pending",
    ordinaryMs: ORDINARY.starting,
  };
}

function waitingContainer(pod: PodView): Obstacle | undefined {
  for (const container of [...pod.initContainers, ...pod.containers]) {
    const obstacle = container.waiting && describeWaiting(container, container.waiting);
    if (obstacle) return obstacle;
  }
  return undefined;
}

const IMAGE_REASONS = new Set([
  "ErrImagePull",
  "ImagePullBackOff",
  "ErrImageNeverPull",
  "ImageInspectError",
  "RegistryUnavailable",
  "SignatureValidationFailed",
]);

function describeWaiting(container: ContainerView, waiting: { reason: string; message: string }): Obstacle | undefined {
  const detail = waiting.message === "" ? waiting.reason : waiting.message;
  const named = `container "${container.name}"`;
  if (IMAGE_REASONS.has(waiting.reason)) return imageObstacle(container, detail);
  switch (waiting.reason) {
    case "InvalidImageName":
      return {
        reason: "InvalidImageName",
        message: `The image name "${container.image}" of ${named} is not valid: ${detail}`,
        remedy: "Correct the image in the Job template or in the orchestrator's config.",
        patience: "none",
        ordinaryMs: 0,
      };
    case "CreateContainerConfigError":
    case "CreateContainerError":
      return {
        reason: waiting.reason,
        message: `The ${named} cannot be created: ${detail}`,
        remedy: "Create the Secret or ConfigMap that the template refers to, or correct the reference.",
        patience: "short",
        ordinaryMs: 0,
      };
    case "CrashLoopBackOff":
      return {
        reason: "CrashLoopBackOff",
        message: `The ${named} ends again and again; Kubernetes waits before it starts it once more.`,
        remedy: "Use restartPolicy: Never in the template: a FiftyOne worker runs an operation only once.",
        patience: "pending",
        ordinaryMs: 0,
      };
    default:
      return undefined;
  }
}

function imageObstacle(container: ContainerView, detail: string): Obstacle {
  const overloaded = /\b429\b|toomanyrequests|too many requests|pull QPS exceeded/i.test(detail);
  const message = `The image "${container.image}" of container "${container.name}" cannot be pulled: ${detail}`;
  return overloaded
    ? {
        reason: "RegistryOverloaded",
        message,
        remedy: "Not your fault: the registry asks to slow down, and Kubernetes tries again.",
        patience: "pending",
        ordinaryMs: 0,
      }
    : {
        reason: "ImagePullFailed",
        message,
        remedy:
          "Check the image's name and tag, that it was pushed, and that the cluster may pull it (imagePullSecrets).",
        patience: "short",
        ordinaryMs: 0,
      };
}

function unscheduled(pod: PodView): Obstacle | undefined {
  const condition = pod.conditions.find(({ type, status }) => type === "PodScheduled" && status === "False");
  if (condition === undefined || isScheduled(pod)) return undefined;
  return {
    reason: "Unschedulable",
    message: `No node of the cluster can take the Pod: ${condition.message || condition.reason}`,
    remedy: schedulingRemedy(condition.message),
    patience: "pending",
    ordinaryMs: 0,
  };
}

function schedulingRemedy(message: string): string {
  const remedies: string[] = [];
  if (/Insufficient/.test(message)) remedies.push("ask for less in resources.requests, or add nodes that have it");
  if (/taint/.test(message)) remedies.push("add a toleration for the named taint to the template");
  if (/affinity|selector/.test(message)) remedies.push("correct nodeSelector or affinity, or label a node");
  if (/volume|persistentvolumeclaim/i.test(message))
    remedies.push("check the PersistentVolumeClaims that the template mounts");
  const text = remedies.length === 0 ? "look at the cluster's nodes and their room" : remedies.join("; ");
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
