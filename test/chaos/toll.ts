// The toll of a storm: what became of each operation, by the workers' own ledger, the database and the API server.
// Judges; knows nothing of what struck.
import { setTimeout as sleep } from "node:timers/promises";
import type { Db, Document } from "mongodb";
import type { Client, Thing } from "../kubernetes/client.ts";
import { NAMESPACE } from "./fleet.ts";
import type { Ledger } from "./ledger.ts";

export type Toll = {
  readonly completed: number;
  /** No worker ever fails here: each one that failed was failed falsely. */
  readonly failed: readonly string[];
  /** Operations that are neither completed nor failed, and what they are instead. */
  readonly lost: readonly string[];
  /** Operations that were executed more than once, or not at all although they are completed. */
  readonly doubled: readonly string[];
  readonly missing: readonly string[];
  /** Operations of which more than one Job of the same attempt was seen. */
  readonly secondJobs: readonly string[];
  /** Attempts after the first: what the cluster lost before it began is launched again. */
  readonly retried: number;
  /** Jobs and Pods that still live although all operations have ended. */
  readonly leftOver: number;
  /** Of operations that have ended, how many are in which phase although opjob should have noted it: that costs nobody anything. */
  readonly unnoted: Readonly<Record<string, number>>;
  /** Pods that found their operation taken. */
  readonly refusedPods: number;
  /** Milliseconds from queueing to execution: the median while all is calm, and what the storm adds to it. */
  readonly calm: number;
  readonly delay: { readonly p50: number; readonly p99: number; readonly most: number };
  /** During which faults those were queued that were delayed longest (ms); the longest first. */
  readonly slowest: Readonly<Record<string, number>>;
};

/** `during`: the fault that struck meanwhile. */
export type Queued = { readonly id: string; readonly at: number; readonly during?: string };

const JOBS = `/apis/batch/v1/namespaces/${NAMESPACE}/jobs`;
const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`;

/** How many of the toll's findings are harm; 0 is what the storm must show. */
export const harm = ({ failed, lost, doubled, missing, secondJobs, leftOver }: Toll): number =>
  failed.length + lost.length + doubled.length + missing.length + secondJobs.length + leftOver;

export const quantile = (values: readonly number[], q: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))] ?? Number.NaN;

export const delays = (ids: readonly Queued[], { began }: Ledger): number[] =>
  ids.flatMap(({ id, at }) => {
    const begun = began.get(id);
    return begun === undefined ? [] : [begun - at];
  });

export type Witnesses = { readonly db: Db; readonly admin: Pick<Client, "send">; readonly ledger: Ledger };

export async function judge({ db, admin, ledger }: Witnesses, calm: number, ids: readonly Queued[]): Promise<Toll> {
  const leftOver = await tidied(admin);
  const unnoted = await noted(db);
  const documents = await db.collection("delegated_ops").find().toArray();
  const state = new Map(documents.map((document) => [String(document["_id"]), document]));
  const failed = documents.filter(({ run_state }) => run_state === "failed");
  const late = delays(ids, ledger).map((ms) => Math.max(0, ms - calm));
  const done = ids.filter(({ id }) => state.get(id)?.["run_state"] === "completed").map(({ id }) => id);
  const more = (all: Iterable<readonly [string, { readonly length: number }]>): string[] =>
    [...all].filter(([, { length }]) => length > 1).map(([id]) => id);
  return {
    completed: done.length,
    failed: failed.map(({ _id, result }) => `${String(_id)}: ${String(result?.error)}`),
    lost: ids.filter(({ id }) => !hasEnded(state.get(id))).map(({ id }) => `${id}: ${stateOf(state.get(id))}`),
    doubled: more(ledger.executed),
    missing: done.filter((id) => !ledger.executed.has(id)),
    secondJobs: more([...ledger.jobs].map(([id, jobs]) => [id, [...jobs]])),
    retried: [...ledger.jobs.keys()].filter((key) => !key.endsWith(" 1")).length,
    leftOver,
    unnoted,
    refusedPods: ledger.refused(),
    calm,
    delay: { p50: quantile(late, 0.5), p99: quantile(late, 0.99), most: Math.max(...late) },
    slowest: slowest(ids, ledger, calm),
  };
}

const SLOWEST = 6;

function slowest(ids: readonly Queued[], ledger: Ledger, calm: number): Record<string, number> {
  const faults = Map.groupBy(ids, ({ during = "" }) => during);
  const most = [...faults].map(([fault, some]) => [fault, Math.max(...delays(some, ledger)) - calm] as const);
  return Object.fromEntries(most.toSorted(([, a], [, b]) => b - a).slice(0, SLOWEST));
}

const hasEnded = (document: Document | undefined): boolean =>
  ["completed", "failed"].includes(String(document?.["run_state"]));
const stateOf = ({ run_state, metadata, opjob }: Document = {}): string =>
  JSON.stringify({ run_state, worker: metadata?.worker, opjob });

/** How many Jobs and Pods still live when all had a minute to end. */
async function tidied(admin: Pick<Client, "send">): Promise<number> {
  const end = Date.now() + 60_000;
  const living = async (path: string, hasEnded: (thing: Thing) => boolean): Promise<number> => {
    const seen = await admin.send("GET", path).catch(() => undefined);
    if (seen?.code !== 200) return Number.POSITIVE_INFINITY;
    return seen.body.items.filter((thing) => !hasEnded(thing)).length;
  };
  for (;;) {
    const live = (await living(JOBS, hasJobEnded)) + (await living(PODS, hasPodEnded));
    if (live === 0 || Date.now() > end) return live;
    await sleep(500);
  }
}

/** Those that are not noted within half a minute, by phase. */
async function noted(db: Db): Promise<Record<string, number>> {
  const end = Date.now() + 30_000;
  const filter = { run_state: { $in: ["completed", "failed"] }, "opjob.phase": { $nin: ["done", "failed"] } };
  for (;;) {
    const late = await db.collection("delegated_ops").find(filter).toArray();
    if (late.length > 0 && Date.now() < end) await sleep(500);
    else return Object.fromEntries(counted(late.map((document) => String(document["opjob"]?.phase))));
  }
}

function counted(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

const hasJobEnded = ({ status: { conditions = [] } }: Thing): boolean =>
  conditions.some(({ type, status }) => (type === "Complete" || type === "Failed") && status === "True");
const hasPodEnded = ({ status: { phase } }: Thing): boolean => phase === "Succeeded" || phase === "Failed";
