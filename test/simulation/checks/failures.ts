// When a daemon may fail an operation, and when it may delete a Job: judged at that instant, by the true state of the world.
// Knows the contract, and how long calls and clocks may mislead.
import { type KubeObject, textOf } from "../kubernetes/objects.ts";
import type { Doc } from "../mongo/values.ts";
import { isTakenBack, mayBeTakenBack, mayGoOn } from "./retries.ts";
import {
  attemptIn,
  attemptOf,
  claimOf,
  dateAt,
  documentOf,
  executionsOf,
  isClaimedNow,
  isEnded,
  isLive,
  isOfEarlierQueueing,
  jobsOf,
  operationOf,
  runningSince,
  type Scene,
  stateOf,
  type Violate,
  type Written,
} from "./scene.ts";

/** Calls may take so long, there and back (ms): what changes meanwhile nobody can know. */
export const RACE = 60_000;

/** No clock in the simulation is further off than half of it (ms): two may disagree by so much. */
const SKEW = 40_000;

/** When who writes asked for a Job last. */
export type Asked = (job: KubeObject) => number;

/** Between that and its failure lie a few calls at the most, each of which may be slow, and done late (ms). */
const ASKED = 150_000;

/** How long after a result opjob leaves a Job alone (ms). */
const FAREWELL = 600_000;

/** Reasons that stand for something in the way of a live Job, and after how many seconds at the least they may end it. */
const OBSTACLES = new Map<string, number>([
  ["InvalidImageName", 0],
  ["CrashLoopBackOff", 45],
  ["ImagePullFailed", 15],
  ["CreateContainerConfigError", 15],
  ["Unschedulable", 45],
  ["NoPod", 45],
  ["NotStarted", 45],
  ["RegistryOverloaded", 45],
]);

/** 3 and 6: a terminal state stays, and an operation fails only when its Job cannot end well. */
export function judgeFailure(scene: Scene, { before, after, who }: Written, asked: Asked, violate: Violate): void {
  const [was, is] = [stateOf(before), stateOf(after)];
  const wrong = [
    isEnded(before) && "3: a terminal state is never overwritten",
    is !== "failed" && "3: opjob writes no state but failed",
    !["queued", "running", "completed", "failed"].includes(was) && "4: never steal",
    !isClaimedNow(before) && "3: a failure is of the present attempt",
    !Number.isFinite(dateAt(after, "failed_at")) && "3: a failure is in FiftyOne's shape",
  ].find((rule) => rule !== false);
  if (wrong) violate(wrong, `${who}: from ${was} to ${is}`);
  const live = jobsOf(scene, String(before["_id"])).filter((one) => isLive(one) && isItsJob(one, before));
  judgeJobs(scene, live, { before, after, who }, violate);
  for (const job of live)
    if (scene.time.now - asked(job) > ASKED) violate("6: a live look comes before a failure", who);
  judgeStale(scene, { before, after, who }, violate);
}

/** Where nobody took the operation, a Job that had ended before says nothing of it. */
function judgeStale(scene: Scene, { before, who }: Written, violate: Violate): void {
  const uid = textOf(claimOf(before)?.["uid"]);
  if (scene.stale.has(uid) && mayGoOn(scene, before))
    violate("2: a Job that had ended when it was recorded fails nothing", `${who}: ${uid}`);
}

/** What may pass fails nothing: a cluster that is away, a secret that is missing, a quota. */
const PASSES = /^(?:CLUSTER|KUBECONFIG|SECRET|DATABASE|LEADERSHIP|ENCRYPTION)_|^ORCHESTRATOR_INVALID$/;

function judgeJobs(scene: Scene, live: readonly KubeObject[], { after, who }: Written, violate: Violate): void {
  const reason = textOf(claimOf(after)?.["reason"]);
  if (PASSES.test(reason)) violate("2: nothing fails of what may pass", `${who}: failed as ${reason}`);
  for (const job of live) judgeLive(scene, job, { reason, who }, violate);
}

/** A live Job may be given up only for what is in its way, and only after that had its time. */
function judgeLive(scene: Scene, job: KubeObject, failed: { reason: string; who: string }, violate: Violate): void {
  const { reason, who } = failed;
  const { uid, creationTimestamp } = job.metadata;
  const running = runningSince(scene, job);
  const ran = running !== undefined && scene.time.now - running > RACE;
  const least = OBSTACLES.get(reason);
  if (ran || least === undefined)
    violate("6: no operation fails whose Job lives", `${who}: failed as ${reason} while ${uid} lives`);
  const lived = scene.time.now - Date.parse(creationTimestamp);
  if (lived < (least ?? 0) * 1_000 - SKEW)
    violate("6: an obstacle has its time", `${who}: failed as ${reason} after ${lived} ms`);
}

/** A Job of the operation's present attempt: the recorded one, if one is. */
const isItsJob = (job: KubeObject, doc: Doc): boolean =>
  attemptOf(job) === attemptIn(doc) && [undefined, job.metadata.uid].includes(claimOf(doc)?.["uid"] as string);

/** Deleting a Job is right when its operation is gone, has ended, or has a later attempt. @returns why it is not */
export function whyNotDelete(scene: Scene, job: KubeObject): string | undefined {
  const operation = operationOf(job);
  const doc = documentOf(scene, operation);
  const state = doc && stateOf(doc);
  if (doc === undefined || state === "failed") return undefined;
  if (state === "completed") {
    const early = scene.time.now - dateAt(doc, "completed_at") < FAREWELL - 2 * SKEW;
    return early && isItsJob(job, doc) && isClaimedNow(doc) ? "it has only just completed" : undefined;
  }
  return isClaimedFor(job, doc)
    ? whyNotPresent(scene, operation, mayBeTakenBack(scene, job, doc, RACE))
    : (whyNotFoundAgain(job, doc) ?? whyNotEarlier(scene, doc));
}

/** A failover took back the claim that a Job was made for: it serves the next one, as long as nothing is queued anew. */
const whyNotFoundAgain = (job: KubeObject, doc: Doc): string | undefined =>
  stateOf(doc) === "queued" &&
  !isClaimedNow(doc) &&
  attemptOf(job) === attemptIn(doc) + 1 &&
  !isOfEarlierQueueing(job, doc)
    ? "the next claim finds it again"
    : undefined;

/** Whether the present claim is for this Job. */
const isClaimedFor = (job: KubeObject, doc: Doc): boolean =>
  attemptOf(job) === attemptIn(doc) && isClaimedNow(doc) && !isOfEarlierQueueing(job, doc);

/** An ended Job may go when nothing can be learnt from it any more. @returns why it may not */
export function whyNotTidy(scene: Scene, job: KubeObject): string | undefined {
  const doc = documentOf(scene, operationOf(job));
  // One of a later attempt was made for a claim that a failover took back.
  if (doc === undefined || isEnded(doc) || attemptOf(job) !== attemptIn(doc) || !isClaimedNow(doc)) return undefined;
  // It was taken back, and ended by itself in that moment.
  return isTakenBack(scene, doc, RACE) ? undefined : `its operation is ${stateOf(doc)}`;
}

/** A Job of the present attempt is needed, unless the operation was taken up only a moment ago: who deletes could not know. */
function whyNotPresent(scene: Scene, operation: string, takenBack: boolean): string | undefined {
  if (takenBack) return undefined;
  const taken = scene.retaken.get(operation) ?? Number.NEGATIVE_INFINITY;
  return scene.time.now - taken < RACE ? undefined : "it goes on";
}

/** A Job of an earlier attempt is not needed, unless its worker took the operation when it was queued anew. */
function whyNotEarlier(scene: Scene, doc: Doc): string | undefined {
  const operation = String(doc["_id"]);
  const executes = executionsOf(scene, operation).some(({ since }) => since < scene.time.now - RACE);
  return executes && stateOf(doc) === "running" && !isClaimedNow(doc) ? "its worker executes it" : undefined;
}
