// Plays FiftyOne's worker for Pods that only seem to run: whatever Pod starts takes its operation, and completes it at its end.
// Keeps a ledger of which Pods ever were; must not know opjob but by its label.
import { setTimeout as sleep } from "node:timers/promises";
import { type Db, ObjectId } from "mongodb";
import { LABELS } from "../../src/clusters/observation.ts";
import type { Client, Thing } from "./client.ts";

export type Workers = {
  /** Uids of all Pods that were seen to start, by operation. */
  readonly pods: ReadonlyMap<string, ReadonlySet<string>>;
  /** Uids of the Jobs whose Pods they were, by operation. */
  readonly jobs: ReadonlyMap<string, ReadonlySet<string>>;
  /** How often an operation was executed: a worker takes only one that is still queued. */
  readonly executions: ReadonlyMap<string, number>;
  [Symbol.asyncDispose](): Promise<void>;
};

const LOOK_EVERY_MS = 200;

/** @param path of the Pods to play for */
export function playWorkers(client: Client, path: string, db: Db): Workers {
  const pods = new Map<string, Set<string>>();
  const jobs = new Map<string, Set<string>>();
  const executions = new Map<string, number>();
  const ended = new Set<string>();
  const stop = new AbortController();
  const operations = db.collection("delegated_ops");

  const begin = async (operation: string): Promise<void> => {
    const taken = await operations.updateOne(
      { _id: new ObjectId(operation), run_state: "queued" },
      { $set: { run_state: "running", started_at: new Date() } },
    );
    if (taken.modifiedCount === 1) executions.set(operation, (executions.get(operation) ?? 0) + 1);
  };
  const end = async (operation: string): Promise<void> => {
    const result = { result: { operation }, error: null };
    await operations.updateOne(
      { _id: new ObjectId(operation), run_state: "running" },
      { $set: { run_state: "completed", completed_at: new Date(), result } },
    );
  };
  const play = async ({ metadata: { uid, labels }, status }: Thing): Promise<void> => {
    const operation = labels?.[LABELS.operation];
    if (operation === undefined || !hasStarted(status)) return;
    setOf(jobs, operation).add(labels["batch.kubernetes.io/controller-uid"] ?? "");
    if (!setOf(pods, operation).has(uid)) {
      setOf(pods, operation).add(uid);
      await begin(operation);
    }
    if (status.phase !== "Succeeded" || ended.has(uid)) return;
    ended.add(uid);
    await end(operation);
  };
  const loop = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      // While the API server is down nothing can start, either.
      // Version 0: from the API server's memory. Hundreds of Pods, read so often, are work for etcd.
      const seen = await client.send("GET", path, { query: { resourceVersion: 0 } }).catch(() => undefined);
      if (seen?.code === 200) await Promise.all(seen.body.items.map(play));
      await sleep(LOOK_EVERY_MS);
    }
  };
  const done = loop();
  return {
    pods,
    jobs,
    executions,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await done;
    },
  };
}

/** A Pod whose node goes before anything of it ran fails, too. */
const hasStarted = ({ phase, containerStatuses = [] }: Thing["status"]): boolean =>
  phase === "Running" ||
  phase === "Succeeded" ||
  containerStatuses.some(({ state }) => state["terminated"] !== undefined);

function setOf(sets: Map<string, Set<string>>, key: string): Set<string> {
  const known = sets.get(key) ?? new Set<string>();
  sets.set(key, known);
  return known;
}
