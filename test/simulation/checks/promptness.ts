// Long after all has gone right again, what a watch tells is acted upon by what it tells, and not only when everything is looked at
// anew. Knows how long faults may have effects; nothing of how daemons hear.
import { hasEnded } from "../kubernetes/objects.ts";
import type { Doc } from "../mongo/values.ts";
import { OPERATIONS } from "../worker.ts";
import { claimOf, isClaimedNow, isEnded, jobsOf, type Scene, stateOf, type Violate } from "./scene.ts";

/**
 * So long after the plan's end nothing of a fault is left (ms): a watch that fell silent is given up after two minutes, and whoever
 * waits before a further try has tried again.
 */
const SETTLED = 200_000;
/** From then on a Job's end is on record within so long (ms): a result's grace, a look at the Job, the last words, a write. */
const SOON = 60_000;

export function createPromptnessJudge(scene: () => Scene, violate: Violate) {
  /** Since when an operation's Job has been over, and nobody acts on it. */
  const since = new Map<string, number>();

  return {
    /** From time to time. */
    look(): void {
      const { plan, time, server } = scene();
      if (time.elapsed < plan.horizonMs + SETTLED) return;
      for (const doc of server.all(OPERATIONS)) {
        const key = `${String(doc["_id"]).slice(-4)} ${String(claimOf(doc)?.["uid"])} ${String(claimOf(doc)?.["phase"])}`;
        if (!isPassedOver(scene(), doc)) {
          since.delete(key);
          continue;
        }
        const begun = since.get(key) ?? time.elapsed;
        since.set(key, begun);
        if (time.elapsed - begun > SOON) violate("6: what a watch tells is acted upon soon", key);
      }
    },
  };
}

/** Its Job has ended, or is gone, and what is on record takes it for one that goes on. */
function isPassedOver(scene: Scene, doc: Doc): boolean {
  const { uid, phase } = claimOf(doc) ?? {};
  if (uid === undefined || !isClaimedNow(doc) || phase === "withdrawn") return false;
  const job = jobsOf(scene, String(doc["_id"])).find(({ metadata }) => metadata.uid === uid);
  if (job !== undefined && !hasEnded(job)) return false;
  // Of an operation that has ended nothing is missing when its Job has gone before anybody looked.
  return isEnded(doc)
    ? job !== undefined && phase !== "done" && phase !== "failed"
    : ["queued", "running"].includes(stateOf(doc));
}
