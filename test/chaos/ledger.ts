// Workers for the Pods of a node that only plays: each takes its operation if it is queued, works for a moment, records its result,
// and ends its Pod. They keep a ledger that opjob never sees. Knows FiftyOne's contract and the Pods; not opjob, but for its label.
import { setTimeout as sleep } from "node:timers/promises";
import { type Db, ObjectId } from "mongodb";
import { LABELS } from "../../src/clusters/observation.ts";
import type { Client, Thing } from "../kubernetes/client.ts";

export type Ledger = AsyncDisposable & {
  /** Uids of Pods that executed an operation, by operation. */
  readonly executed: ReadonlyMap<string, readonly string[]>;
  /** When each execution began (ms since 1970). */
  readonly began: ReadonlyMap<string, number>;
  /** When the first Job of an operation was made, as the API server has it, to the second (ms since 1970). */
  readonly made: ReadonlyMap<string, number>;
  /** Uids of all Jobs that were ever seen, by themselves or by their Pods, by operation and attempt. */
  readonly jobs: ReadonlyMap<string, ReadonlySet<string>>;
  /** Pods that found their operation taken: Kubernetes itself may make two for one Job. */
  readonly refused: () => number;
};

const LOOK_EVERY_MS = 100;
/** A Job that ended stays for longer, and what opjob would delete sooner has a Pod. */
const LOOK_AT_JOBS_EVERY_MS = 1_000;
/** All that is asked of Jobs. */
const METADATA = { accept: "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1" };
const RETRY_MS = 250;
const GIVE_UP_MS = 180_000;

export type LedgerOptions = {
  readonly client: Client;
  readonly namespace: string;
  readonly db: Db;
  /** How long the next one works (ms). */
  readonly workMs: () => number;
};

export function keepLedger({ client, namespace, db, workMs }: LedgerOptions): Ledger {
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const executed = new Map<string, string[]>();
  const began = new Map<string, number>();
  const made = new Map<string, number>();
  const jobs = new Map<string, Set<string>>();
  const known = new Set<string>();
  const stop = new AbortController();
  // A primary that was cut off still shows what the others will never have: a worker believes only what is for good.
  const operations = db.collection("delegated_ops", { readConcern: "majority", writeConcern: { w: "majority" } });
  let refused = 0;

  /** Until it works: a worker is not the one who is tried here. */
  const insist = async <T>(act: () => Promise<T>): Promise<T> => {
    const end = Date.now() + GIVE_UP_MS;
    for (;;) {
      try {
        return await act();
      } catch (error) {
        if (Date.now() > end || stop.signal.aborted) throw error;
        await sleep(RETRY_MS);
      }
    }
  };
  /** A try whose answer was lost finds its own mark the next time, once it is for good; until then it knows nothing. */
  const take = async (operation: string, pod: string): Promise<boolean> => {
    const _id = new ObjectId(operation);
    const update = { $set: { run_state: "running", started_at: new Date(), "metadata.worker": pod } };
    return insist(async () => {
      if ((await operations.updateOne({ _id, run_state: "queued" }, update)).matchedCount === 1) return true;
      const found = await operations.findOne({ _id }, { projection: { run_state: 1, "metadata.worker": 1 } });
      if (found?.["run_state"] === "queued") throw new Error("whoever took it, it is not for good yet");
      return found?.["metadata"]?.worker === pod;
    });
  };
  const complete = (operation: string): Promise<unknown> => {
    const result = { result: { operation }, error: null };
    const update = { $set: { run_state: "completed", completed_at: new Date(), updated_at: new Date(), result } };
    return insist(() => operations.updateOne({ _id: new ObjectId(operation), run_state: "running" }, update));
  };
  const ended = (operation: string): Promise<unknown> =>
    insist(async () => {
      const found = await operations.findOne({ _id: new ObjectId(operation) }, { projection: { run_state: 1 } });
      if (found?.["run_state"] === "running") throw new Error("it still runs");
    });
  const endPod = ({ metadata: { name } }: Thing): Promise<unknown> =>
    insist(async () => {
      const now = new Date().toISOString();
      const terminated = { exitCode: 0, reason: "Completed", startedAt: now, finishedAt: now };
      const plain = { name: "worker", image: "test/worker:1", imageID: "", ready: false, restartCount: 0 };
      const body = { status: { phase: "Succeeded", containerStatuses: [{ ...plain, state: { terminated } }] } };
      const headers = { "content-type": "application/merge-patch+json" };
      const { code, text } = await client.send("PATCH", `${path}/${name}/status`, { body, headers });
      if (code !== 200 && code !== 404) throw new Error(text);
    });
  const work = async (pod: Thing, operation: string): Promise<void> => {
    const { uid } = pod.metadata;
    if (await take(operation, uid)) {
      executed.set(operation, [...(executed.get(operation) ?? []), uid]);
      if (!began.has(operation)) began.set(operation, Date.now());
      await sleep(workMs());
      await complete(operation);
    } else {
      refused++;
      await ended(operation);
    }
    await endPod(pod);
  };
  const note = (
    { [LABELS.operation]: operation, [LABELS.attempt]: attempt }: Thing["metadata"]["labels"],
    job: string,
  ): void => {
    const key = `${operation} ${attempt}`;
    jobs.set(key, (jobs.get(key) ?? new Set()).add(job));
  };
  const look = ({ metadata, status, ...pod }: Thing): void => {
    const operation = metadata.labels[LABELS.operation];
    if (operation === undefined) return;
    note(metadata.labels, metadata.labels["batch.kubernetes.io/controller-uid"] ?? "");
    // No kubelet starts a Pod that is being deleted.
    if (status.phase !== "Running" || metadata.deletionTimestamp !== undefined || known.has(metadata.uid)) return;
    known.add(metadata.uid);
    working.add(work({ metadata, status, ...pod }, operation).catch(() => undefined));
  };
  const working = new Set<Promise<void>>();
  const lookAtPods = async (): Promise<void> => {
    const seen = await client.send("GET", path, { query: { fieldSelector: "status.phase=Running" } });
    if (seen.code === 200) seen.body.items.forEach(look);
  };
  const lookAtJobs = async (): Promise<void> => {
    const seen = await client.send("GET", `/apis/batch/v1/namespaces/${namespace}/jobs`, { headers: METADATA });
    if (seen.code !== 200) return;
    for (const { metadata } of seen.body.items) {
      note(metadata.labels, metadata.uid);
      const { [LABELS.operation]: operation = "" } = metadata.labels;
      const at = Date.parse(metadata.creationTimestamp);
      made.set(operation, Math.min(at, made.get(operation) ?? at));
    }
  };
  const every = async (ms: number, act: () => Promise<void>): Promise<void> => {
    while (!stop.signal.aborted) {
      await act().catch(() => undefined);
      await sleep(ms);
    }
  };
  const done = Promise.all([every(LOOK_EVERY_MS, lookAtPods), every(LOOK_AT_JOBS_EVERY_MS, lookAtJobs)]);
  return {
    executed,
    began,
    made,
    jobs,
    refused: () => refused,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await done;
      await Promise.all(working);
    },
  };
}
