// Plays FiftyOne's workers for all Jobs at once, in the database alone: what has a Job runs a moment later, and is completed.
// Knows the contract's two writes; the local server's Pods end by themselves (annotations of the template).
import { setTimeout as sleep } from "node:timers/promises";
import type { Db } from "mongodb";

const EVERY_MS = 200;

export function playWorkers(db: Db): AsyncDisposable {
  const operations = db.collection("delegated_ops");
  const stop = new AbortController();
  const round = async (): Promise<void> => {
    const now = new Date();
    const before = new Date(now.getTime() - EVERY_MS);
    await operations.updateMany(
      { run_state: "running", started_at: { $lt: before } },
      { $set: { run_state: "completed", completed_at: now, updated_at: now, result: { result: null, error: null } } },
    );
    await operations.updateMany(
      { run_state: "queued", "opjob.uid": { $exists: true } },
      { $set: { run_state: "running", started_at: now, updated_at: now } },
    );
  };
  const done = (async () => {
    while (!stop.signal.aborted) {
      await round();
      await sleep(EVERY_MS);
    }
  })();
  return {
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await done;
    },
  };
}
