// Every row of the table of reasons for which a live Job waits, from objects as Kubernetes writes them.
import { expect, test } from "@jest/globals";
import { viewEvents } from "../../src/clusters/events.ts";
import { viewJob, viewPod } from "../../src/clusters/observation.ts";
import { findObstacle } from "../../src/clusters/obstacle.ts";
import type { WaitingRow } from "../../src/clusters/reasons.ts";
import { type Obstacle, WAITING, type WaitingId } from "../../src/clusters/waiting-reasons.ts";
import * as raw from "./states.ts";

type World = { readonly job?: raw.Raw; readonly pods?: readonly raw.Raw[]; readonly events?: readonly raw.Raw[] };
type Case = readonly [what: string, row: WaitingId, world: World, message: RegExp];

const see = ({ job = raw.job(), pods = [], events }: World): Obstacle | undefined =>
  findObstacle({ job: viewJob(job), pods: pods.map(viewPod), events: events && viewEvents(events) });

const created = (...containers: raw.Raw[]): World => ({ pods: [raw.pod("Pending", { containers })] });
const image = (reason: string, message: string): World => created(raw.waiting(reason, message));
const noNode = (message: string): World => ({
  pods: [raw.pod("Pending", { spec: { nodeName: undefined }, conditions: [raw.unschedulable(message)] })],
});
const refused = (why: string): World => ({ events: [raw.refused(why)] });
const forbidden = (why: string): World => ({ events: [raw.forbidden(why)] });
const starting = (...events: raw.Raw[]): World => ({ ...created(raw.waiting("ContainerCreating")), events });
const PULL =
  'failed to pull and unpack image "registry.example/worker:1": failed to resolve reference "registry.example/worker:1"';
const HELPLESS = "preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.";
const HOPEFUL =
  "preemption: 0/3 nodes are available: 1 Preemption is not helpful for scheduling, 2 No preemption victims found for incoming pod.";

const QUEUED = raw.job([], { metadata: { labels: { "kueue.x-k8s.io/queue-name": "gpu" } }, spec: { suspend: true } });
const GATED = {
  type: "PodScheduled",
  status: "False",
  reason: "SchedulingGated",
  message: "Scheduling is blocked due to non-empty scheduling gates",
};

const CASES: readonly Case[] = [
  ["a suspended Job", "suspended", { job: raw.job([], { spec: { suspend: true } }) }, /is suspended/],
  ["a Job in a Kueue queue", "queued", { job: QUEUED }, /queue "gpu" to be admitted: that is no failure/],
  [
    "a Pod behind a scheduling gate",
    "gated",
    { pods: [raw.pod("Pending", { conditions: [GATED] })] },
    /scheduling gate/,
  ],
  [
    "a Job that somebody deletes",
    "deleting",
    { job: raw.job([], { metadata: { deletionTimestamp: raw.at(9), finalizers: ["foregroundDeletion"] } }) },
    /being deleted/,
  ],
  ["no Pod, and nobody says why", "noPod", { events: [] }, /not made a Pod/],
  [
    "a quota without room",
    "quotaFull",
    forbidden(
      "exceeded quota: compute, requested: pods=1,requests.cpu=500m, used: pods=10,requests.cpu=4, limited: pods=10,requests.cpu=4",
    ),
    /exceeded quota: compute, requested: pods=1/,
  ],
  [
    "a quota that the Pod alone exceeds",
    "quotaTooSmall",
    forbidden(
      "exceeded quota: compute, requested: requests.memory=8Gi, used: requests.memory=0, limited: requests.memory=4096Mi",
    ),
    /requested: requests\.memory=8Gi/,
  ],
  [
    "a quota that wants limits",
    "resourcesUnset",
    forbidden("failed quota: compute: must specify limits.cpu for: worker; limits.memory for: worker"),
    /must specify limits\.cpu for: worker/,
  ],
  [
    "a webhook's refusal",
    "webhookDenied",
    refused('admission webhook "policy.example.com" denied the request: only signed images'),
    /"policy\.example\.com" denied the request: only signed images/,
  ],
  [
    "a policy's refusal",
    "webhookDenied",
    forbidden("ValidatingAdmissionPolicy 'signed' with binding 'all' denied request: only signed images"),
    /denied request: only signed images/,
  ],
  [
    "a webhook that is away",
    "webhookFailed",
    refused(
      'Internal error occurred: failed calling webhook "policy.example.com": failed to call webhook: Post "https://policy.default.svc:443/": service "policy" not found',
    ),
    /failed calling webhook/,
  ],
  [
    "a service account that is missing",
    "serviceAccountMissing",
    forbidden('error looking up service account fiftyone/nobody: serviceaccount "nobody" not found'),
    /serviceaccount "nobody" not found/,
  ],
  [
    "a Pod Security level",
    "podSecurity",
    forbidden(
      'violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "worker" must set securityContext.allowPrivilegeEscalation=false)',
    ),
    /violates PodSecurity "restricted:latest"/,
  ],
  [
    "a limit range",
    "podRefused",
    forbidden("maximum memory usage per Container is 1Gi, but limit is 2Gi"),
    /maximum memory usage per Container is 1Gi/,
  ],
  [
    "a priority class that is missing",
    "podRefused",
    forbidden("no PriorityClass with name gold was found"),
    /no PriorityClass with name gold/,
  ],
  [
    "an API server in trouble",
    "podCreateFailed",
    refused("Internal error occurred: etcdserver: request timed out"),
    /request timed out/,
  ],

  [
    "no room now",
    "noRoom",
    noNode(
      `0/3 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 2 Insufficient cpu. ${HOPEFUL}`,
    ),
    /2 Insufficient cpu/,
  ],
  [
    "no node that is large enough",
    "tooLarge",
    noNode(`0/3 nodes are available: 3 Insufficient nvidia.com/gpu. ${HELPLESS}`),
    /Insufficient nvidia\.com\/gpu/,
  ],
  [
    "a taint",
    "tainted",
    noNode(`0/3 nodes are available: 3 node(s) had untolerated taint(s). ${HELPLESS}`),
    /untolerated taint\(s\)/,
  ],
  [
    "a node selector",
    "noMatch",
    noNode(`0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector. ${HELPLESS}`),
    /affinity\/selector/,
  ],
  [
    "a claim that is missing",
    "noVolume",
    noNode(`0/3 nodes are available: persistentvolumeclaim "data" not found. ${HELPLESS}`),
    /persistentvolumeclaim "data" not found/,
  ],
  [
    "a volume in another zone",
    "noVolume",
    noNode(`0/3 nodes are available: 3 node(s) had volume node affinity conflict. ${HELPLESS}`),
    /volume node affinity conflict/,
  ],
  [
    "nodes that are away",
    "nodesAway",
    noNode(
      `0/3 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }, 2 node(s) were unschedulable. ${HELPLESS}`,
    ),
    /not-ready/,
  ],
  ["no node at all", "unscheduled", noNode("no nodes available to schedule pods"), /no nodes available/],

  ["a node that does not say what it does", "notStarted", starting(), /none of its containers has started/],
  [
    "a large image",
    "pulling",
    starting(raw.event("Pod", "Pulling", 'Pulling image "registry.example/worker:1"')),
    /pulling an image of the Pod: "registry\.example\/worker:1"/,
  ],
  [
    "a Secret that is not there to be mounted",
    "volumeMissing",
    starting(raw.event("Pod", "FailedMount", 'MountVolume.SetUp failed for volume "keys" : secret "nope" not found')),
    /volume "keys" : secret "nope" not found/,
  ],
  [
    "a volume that another node has",
    "mountFailed",
    starting(
      raw.event(
        "Pod",
        "FailedAttachVolume",
        'Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) other',
      ),
    ),
    /Multi-Attach error/,
  ],
  [
    "a network plugin in trouble",
    "sandboxFailed",
    starting(
      raw.event(
        "Pod",
        "FailedCreatePodSandBox",
        'Failed to create pod sandbox: plugin type="cilium-cni" failed (add): unable to connect',
      ),
    ),
    /cilium-cni/,
  ],

  [
    "a name that is no image's",
    "imageName",
    image(
      "InvalidImageName",
      'Failed to apply default image tag "no such:::name": couldn\'t parse image name "no such:::name": invalid reference format',
    ),
    /has a name that is not valid/,
  ],
  [
    "an image that is not there",
    "imageMissing",
    image("ErrImagePull", `rpc error: code = NotFound desc = ${PULL}: registry.example/worker:1: not found`),
    /"registry\.example\/worker:1" of container "worker" cannot be pulled: rpc error: code = NotFound/,
  ],
  [
    "a registry that nobody knows",
    "imageMissing",
    image(
      "ErrImagePull",
      `${PULL}: failed to do request: Head "https://registry.example/v2/worker/manifests/1": dial tcp: lookup registry.example: no such host`,
    ),
    /no such host/,
  ],
  [
    "an image of a registry that asks who we are",
    "imageDenied",
    image(
      "ErrImagePull",
      `${PULL}: pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed`,
    ),
    /pull access denied/,
  ],
  [
    "an image for other processors",
    "imagePlatform",
    image("ErrImagePull", `rpc error: code = NotFound desc = ${PULL}: no match for platform in manifest: not found`),
    /no match for platform/,
  ],
  [
    "a registry that does not answer",
    "registryAway",
    image(
      "ErrImagePull",
      `${PULL}: failed to do request: Head "https://127.0.0.1:5000/v2/": dial tcp 127.0.0.1:5000: connect: connection refused`,
    ),
    /connection refused/,
  ],
  [
    "a registry that the node calls unavailable",
    "registryAway",
    image("RegistryUnavailable", "image pull failed for registry.example/worker:1 because the registry is unavailable"),
    /registry is unavailable/,
  ],
  [
    "a registry that asks to slow down",
    "registryBusy",
    image(
      "ErrImagePull",
      `${PULL}: unexpected status from HEAD request to https://registry.example/v2/worker/manifests/1: 429 Too Many Requests - toomanyrequests: You have reached your pull rate limit`,
    ),
    /429 Too Many Requests/,
  ],
  ["a node that pulls too much", "registryBusy", image("ErrImagePull", "pull QPS exceeded"), /pull QPS exceeded/],
  [
    "a pause of which an old cluster tells no cause",
    "imageBackOff",
    image("ImagePullBackOff", 'Back-off pulling image "registry.example/worker:1"'),
    /Back-off pulling/,
  ],
  [
    "an image that must not be pulled",
    "imageNeverPulled",
    image("ErrImageNeverPull", 'Container image "registry.example/worker:1" is not present with pull policy of Never'),
    /imagePullPolicy: Never forbids/,
  ],

  [
    "a Secret of the environment that is missing",
    "configMissing",
    image("CreateContainerConfigError", 'secret "nope" not found'),
    /"worker" cannot be created: secret "nope" not found/,
  ],
  [
    "a key of a Secret that is missing",
    "configMissing",
    image("CreateContainerConfigError", "couldn't find key uri in Secret fiftyone/keys"),
    /couldn't find key uri/,
  ],
  [
    "an image that runs as root where it must not",
    "configWrong",
    image(
      "CreateContainerConfigError",
      'container has runAsNonRoot and image will run as root (pod: "echo-x7k2p_fiftyone(1)", container: worker)',
    ),
    /runAsNonRoot/,
  ],
  [
    "a container runtime in trouble",
    "createFailed",
    image("CreateContainerError", "context deadline exceeded"),
    /cannot be created: context deadline exceeded/,
  ],
  [
    "an image without a command",
    "commandMissing",
    image(
      "CreateContainerError",
      'failed to generate container "c0ffee" spec: failed to generate spec: no command specified',
    ),
    /no command specified/,
  ],
  [
    "a container that the runtime cannot start",
    "runFailed",
    image(
      "RunContainerError",
      "failed to create containerd task: failed to create shim task: OCI runtime create failed: mount through procfd",
    ),
    /cannot be started: failed to create containerd task/,
  ],
  [
    "a container that ends again and again",
    "crashLoop",
    {
      pods: [
        raw.pod("Running", {
          spec: { restartPolicy: "OnFailure" },
          containers: [
            raw.restarted(1, {
              waiting: { reason: "CrashLoopBackOff", message: "back-off 10s restarting failed container=worker" },
            }),
          ],
        }),
      ],
    },
    /ends again and again/,
  ],
  [
    "a reason that nobody has heard of",
    "otherWait",
    image("PreStartHookError", "the hook said no"),
    /waits \(PreStartHookError\): the hook said no/,
  ],
];

test.each(CASES)("%s: %s", (_what, row, world, message) => {
  const obstacle = see(world);
  expect(obstacle).toMatchObject({ row, ...WAITING[row], remedy: expect.any(String) });
  expect(obstacle?.message).toMatch(message);
  expect(obstacle?.message).toMatch(/^[A-Z].*[^.]\.$/s);
  expect(obstacle?.remedy).toMatch(/^\S.*\.$/);
  expect(`${obstacle?.message} ${obstacle?.remedy}`).not.toMatch(/expired/i);
});

test("every row of the table has a state of the world here", () => {
  expect(Object.keys(WAITING).filter((row) => !CASES.some((one) => one[1] === row))).toEqual([]);
});

const rowsWhere = (holds: (row: WaitingRow) => boolean): string[] =>
  Object.entries(WAITING).flatMap(([id, row]) => (holds(row) ? [id] : []));

test("what only waits its turn is nobody's failure, and the cluster's affair", () => {
  const endless = ["suspended", "queued", "gated", "deleting", "quotaFull"];
  expect(rowsWhere(({ patience }) => patience === "endless")).toEqual(endless);
  expect(rowsWhere(({ patience, fault }) => patience === "endless" && fault !== "cluster")).toEqual([]);
});

test("only a name that can never be one fails at once, and no obstacle is the operation's own fault", () => {
  expect(rowsWhere(({ patience }) => patience === "none")).toEqual(["imageName"]);
  expect(rowsWhere(({ fault }) => fault === "operation")).toEqual([]);
});

test("what the cluster may mend by itself has longer than what somebody must correct", () => {
  const hurried = rowsWhere(
    ({ fault, patience }) => fault === "cluster" && (patience === "none" || patience === "short"),
  );
  expect(hurried).toEqual([]);
});
