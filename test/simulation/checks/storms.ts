// Faults that many operations meet: they are met seldom, who waits is told why, and when they have passed everything goes on
// soon. Knows the plan's storms and the contract; nothing of what holds operations back.
import { LABELS } from "../../../src/clusters/observation.ts";
import { targetOf } from "../kubernetes/api.ts";
import { type KubeObject, textOf } from "../kubernetes/objects.ts";
import type { Done } from "../kubernetes/speaker.ts";
import type { Doc } from "../mongo/values.ts";
import type { Kill, Plan } from "../plan.ts";
import { imageIn, isOn, jobImageOf } from "../storms.ts";
import { OPERATIONS } from "../worker.ts";
import { isNobodys } from "./rest.ts";
import {
  claimOf,
  dateAt,
  isActive,
  isClaimedNow,
  jobsOf,
  keptOn,
  orchestratorOf,
  podsOf,
  type Scene,
  stateOf,
  type Violate,
} from "./scene.ts";

/** After so many faults in a row operations wait; others have been chosen, or are at work. Pauses between tries double (ms). */
const FIRST = 3 + 6 + 4;
const PAUSE = { first: 1_500, longest: 15_000 };
/** Between two tries of an image, and until all know that it cannot be pulled (ms). */
const IMAGE = { pause: 20_000, known: 2_000 };
/** As long after the plan's end everybody who works has long been back; then whoever waits is told why within so long (ms). */
const SETTLED = 100_000;
const TOLD = 60_000;
/** When a storm is over everything that it held goes on within so long (ms). */
const PASSED = 180_000;

/** When it came to wait. */
const DATES = ["queued_at", "opjob.timeline.claimed"];

export function createStormJudge(scene: () => Scene, violate: Violate) {
  /** How often a life met a storm, and when first. */
  const met = new Map<string, { count: number; readonly since: number }>();
  /** Images that were seen to be missing: when first, and how many Jobs were made since. */
  const missing = new Map<string, { made: number; readonly since: number }>();
  /** When a node could not pull an image for the last time: also one that is missing for some operations only. */
  let unpulled = 0;

  const lookAt = (image: string, reason: string | undefined, now: number): void => {
    if (reason === "ErrImagePull" || reason === "ImagePullBackOff") unpulled = now;
    if (reason === "ImagePullBackOff" && !missing.has(image)) missing.set(image, { made: 0, since: now });
  };
  const lookForImages = (): void => {
    const { time } = scene();
    for (const job of jobsOf(scene()))
      for (const pod of podsOf(scene(), job)) lookAt(imageIn(pod), waitingFor(pod), time.elapsed);
  };
  const isWaiting = (doc: Doc): boolean => {
    const isHeld = !isClaimedNow(doc) || ["claimed", "held"].includes(textOf(claimOf(doc)?.["phase"]));
    const active = isActive(orchestratorOf(scene(), doc["delegation_target"]));
    return stateOf(doc) === "queued" && isHeld && active && !isNobodys(scene(), doc);
  };

  const judgeWaiting = (doc: Doc, hasPassed: boolean): void => {
    const name = String(doc["_id"]).slice(-4);
    if (textOf(keptOn(doc)?.["reason"]) === "") violate("2: who waits is told why", `nobody told ${name}`);
    const { limit = 0 } = scene().plan;
    if (hasPassed && limit === 0) violate("2: what a fault held goes on when it has passed", `${name} still waits`);
  };

  return {
    /** A call to a cluster was done. */
    done({ by, request, answer }: Done): void {
      const { plan, time } = scene();
      const { resource } = targetOf(request.path);
      if (resource !== "jobs" || request.method !== "POST" || answer.status !== 403 || !isCalm(plan)) return;
      const { metadata } = request.body as KubeObject;
      const key = `${by.name} for ${metadata.labels?.[LABELS.orchestrator]}`;
      const known = met.get(key) ?? { count: 0, since: time.elapsed };
      known.count++;
      met.set(key, known);
      const most = triesWithin(time.elapsed - known.since);
      if (known.count > most) violate("2: a fault is not met again and again", `${key}: ${known.count} creations`);
    },

    /** A Job of ours came into being. */
    added(job: KubeObject): void {
      const { plan, time } = scene();
      const image = jobImageOf(job);
      const known = missing.get(image);
      const [storm, another] = (plan.storms ?? []).filter(({ kind }) => kind === "image");
      // Who begins anew must find out anew, and between two storms the image is there.
      if (known === undefined || !isCalm(plan) || beginsAnew(plan) || another !== undefined) return;
      if (storm === undefined || !isOn(storm, time.elapsed)) return;
      const ms = time.elapsed - known.since;
      if (ms < knownAfter(plan)) return;
      known.made++;
      const most = 2 + Math.floor(ms / IMAGE.pause);
      if (known.made > most) violate("2: a missing image is not asked for again and again", `${known.made} Jobs`);
    },

    /** From time to time. */
    look(): void {
      const { plan, time, server } = scene();
      const storms = plan.storms ?? [];
      lookForImages();
      if (!isCalm(plan) && time.elapsed < plan.horizonMs + SETTLED) return;
      const end = Math.max(plan.horizonMs, unpulled, ...storms.map(({ from, ms }) => from + ms));
      for (const doc of server.all(OPERATIONS).filter(isWaiting)) {
        const since = Math.max(0, ...DATES.map((path) => dateAt(doc, path)).filter(Number.isFinite));
        // Nobody can tell since when it waits.
        if (since === 0 && time.elapsed < plan.horizonMs + SETTLED) continue;
        if (time.now - since > TOLD + downOf(plan)) judgeWaiting(doc, time.elapsed > end + PASSED);
      }
    },
  };
}

/** From then on no Job is made that was decided on before the image was known to be missing (ms). */
const knownAfter = ({ turnMs = 0 }: Plan): number => IMAGE.known + turnMs;

/** Nobody tells anything while nobody is there (ms). */
const downOf = ({ daemons }: Plan): number =>
  daemons.flatMap(({ kills }) => kills).reduce((sum, { downMs }) => sum + downMs, 0);

const beginsAnew = ({ daemons }: Plan): boolean => daemons.length > 1 || daemons.some(({ kills }) => kills.length > 0);

/** Nothing else goes wrong, and nobody is away for long: then how often a fault is met says how it is met. */
const isCalm = ({ acts, troubles, mishaps = [], hints, incidents, daemons }: Plan): boolean =>
  acts.length + troubles.length + mishaps.length + hints.length + incidents.length === 0 &&
  daemons.every(({ kills, pauses, stops }) => pauses.length + stops.length === 0 && kills.every(isShort));
const isShort = ({ downMs }: Kill): boolean => downMs <= 5_000;

function triesWithin(ms: number): number {
  let tries = FIRST;
  for (let [at, pause] = [PAUSE.first, PAUSE.first]; at <= ms; at += pause) {
    tries++;
    pause = Math.min(PAUSE.longest, pause * 2);
  }
  return tries;
}

function waitingFor(pod: KubeObject): string | undefined {
  const [container] = (pod.status?.["containerStatuses"] ?? []) as { state: { waiting?: { reason?: string } } }[];
  return container?.state.waiting?.reason;
}
