// What must be true when everything has come to rest: nothing lost, nothing left over. Each complaint says of one thing why it
// is not at rest (yet). Knows the contract.
import { type KubeObject, textOf } from "../kubernetes/objects.ts";
import type { Doc } from "../mongo/values.ts";
import { OPERATIONS } from "../worker.ts";
import {
  attemptOf,
  claimOf,
  documentOf,
  executionsOf,
  isActive,
  isClaimedNow,
  isEnded,
  isImpostor,
  isLive,
  jobsOf,
  keptOn,
  operationOf,
  orchestratorOf,
  type Scene,
  stateOf,
} from "./scene.ts";

export function complaints(scene: Scene): string[] {
  const operations = scene.server.all(OPERATIONS).flatMap((doc) => ofOperation(scene, doc) ?? []);
  const jobs = jobsOf(scene).flatMap((job) => ofJob(scene, job) ?? []);
  return [...operations, ...jobs];
}

/** 2: no operation is lost. */
function ofOperation(scene: Scene, doc: Doc): string | undefined {
  const id = String(doc["_id"]);
  const name = id.slice(-4);
  if (isEnded(doc))
    return isOnRecord(scene, doc) ? undefined : `2: ${name} has ended, and opjob's record of it has not`;
  if (isNobodys(scene, doc)) return undefined;
  if (stateOf(doc) === "running") {
    const claimed = claimOf(doc) !== undefined;
    return executionsOf(scene, id).length > 0 || !claimed ? undefined : `2: ${name} is running, but nobody executes it`;
  }
  return ofQueued(scene, doc, name);
}

/** What ended says so in opjob's own words, too, unless its orchestrator is none of ours (any more). */
function isOnRecord(scene: Scene, doc: Doc): boolean {
  const ours = isClaimedNow(doc) && isActive(orchestratorOf(scene, doc["delegation_target"]));
  return !ours || ["done", "failed"].includes(String(claimOf(doc)?.["phase"]));
}

function ofQueued(scene: Scene, doc: Doc, name: string): string | undefined {
  const phase = String(claimOf(doc)?.["phase"]);
  const waits = !isClaimedNow(doc) || phase === "held";
  if (waits && waitsRightly(scene, doc)) return undefined;
  if (!isClaimedNow(doc)) return `2: ${name} is queued and not claimed, nor told why`;
  if (!isActive(orchestratorOf(scene, doc["delegation_target"]))) return undefined;
  return `2: ${name} is queued, ${phase}, and no worker takes it`;
}

/** One that is launched again waits for a place as any other. */
const isAgainInLine = (scene: Scene, doc: Doc): boolean =>
  stateOf(doc) === "queued" && claimOf(doc)?.["earlier"] !== undefined && waitsRightly(scene, doc);

/** For a place within the limit, which others have; and it was told so. */
function waitsRightly(scene: Scene, doc: Doc): boolean {
  const { limit = 0 } = scene.plan;
  // An operation that was queued again still has its earlier claim, which no note may take the place of.
  const told = claimOf(doc) !== undefined || textOf(keptOn(doc)?.["reason"]) !== "";
  return limit > 0 && jobsOf(scene).filter(isLive).length >= limit && told;
}

/** Nobody is to take it up: it is not queued, or not for us. */
export function isNobodys(scene: Scene, doc: Doc): boolean {
  const waits = stateOf(doc) !== "queued" && stateOf(doc) !== "running";
  const known = orchestratorOf(scene, doc["delegation_target"]);
  const free = known === undefined || (!isActive(known) && !isClaimedNow(doc));
  return waits || free || isAgainInLine(scene, doc) || (doc["archived"] === true && stateOf(doc) === "queued");
}

/** 7: failing an operation and deleting its Job is one obligation; nothing runs for nobody. */
function ofJob(scene: Scene, job: KubeObject): string | undefined {
  if (!isLive(job) || isImpostor(job)) return undefined;
  const { uid } = job.metadata;
  const doc = documentOf(scene, operationOf(job));
  if (doc === undefined) return `7: Job ${uid} lives, and its operation is gone`;
  if (isEnded(doc)) return `7: Job ${uid} lives, and its operation has ${stateOf(doc)}`;
  // Its claim was taken back, and nobody claims it as long as its orchestrator is not active: the Job still serves it.
  if (stateOf(doc) === "queued" && !isClaimedNow(doc) && isNobodys(scene, doc)) return undefined;
  if (attemptOf(job) !== Number(claimOf(doc)?.["attempt"])) return `7: Job ${uid} lives for an earlier attempt`;
  return undefined;
}
