// What holds a live Job up, in plain words, from what is observed of it and its Pods, and from Events where somebody asked.
// Pure: data in, verdict out. Knows Kubernetes' words for states; nothing of operations, times or settings.
import { logsOf } from "./container-end.ts";
import type { EventView } from "./events.ts";
import { imageTrouble } from "./image-trouble.ts";
import { type ContainerView, hasBegun, isScheduled, type JobView, newest, type PodView } from "./observation.ts";
import { sentence } from "./reasons.ts";
import { refusedPod } from "./refused-pod.ts";
import { unscheduled } from "./unscheduled.ts";
import { met, type Obstacle, WAITING } from "./waiting-reasons.ts";

/** A Job, its Pods, and the Events about one of them; undefined: nobody has asked, or nobody may. */
export type Seen = {
  readonly job: JobView;
  readonly pods: readonly PodView[];
  readonly events?: readonly EventView[] | undefined;
};

/**
 * Kubernetes needs a moment to make a Pod, and a node some time to pull an image and to mount volumes. An Event tells sooner
 * when that will never be; it is asked for as soon as most Pods would have come, or begun (ms).
 */
const ORDINARY = { withoutPod: 3_000, starting: 30_000 };
const ASK_AFTER = { withoutPod: 500, starting: 2_000 };

/** What keeps a live Job from running; undefined when nothing does. */
export function findObstacle({ job, pods, events }: Seen): Obstacle | undefined {
  if (job.deleting) return met("deleting", "The Job is being deleted, by somebody else than opjob.");
  if (job.suspended) return suspension(job);
  const present = newest(pods.filter(({ deleting, gone }) => !deleting && !gone));
  if (present === undefined && pods.length > 0) return noPod(job, events, "The Job's Pod was taken away, and");
  return podObstacle(present, { job, events });
}

/** What keeps the Job's present Pod from running, or from being made. */
export function podObstacle(pod: PodView | undefined, { job, events }: Omit<Seen, "pods">): Obstacle | undefined {
  if (pod === undefined) return (events && refusedPod(events)) ?? noPod(job, events);
  if (pod.phase !== "Pending" && pod.phase !== "Running") return undefined;
  return waitingContainer(pod, events) ?? unscheduled(pod) ?? notStarted(pod, events);
}

function suspension({ queue }: JobView): Obstacle {
  return queue === undefined
    ? met("suspended", "The Job is suspended: it waits to be admitted by a queue or by a person.")
    : met("queued", `The Job waits in the Kueue queue "${queue}" to be admitted: that is no failure.`);
}

const OF_JOB = [
  ...["quotaFull", "quotaTooSmall", "resourcesUnset", "webhookDenied", "webhookFailed", "serviceAccountMissing"],
  ...["podSecurity", "podRefused", "podCreateFailed"],
] as const satisfies readonly (keyof typeof WAITING)[];
const OF_POD = ["pulling", "volumeMissing", "sandboxFailed"] as const satisfies readonly (keyof typeof WAITING)[];

const reasonsOf = (rows: readonly (keyof typeof WAITING)[]): string[] => rows.map((row) => WAITING[row].reason);

const noPod = (job: JobView, events: Seen["events"], before = ""): Obstacle =>
  met("noPod", `${before} Kubernetes has not made ${before === "" ? "a" : "another"} Pod for the Job yet.`.trim(), {
    ordinaryMs: ORDINARY.withoutPod,
    ask: { refusedTo: job.uid, afterMs: ASK_AFTER.withoutPod },
    lessThan: events === undefined ? reasonsOf(OF_JOB) : [],
  });

/** A node took the Pod, but nothing of it runs yet: neither a container nor one that prepares for it. */
function notStarted(pod: PodView, events: Seen["events"]): Obstacle | undefined {
  const begun = [...pod.initContainers, ...pod.containers].some(({ startedAt }) => startedAt !== undefined);
  if (begun || pod.phase !== "Pending" || !isScheduled(pod)) return undefined;
  const from = pod.conditions.find(({ type }) => type === "PodScheduled")?.at;
  const ask = { uid: pod.uid, afterMs: ASK_AFTER.starting };
  const more = { from, ask };
  const told = events && startTrouble(pod, events);
  if (told) return { ...told, ...more, ordinaryMs: told.row === "pulling" ? ORDINARY.starting : 0 };
  return met(
    "notStarted",
    "A node has taken the Pod, but none of its containers has started: it pulls the image, or mounts a volume.",
    { ...more, ordinaryMs: ORDINARY.starting, lessThan: events === undefined ? reasonsOf(OF_POD) : [] },
  );
}

/** What the node does, by the last of its Events that tells; undefined: it is past that. */
const STEPS: Readonly<Record<string, ((pod: PodView, said: string) => Obstacle) | undefined>> = {
  FailedMount: mountTrouble,
  FailedAttachVolume: mountTrouble,
  FailedMapVolume: mountTrouble,
  FailedCreatePodSandBox: sandboxTrouble,
  NetworkNotReady: sandboxTrouble,
  Pulling: pulling,
  Pulled: undefined,
  SuccessfulAttachVolume: undefined,
};

function startTrouble(pod: PodView, events: readonly EventView[]): Obstacle | undefined {
  const last = events.findLast(({ kind, reason }) => kind === "Pod" && reason in STEPS);
  return last && STEPS[last.reason]?.(pod, last.message);
}

function mountTrouble(_pod: PodView, said: string): Obstacle {
  const row = /not found|non-existent|does not exist/.test(said) ? "volumeMissing" : "mountFailed";
  return met(row, sentence("The node cannot mount a volume of the Pod", said));
}

function sandboxTrouble(_pod: PodView, said: string): Obstacle {
  return met("sandboxFailed", sentence("The node cannot prepare the Pod", said));
}

function pulling({ containers }: PodView): Obstacle {
  const images = containers.map(({ image }) => `"${image}"`);
  return met("pulling", `The node is pulling an image of the Pod: ${images.join(", ")}.`);
}

/** Once a main container has begun, what becomes of a native sidecar is of no account. */
function waitingContainer(pod: PodView, events: Seen["events"]): Obstacle | undefined {
  const before = hasBegun(pod) ? pod.initContainers.filter(({ sidecar }) => !sidecar) : pod.initContainers;
  for (const container of [...before, ...pod.containers]) {
    const obstacle = container.waiting && (imageTrouble(pod, container, events) ?? describeWaiting(pod, container));
    if (obstacle) return obstacle;
  }
  return undefined;
}

function describeWaiting(pod: PodView, container: ContainerView): Obstacle | undefined {
  const { reason = "", message = "" } = container.waiting ?? {};
  if (ON_ITS_WAY.has(reason)) return undefined;
  const named = `The container "${container.name}"`;
  const said = message || reason;
  switch (reason) {
    case "CreateContainerConfigError":
      return met(configRow(said), sentence(`${named} cannot be created`, said));
    case "CreateContainerError":
      return met(createRow(said), sentence(`${named} cannot be created`, said));
    case "RunContainerError":
      return met("runFailed", sentence(`${named} cannot be started`, said));
    case "CrashLoopBackOff":
      return met("crashLoop", `${named} ends again and again; Kubernetes waits before it starts it once more.`, {
        logs: logsOf(pod, container),
      });
    default:
      return met("otherWait", sentence(`${named} waits (${reason})`, message));
  }
}

const ON_ITS_WAY = new Set(["", "ContainerCreating", "PodInitializing"]);

const configRow = (said: string) => (/not found|couldn't find key/.test(said) ? "configMissing" : "configWrong");
const createRow = (said: string) => (/no command specified/i.test(said) ? "commandMissing" : "createFailed");
