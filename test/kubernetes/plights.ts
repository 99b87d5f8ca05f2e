// What can become of an operation's Job on a real control plane by itself, and how its error names it. Pure data.
// What is done to a Pod that runs is in reasons-real.test.ts.
import type { Fault } from "../../src/clusters/reasons.ts";
import type { Fate } from "./stage.ts";

export type Plight = {
  readonly fate: Fate;
  readonly reason: string;
  readonly fault: Fault;
  readonly text: RegExp;
  /** Whether the worker's last lines are told. */
  readonly log?: boolean;
  readonly namespace?: string;
};

const HANG = { "plane/hang": "" };
export const waiting = (reason: string, message: string): Fate => ({
  annotations: { "plane/waiting": reason, "plane/waiting-message": message },
});
export const ends = (exitCode: number, reason: string, more: Record<string, string> = {}): Fate => ({
  annotations: { "plane/exit-code": String(exitCode), "plane/reason": reason, ...more },
});
export const taken = (reason: string, message: string): Fate =>
  ends(137, "Error", { "plane/pod-reason": reason, "plane/pod-message": message });
const wants = (resources: object): Fate => ({ container: { resources }, annotations: HANG });
export const PULL = 'failed to pull and unpack image "test/worker:1": failed to resolve reference "test/worker:1"';

export const plight = (fate: Fate, fault: Fault, reason: string, text: RegExp, more: Partial<Plight> = {}): Plight => ({
  fate,
  fault,
  reason,
  text,
  ...more,
});

export const UNHAPPY = new Map<string, Plight>([
  [
    "an exit code",
    plight(ends(3, "Error"), "operation", "WorkerFailed", /"worker" ended with exit code 3/, { log: true }),
  ],
  ["a crash", plight(ends(139, "Error"), "operation", "WorkerKilled", /killed by signal 11/, { log: true })],
  ["a kill from outside", plight(ends(137, "Error"), "cluster", "WorkerKilled", /killed by signal 9/, { log: true })],
  [
    "too much memory",
    plight(ends(137, "OOMKilled"), "operation", "OOMKilled", /more memory than its limit/, { log: true }),
  ],
  [
    "a child over its memory, and a parent that ends with 1",
    plight(ends(1, "OOMKilled"), "operation", "OOMKilled", /exit code 1/),
  ],
  ["success without a result", plight({}, "template", "NoResult", /no worker recorded a result/, { log: true })],
  [
    "a command that the image has not",
    plight(ends(128, "StartError"), "template", "StartError", /could not be started/),
  ],
  [
    "a container that its node lost track of",
    plight(ends(137, "ContainerStatusUnknown"), "cluster", "ContainerLost", /not there any more/),
  ],
  [
    "an init container that fails",
    plight(
      {
        annotations: { "plane/init-exit-code": "2" },
        pod: { initContainers: [{ name: "clone", image: "test/git:1" }] },
      },
      "template",
      "InitContainerFailed",
      /init container "clone" ended with exit code 2/,
    ),
  ],
  [
    "a restart, and the end of the run before",
    plight(
      { annotations: { ...HANG, "plane/restarted": "7", "plane/linger": "2s" }, pod: { restartPolicy: "OnFailure" } },
      "operation",
      "WorkerFailed",
      /"worker" ended with exit code 7/,
      { log: true },
    ),
  ],
  [
    "a policy that ends the Job",
    plight(
      {
        ...ends(42, "Error"),
        job: { podFailurePolicy: { rules: [{ action: "FailJob", onExitCodes: { operator: "In", values: [42] } }] } },
      },
      "operation",
      "WorkerFailed",
      /exit code 42/,
      { log: true },
    ),
  ],

  [
    "an eviction",
    plight(taken("Evicted", "The node was low on resource: memory. "), "cluster", "Evicted", /low on resource: memory/),
  ],
  [
    "an eviction for a limit of its own",
    plight(
      taken("Evicted", 'Container worker exceeded its local ephemeral storage limit "1Gi". '),
      "operation",
      "Evicted",
      /storage limit "1Gi"/,
    ),
  ],
  [
    "a node that shuts down",
    plight(
      taken("Terminated", "Pod was terminated in response to imminent node shutdown."),
      "cluster",
      "Terminated",
      /imminent node shutdown/,
    ),
  ],
  [
    "the Pod's deadline",
    plight(
      taken("DeadlineExceeded", "Pod was active on the node longer than the specified deadline"),
      "operation",
      "DeadlineExceeded",
      /The Pod ran longer/,
      { log: true },
    ),
  ],
  [
    "a node's refusal",
    plight({ annotations: { "plane/rejected": "OutOfcpu" } }, "cluster", "RejectedByNode", /\(OutOfcpu\)/),
  ],

  [
    "an image that is not there",
    plight(
      waiting("ErrImagePull", `${PULL}: not found`),
      "template",
      "ImagePullFailed",
      /"test\/worker:1" of container "worker" cannot be pulled/,
    ),
  ],
  [
    "an image that may not be pulled",
    plight(waiting("ErrImagePull", `${PULL}: pull access denied`), "template", "ImagePullFailed", /imagePullSecrets/),
  ],
  [
    "a registry that does not answer",
    plight(
      waiting("ImagePullBackOff", `Back-off pulling image "test/worker:1": ErrImagePull: ${PULL}: connection refused`),
      "cluster",
      "ImagePullFailed",
      /connection refused/,
    ),
  ],
  [
    "a registry that is busy",
    plight(
      waiting("ErrImagePull", `${PULL}: 429 Too Many Requests`),
      "cluster",
      "RegistryOverloaded",
      /Not your fault/,
    ),
  ],
  [
    "a node that pulls too much",
    plight(waiting("ErrImagePull", "pull QPS exceeded"), "cluster", "RegistryOverloaded", /pull QPS exceeded/),
  ],
  [
    "an image that must not be pulled",
    plight(
      waiting("ErrImageNeverPull", "not present with pull policy of Never"),
      "template",
      "ImageNeverPulled",
      /imagePullPolicy: Never/,
    ),
  ],
  [
    "an image name that is none",
    plight(waiting("InvalidImageName", "couldn't parse image name"), "template", "InvalidImageName", /is not valid/),
  ],
  [
    "a missing Secret",
    plight(
      waiting("CreateContainerConfigError", 'secret "nope" not found'),
      "template",
      "CreateContainerConfigError",
      /secret "nope" not found/,
    ),
  ],
  [
    "a container runtime in trouble",
    plight(
      waiting("CreateContainerError", "context deadline exceeded"),
      "cluster",
      "CreateContainerError",
      /context deadline exceeded/,
    ),
  ],
  [
    "a container that cannot be run",
    plight(
      waiting("RunContainerError", "OCI runtime create failed"),
      "template",
      "RunContainerError",
      /OCI runtime create failed/,
    ),
  ],

  [
    "no node with a GPU",
    plight(
      wants({ limits: { "nvidia.com/gpu": 1 } }),
      "template",
      "Unschedulable",
      /Insufficient nvidia\.com\/gpu.*\nWhat to do: Ask for less/,
    ),
  ],
  [
    "no room",
    plight(
      wants({ requests: { "plane/seats": 1 }, limits: { "plane/seats": 1 } }),
      "cluster",
      "Unschedulable",
      /Insufficient plane\/seats.*\nWhat to do: Wait until other Pods end/,
    ),
  ],
  [
    "a taint",
    plight(
      { pod: { nodeSelector: { plane: "reserved" } }, annotations: HANG },
      "template",
      "Unschedulable",
      /untolerated taint\(s\).*\nWhat to do: Correct nodeSelector .*; add a toleration/,
    ),
  ],
  [
    "no node with that label",
    plight({ pod: { nodeSelector: { disk: "none" } } }, "template", "Unschedulable", /node affinity\/selector/),
  ],
  [
    "a claim that is missing",
    plight(
      { pod: { volumes: [{ name: "data", persistentVolumeClaim: { claimName: "data" } }] } },
      "template",
      "Unschedulable",
      /persistentvolumeclaim "data" not found.*\nWhat to do: Check the PersistentVolumeClaims/,
    ),
  ],

  [
    "a service account that is missing",
    plight(
      { pod: { serviceAccountName: "nobody" } },
      "template",
      "ServiceAccountMissing",
      /serviceaccount "nobody" not found/,
    ),
  ],
  [
    "a priority class that is missing",
    plight(
      { pod: { priorityClassName: "gold" } },
      "template",
      "PodRefused",
      /no PriorityClass with name gold was found/,
    ),
  ],
  [
    "a policy that refuses the Pod",
    plight(
      { annotations: { "plane/forbidden": "" } },
      "template",
      "WebhookDenied",
      /plane' denied request: forbidden by the plane/,
    ),
  ],
  [
    "a webhook that refuses the Pod",
    plight(
      { labels: { webhook: "denies" } },
      "template",
      "WebhookDenied",
      /admission webhook "denies\.plane\.test" denied the request: only on Sundays/,
    ),
  ],
  [
    "a webhook that does not answer",
    plight({ labels: { webhook: "away" } }, "cluster", "WebhookFailed", /failed calling webhook "away\.plane\.test"/),
  ],
  [
    "a Pod Security level",
    plight({}, "template", "PodSecurityViolated", /violates PodSecurity "restricted:latest"/, {
      namespace: "restricted",
    }),
  ],
  [
    "a limit range",
    plight(
      wants({ limits: { memory: "2Gi" } }),
      "template",
      "PodRefused",
      /maximum memory usage per Container is 1Gi/,
      { namespace: "bounded" },
    ),
  ],
  [
    "a quota that the Pod alone exceeds",
    plight(
      wants({ requests: { cpu: "2" } }),
      "template",
      "QuotaTooSmall",
      /requested: requests\.cpu=2, used: requests\.cpu=0, limited: requests\.cpu=1/,
      { namespace: "small" },
    ),
  ],
  [
    "a quota that wants requests",
    plight({}, "template", "ResourcesUnset", /must specify requests\.cpu for: worker/, { namespace: "small" }),
  ],

  [
    "the Job's deadline while no node takes the Pod",
    plight(
      { pod: { nodeSelector: { disk: "none" } }, job: { activeDeadlineSeconds: 2 } },
      "template",
      "DeadlineExceeded",
      /before its worker had begun\. No node of the cluster/,
    ),
  ],
  [
    "the Job's deadline while no Pod can be made",
    plight(
      { pod: { serviceAccountName: "nobody" }, job: { activeDeadlineSeconds: 2 } },
      "template",
      "DeadlineExceeded",
      /before its worker had begun\. Kubernetes cannot make a Pod .*"nobody" not found/,
    ),
  ],
]);
