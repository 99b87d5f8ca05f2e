// What becomes of an operation's Job less often than what plights.ts has, or only on other clusters than ours. Pure data.
import { ends, type Plight, PULL, plight, taken, waiting } from "./plights.ts";

/** Nobody makes a Pod for such a Job here: its status is another controller's, as with MultiKueue. */
export const ELSEWHERE = { job: { managedBy: "plane.test/elsewhere" } };
/** A port that a Pod of the cluster's holds on each node. */
export const HOLDS_PORT = { ports: [{ containerPort: 7_777, hostPort: 7_777 }] };
/** So that only what is meant keeps a node from taking the Pod. */
export const ANYWHERE = { tolerations: [{ operator: "Exists" }] };

export const RARE = new Map<string, Plight>([
  [
    "a node that makes room for a Pod of its own",
    plight(
      taken("Preempting", "Preempted in order to admit critical pod"),
      "cluster",
      "Preempting",
      /room for one of higher/,
    ),
  ],
  ["a node that is lost", plight(taken("NodeLost", "Node unresponsive"), "cluster", "NodeLost", /node was lost/)],
  [
    "a node that is shut down",
    plight(taken("NodeShutdown", "Pod was terminated"), "cluster", "NodeShutdown", /node was shut down/),
  ],
  [
    "a Pod that fails for a reason that nobody knows",
    plight({ annotations: { "plane/rejected": "Whatever" } }, "cluster", "BackoffLimitExceeded", /Kubernetes reports/),
  ],
  [
    "a process over its memory, and a worker that ends with success all the same",
    plight(ends(0, "OOMKilled"), "operation", "OOMKilled", /A process of the container "worker" used more memory/),
  ],

  [
    "an image for other processors",
    plight(
      waiting("ErrImagePull", `${PULL}: no match for platform in manifest: not found`),
      "template",
      "ImagePullFailed",
      /processor architecture/,
    ),
  ],
  [
    "an image whose trouble is not told any more",
    plight(
      waiting("ImagePullBackOff", 'Back-off pulling image "test/worker:1"'),
      "template",
      "ImagePullFailed",
      /kubectl describe pod/,
    ),
  ],
  [
    "settings that a node does not take",
    plight(
      waiting("CreateContainerConfigError", "container has runAsNonRoot and image will run as root"),
      "template",
      "CreateContainerConfigError",
      /runAsNonRoot.*\nWhat to do: Correct the container's settings/,
    ),
  ],
  [
    "an image without a command",
    plight(
      waiting("CreateContainerError", "failed to generate container spec: no command specified"),
      "template",
      "CreateContainerError",
      /Set a command in the template/,
    ),
  ],
  [
    "a worker that ends again and again",
    plight(
      waiting("CrashLoopBackOff", "back-off 5m0s restarting failed container"),
      "template",
      "CrashLoopBackOff",
      /ends again and again/,
    ),
  ],
  [
    "a reason to wait that nobody knows",
    plight(waiting("Whatever", "something new"), "cluster", "ContainerWaiting", /waits \(Whatever\): something new/),
  ],
  [
    "a port that is taken on each node",
    plight({ pod: ANYWHERE, container: HOLDS_PORT }, "cluster", "Unschedulable", /free ports.*\nWhat to do: Look at/),
  ],
  [
    "a webhook that breaks the Pod",
    plight({ labels: { webhook: "breaks" } }, "cluster", "PodCreateFailed", /cannot make a Pod/),
  ],
]);
