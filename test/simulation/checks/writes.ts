// What a daemon may write: nothing but its own sub-document, a run link, and a failure that is true. Judged at the instant of
// the write, with the true state of the world. Knows the contract.
import { type KubeObject, textOf } from "../kubernetes/objects.ts";
import type { Change } from "../mongo/server.ts";
import { type Doc, difference, same } from "../mongo/values.ts";
import { OPERATIONS } from "../worker.ts";
import { type Asked, judgeFailure, RACE } from "./failures.ts";
import { isRequeue, isRestored, isRetry, judgeRetry } from "./retries.ts";
import {
  attemptIn,
  attemptOf,
  claimOf,
  dateAt,
  isActive,
  isClaimedNow,
  isImpostor,
  isOfEarlierQueueing,
  jobsOf,
  keptOn,
  orchestratorOf,
  type Scene,
  stateOf,
  type Violate,
  type Written,
} from "./scene.ts";

/** What the daemon that writes could know. */
export type Knowledge = {
  /** When it read the orchestrators for the last time, in true time; undefined: never. */
  readonly readRecords: number | undefined;
  /** It stood still not long ago: what it does now was decided long before. */
  readonly wasPaused: boolean;
  readonly asked: Asked;
  /** When it began, in true time. */
  readonly bornAt: number;
};

const FAILURE = /^(?:run_state|failed_at|updated_at|result(?:\..*)?)$/;
const REQUEUE = /^(?:run_state|queued_at|updated_at)$/;

export function judgeWrite(scene: Scene, change: Change, knowledge: Knowledge, violate: Violate): void {
  const { before, after, author, collection, kind } = change;
  if (collection !== OPERATIONS || kind !== "update" || before === undefined || after === undefined) {
    violate("3: opjob changes operations, and makes and removes none", `${author.name}: ${kind} in ${collection}`);
    return;
  }
  const fields = Object.keys(difference(before, after));
  const foreign = fields.filter((field) => !isOwn(field));
  const id = String(before["_id"]).slice(-4);
  const written = { before, after, who: `${author.name} on ${id}` };
  const requeueing = isRequeue(written);
  const failing = stateOf(before) !== stateOf(after) && !requeueing;
  const odd = foreign.filter((field) => !(failing && FAILURE.test(field)) && !(requeueing && REQUEUE.test(field)));
  if (odd.length > 0)
    violate("3: opjob writes nothing that is not its own", `${author.name} wrote ${odd.join()} of ${id}`);
  judgeClaim(scene, written, knowledge, violate);
  if (failing) judgeFailure(scene, written, knowledge.asked, violate);
  judgeRecord(scene, written, violate);
  noteStale(scene, written, knowledge);
  if (isRestored(written)) scene.restored.set(String(before["_id"]), scene.time.now);
}

const isOwn = (field: string): boolean =>
  field === "opjob" ||
  field.startsWith("opjob.") ||
  field === "run_link" ||
  field.startsWith("pipeline_run_info.child");

/** undefined: there is none. */
const tokenIn = (doc: Doc): unknown => claimOf(doc)?.["token"];

/** 4: never steal. A claim is for a queued operation of an active orchestrator that is not claimed since it was queued. */
function judgeClaim(scene: Scene, { before, after, who }: Written, knowledge: Knowledge, violate: Violate): void {
  if (isMarked({ before, after, who })) return;
  if (keptOn(after)?.["phase"] === "queued") {
    judgeNote(scene, { before, after, who }, knowledge, violate);
    return;
  }
  if (isRetry({ before, after, who })) {
    judgeRetry(scene, { before, after, who }, violate);
    return;
  }
  if (isPassedOver({ before, after, who })) {
    judgePassOver({ before, after, who }, violate);
    return;
  }
  if (same(tokenIn(before), tokenIn(after))) {
    judgeRetake(scene, { before, after, who }, violate);
    return;
  }
  const wrong = [
    ...whyNotOurs(scene, before, knowledge),
    attemptIn(after) !== attemptIn(before) + 1 && `its attempt becomes ${attemptIn(after)} after ${attemptIn(before)}`,
    !isClaimedNow(after) && "the claim is not for its present queueing",
  ].filter((why) => why !== false);
  if (wrong.length > 0) violate("4: never steal", `${who}: claimed although ${wrong.join(", ")}`);
}

/** Who comes to lead marks with its epoch whatever was ever claimed; of an operation that waits again that is the claim of before. */
const isMarked = ({ before, after }: Written): boolean =>
  Object.keys(difference(before, after)).every((field) => field === "opjob.epoch");

/** The same claim goes on with the next attempt, which has no Job yet. */
const isPassedOver = ({ before, after }: Written): boolean =>
  isClaimedNow(before) &&
  same(tokenIn(before), tokenIn(after)) &&
  attemptIn(after) > attemptIn(before) &&
  claimOf(after)?.["uid"] === undefined;

function judgePassOver({ before, who }: Written, violate: Violate): void {
  const state = stateOf(before);
  const wrong = state !== "queued" || claimOf(before)?.["uid"] !== undefined;
  if (wrong) violate("1: a name is passed over only before anything runs", `${who}: it is ${state}`);
}

/** Why an operation may be neither claimed nor told anything. */
const whyNotOurs = (scene: Scene, before: Doc, knowledge: Knowledge) => [
  stateOf(before) !== "queued" && `it is ${stateOf(before)}`,
  before["archived"] === true && "it is archived",
  isForeign(scene, before["delegation_target"], knowledge) && `its target is ${textOf(before["delegation_target"])}`,
  isClaimedNow(before) && "it is claimed already",
];

/** One that waits may be told why: it is claimed by nobody, before as after. */
function judgeNote(scene: Scene, { before, after, who }: Written, knowledge: Knowledge, violate: Violate): void {
  const wrong = [
    ...whyNotOurs(scene, before, knowledge),
    attemptIn(after) !== attemptIn(before) && `its attempt becomes ${attemptIn(after)}`,
    isClaimedNow(after) && "it is claimed by that",
  ].filter((why) => why !== false);
  if (wrong.length > 0) violate("4: never steal", `${who}: told why it waits although ${wrong.join(", ")}`);
}

/** An operation may be taken up without being claimed if a worker in a Job of ours runs it. */
function judgeRetake(scene: Scene, { before, after, who }: Written, violate: Violate): void {
  const taken = claimOf(before) === undefined || (isClaimedNow(after) && !isClaimedNow(before));
  if (!taken) return;
  const queuedAt = dateAt(before, "queued_at");
  const id = String(before["_id"]);
  // A person's copy of a Job of ours cannot be told from one.
  const ours =
    scene.ledger.some((one) => one.operation === id && Object.is(one.queuedAt, queuedAt)) ||
    jobsOf(scene, id).some(isImpostor);
  scene.retaken.set(id, scene.time.now);
  if (stateOf(before) !== "running" || !ours) violate("4: never steal", `${who}: written to without a claim`);
}

/** No orchestrator on Kubernetes, or one that the daemon could know to be inactive. */
function isForeign(scene: Scene, target: unknown, { readRecords, wasPaused }: Knowledge): boolean {
  const { time } = scene;
  const record = orchestratorOf(scene, target);
  if (record === undefined) return true;
  if (isActive(record) || wasPaused || readRecords === undefined) return false;
  const since = dateAt(record, "deactivated_at");
  return readRecords > since && time.now > readRecords + RACE / 2;
}

/** What is recorded as an operation's Job is that Job, and no other's. */
function judgeRecord(scene: Scene, { before, after, who }: Written, violate: Violate): void {
  const job = newlyRecorded(scene, { before, after, who });
  if (job === undefined) return;
  const right = jobsOf(scene, String(after["_id"])).includes(job) && attemptOf(job) === attemptIn(after);
  if (!right || isOfEarlierQueueing(job, { ...after, opjob: claimOf(before) }))
    violate("1: only a Job of the attempt is adopted", `${who}: recorded ${job.metadata.uid}`);
}

/** The Job that is recorded by this write; undefined: none is, or it is gone already. */
function newlyRecorded(scene: Scene, { before, after }: Written): KubeObject | undefined {
  const [was, uid] = [claimOf(before)?.["uid"], claimOf(after)?.["uid"]];
  if (uid === undefined || uid === was) return undefined;
  return scene.clusters.flatMap(({ store }) => store.byUid("jobs", textOf(uid)) ?? [])[0];
}

/** Who began later than a Job ended saw it only so; who asked for it later, too. */
function noteStale(scene: Scene, written: Written, { wasPaused, bornAt, asked }: Knowledge): void {
  const job = newlyRecorded(scene, written);
  if (job === undefined || wasPaused) return;
  const { uid } = job.metadata;
  const ended = scene.ends.get(uid) ?? Number.POSITIVE_INFINITY;
  if (ended < Math.max(bornAt, asked(job))) scene.stale.add(uid);
}
