// When a Job may be taken back to be launched again, and when the next attempt may begin: never two at once, and nothing that a
// worker began is run twice. Judged at that instant, by the true state of the world. Knows the contract.
import { isOver, type KubeObject } from "../kubernetes/objects.ts";
import type { Doc } from "../mongo/values.ts";
import {
  attemptIn,
  attemptOf,
  claimOf,
  dateAt,
  isClaimedNow,
  isLive,
  jobsOf,
  mayRunTwice,
  operationOf,
  podsOf,
  runningSince,
  type Scene,
  stateOf,
  type Violate,
  type Written,
} from "./scene.ts";

/** A write that begins another attempt of the same queueing; whoever queues it anew ends all that. */
export const isRetry = ({ before, after }: Written): boolean =>
  claimOf(before)?.["phase"] === "withdrawn" && isClaimedNow(before) && attemptIn(after) !== attemptIn(before);

/**
 * One that sets an operation of which a worker had begun back to `queued`, as FiftyOne itself does, and claims it for that new
 * queueing: only for operators that may run twice.
 */
export const isRequeue = ({ before, after, who }: Written): boolean =>
  isRetry({ before, after, who }) && stateOf(before) === "running" && stateOf(after) === "queued";

export function judgeRetry(scene: Scene, { before, after, who }: Written, violate: Violate): void {
  const id = String(before["_id"]);
  const queuedAt = dateAt(before, "queued_at");
  const earlier = jobsOf(scene, id).filter((job) => attemptOf(job) === attemptIn(before));
  const alive = earlier.filter((job) => isLive(job) || podsOf(scene, job).some((pod) => canRun(scene, pod)));
  const orphans = scene.clusters.flatMap(({ store }) => store.all("pods").filter((pod) => isOf(pod, id, before)));
  const wrong = [
    attemptsOf(after) > BUDGET && `it was launched again ${attemptsOf(after)} times`,
    ...whyNotState({ before, after, who }),
    attemptIn(after) !== attemptIn(before) + 1 && `its attempt becomes ${attemptIn(after)}`,
    alive.length > 0 && `${alive.map(({ metadata }) => metadata.uid).join()} can still run`,
    orphans.some((pod) => canRun(scene, pod)) && "a Pod of the attempt before can still run",
    !mayRunTwice(before) &&
      scene.ledger.some((one) => one.operation === id && Object.is(one.queuedAt, queuedAt)) &&
      "a worker has begun it",
  ].filter((why) => why !== false);
  if (wrong.length > 0) violate("1: an attempt begins when the one before cannot run", `${who}: ${wrong.join(", ")}`);
}

/**
 * Whoever is shown empty lists for long cannot know of a Pod that was told to end and takes its time: opjob looks once more some seconds after
 * a Job is gone, and not longer; and these seconds are counted by clocks that may differ.
 */
function canRun({ plan: { troubles, daemons } }: Scene, pod: KubeObject): boolean {
  const listsLie = troubles.some(({ kind }) => kind === "empty-list");
  const clocksDiffer = new Set(daemons.map(({ skewMs }) => skewMs)).size > 1;
  const misled = listsLie && (clocksDiffer || pod.metadata.deletionTimestamp !== undefined);
  return !isOver(pod) && !misled;
}

/** What a worker has begun goes on only where it may run twice, and only by being queued anew. */
const whyNotState = ({ before, after, who }: Written) => [
  !["queued", "running"].includes(stateOf(before)) && `it is ${stateOf(before)}`,
  stateOf(before) === "running" && !mayRunTwice(before) && "it runs, and may not run twice",
  stateOf(after) !== "queued" && `it becomes ${stateOf(after)}`,
  !isClaimedNow(after) && "it is not claimed for its present queueing",
  isRequeue({ before, after, who }) &&
    Object.is(dateAt(after, "queued_at"), dateAt(before, "queued_at")) &&
    QUEUED_BEFORE,
];
const QUEUED_BEFORE = "it is no other queueing than before";

/** Nobody has taken it, and it may be launched again: by what is on record, and as long as nobody ever took its orchestrator away. */
export function mayGoOn({ plan }: Scene, doc: Doc): boolean {
  const { unsure, withdrawn } = claimOf(doc) ?? {};
  const isFree = stateOf(doc) === "queued" && doc["archived"] !== true && unsure !== true && withdrawn === undefined;
  return isFree && attemptsOf(doc) < BUDGET && !plan.acts.some(({ kind }) => kind === "deactivate");
}

/** As the settings have it by default. */
const BUDGET = 2;
const attemptsOf = (doc: Written["after"]): number => (claimOf(doc)?.["earlier"] as unknown[] | undefined)?.length ?? 0;

const isOf = (pod: KubeObject, id: string, before: Written["before"]): boolean =>
  operationOf(pod) === id && attemptOf(pod) === attemptIn(before);

/** A worker came first: its Job is taken back no more, unless another daemon's deletion is under way. */
export const isRestored = ({ before, after }: Written): boolean =>
  claimOf(before)?.["phase"] === "withdrawn" &&
  claimOf(after)?.["phase"] === "created" &&
  attemptIn(after) === attemptIn(before);

/** Whether a Job is being taken back, or was until a moment ago (ms). */
export function isTakenBack(scene: Scene, doc: Doc, race: number): boolean {
  const restored = scene.restored.get(String(doc["_id"])) ?? Number.NEGATIVE_INFINITY;
  return claimOf(doc)?.["phase"] === "withdrawn" || scene.time.now - restored < race;
}

/**
 * A Job may be taken back as long as its container has not run for longer than whoever takes it back could miss (ms), or if its
 * operator may run twice.
 */
export function mayBeTakenBack(scene: Scene, job: KubeObject, doc: Doc, race: number): boolean {
  const since = runningSince(scene, job);
  const missed = since === undefined || scene.time.now - since < race;
  return isTakenBack(scene, doc, race) && (missed || mayRunTwice(doc));
}
