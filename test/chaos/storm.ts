// A storm over real parts: operations drain through two real daemons, a real replica set of three and a real control plane, while one
// fault after the other strikes, sometimes two at once. What became of each operation is read from the workers' own ledger.
import { setTimeout as sleep } from "node:timers/promises";
import { type Db, MongoClient } from "mongodb";
import { Client } from "../kubernetes/client.ts";
import { startPlane } from "../kubernetes/plane/plane.ts";
import { furnish } from "../kubernetes/stage.ts";
import { register, storeSecret } from "../local-daemon.ts";
import { queued } from "../operations/documents.ts";
import { random } from "../random.ts";
import { FAULTS, type Struck } from "./faults.ts";
import { NAMESPACE, openFleet } from "./fleet.ts";
import { keepLedger } from "./ledger.ts";
import { startReplicaSet } from "./replica-set.ts";
import { delays, judge, type Queued, quantile, type Toll } from "./toll.ts";

export type StormOptions = {
  readonly operations: number;
  readonly faults: number;
  readonly replicas: number;
  readonly seed: number;
  /** Kinds that do not strike. */
  readonly without?: readonly string[];
  readonly say: (line: string) => void;
};

/** By kind, how often it struck; how many found nothing to strike; how often a leadership began; and daemons that ended by themselves. */
export type Weather = {
  readonly struck: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly missed: readonly string[];
  readonly terms: number;
  readonly fallen: readonly (number | string)[];
};

const TARGET = "kubernetes-cpu";
const DATABASE = "fiftyone";
const CALM = 30;
/** All must have ended so long after the last fault (ms). */
const END_WITHIN = 300_000;
/** So long the operations of one round take to come, and so long there is a rest after its faults at the most (ms). */
const ROUND = { queueing: 3_000, parts: 6, rest: 2_500 };
/** How often two faults strike at once. */
const PAIRS = 0.3;

const TEMPLATE = JSON.stringify(
  {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: "{{ _name }}" },
    spec: {
      backoffLimit: 0,
      ttlSecondsAfterFinished: 30,
      template: {
        metadata: { annotations: { "plane/hang": "", "plane/start-after": "100ms" } },
        spec: {
          restartPolicy: "Never",
          containers: [{ name: "worker", image: "test/worker:1", command: ["{{ _command }}"] }],
        },
      },
    },
  },
  undefined,
  1,
);

export async function storm(options: StormOptions): Promise<Toll & Weather> {
  const { say, replicas, seed } = options;
  const draw = random(seed);
  await using closers = new AsyncDisposableStack();
  const plane = closers.use(await startPlane({ level: "kwok", users: ["opjob"] }));
  const set = closers.use(await startReplicaSet());
  const admin = closers.adopt(new Client(plane.kubeconfig()), (client) => client.close());
  const client = closers.use(await MongoClient.connect(set.uri));
  const db = client.db(DATABASE);
  const fleet = closers.use(await openFleet({ plane, uri: set.uri, db, replicas }));
  await furnish(admin, NAMESPACE);
  await db.collection("delegated_ops").createIndex({ run_state: 1 });
  await storeSecret(db, "KUBE", fleet.kubeconfig);
  await register(db, { id: TARGET, template: TEMPLATE, secret: "KUBE", config: { namespace: NAMESPACE } });
  // So that a fault finds Jobs in every stage.
  const work = random(seed + 1);
  const ledger = closers.use(
    keepLedger({ client: admin, namespace: NAMESPACE, db, workMs: () => 300 + work() * 2_500 }),
  );
  for (const { start } of fleet.replicas) start();

  const before = await queueCalmly(db);
  await ended(db, CALM, END_WITHIN);
  const calmly = delays(before, ledger);
  const calm = quantile(calmly, 0.5);
  say(
    `calm: ${calm.toFixed(0)} ms from queueing to execution (median of ${before.length}), at most ${Math.max(...calmly)}`,
  );
  const { ids, ...struck } = await strike({ plane, admin, set, fleet, draw }, db, options);
  await ended(db, CALM + options.operations, END_WITHIN);
  const toll = await judge({ db, admin, ledger }, calm, ids);
  return { ...struck, terms: fleet.terms(), fallen: fleet.fallen(), ...toll };
}

async function queue(db: Db, count: number): Promise<Queued[]> {
  const at = Date.now();
  const documents = Array.from({ length: count }, () =>
    queued({ delegation_target: TARGET, queued_at: new Date(at), metadata: {} }),
  );
  const operations = db.collection("delegated_ops", { readConcern: "majority" });
  for (let tries = 0; ; tries++) {
    const missing = documents.slice();
    try {
      // Some may be in already, by a try whose answer was lost.
      const there = await operations.distinct("_id", { _id: { $in: documents.map(({ _id }) => _id) } });
      const known = new Set(there.map(String));
      missing.splice(0, missing.length, ...documents.filter(({ _id }) => !known.has(String(_id))));
      if (missing.length > 0) await operations.insertMany(missing, { ordered: false });
      return documents.map(({ _id }) => ({ id: _id.toHexString(), at }));
    } catch (error) {
      if (tries > 60) throw error;
      await sleep(500);
    }
  }
}

/** The first one finds daemons that are still starting. The others come as fast as in the storm. */
async function queueCalmly(db: Db): Promise<Queued[]> {
  await queue(db, 1);
  await ended(db, 1, END_WITHIN);
  return queueOver(db, CALM - 1);
}

async function queueOver(db: Db, count: number): Promise<Queued[]> {
  const all: Queued[] = [];
  for (let part = 1; part <= ROUND.parts; part++) {
    const more = Math.floor((count * part) / ROUND.parts) - all.length;
    if (more > 0) all.push(...(await queue(db, more)));
    await sleep(ROUND.queueing / ROUND.parts);
  }
  return all;
}

/** There is always something on its way when a fault strikes: operations come in step with the faults. */
async function strike(struck: Struck, db: Db, options: StormOptions) {
  const { operations, faults: count, say } = options;
  const faults: Record<string, number> = {};
  const missed: string[] = [];
  const ids: Queued[] = [];
  let nth = 0;
  for (const round of plan(options, struck.draw)) {
    const during = `${nth + 1}: ${round.join(" and ")}`;
    say(during);
    nth += round.length;
    const queueing = queueOver(db, Math.floor((operations * nth) / count) - ids.length);
    await sleep(struck.draw() * ROUND.queueing);
    const strikes = round.map(async (name) => {
      const outcome = await FAULTS.find((group) => name in group)?.[name]?.(struck);
      if (outcome === "missed") missed.push(name);
      else faults[name] = (faults[name] ?? 0) + 1;
    });
    const [found] = await Promise.all([queueing, ...strikes]);
    ids.push(...found.map((one) => ({ ...one, during })));
    await sleep(struck.draw() * ROUND.rest);
  }
  return { struck: count - missed.length, faults, missed, ids };
}

/** Each kind once, in any order, and then as it comes; now and then two of different groups at once. */
function plan({ faults, without = [] }: StormOptions, draw: () => number): string[][] {
  const kinds = FAULTS.flatMap((group) => Object.keys(group)).filter((name) => !without.includes(name));
  const groupOf = (name: string): number => FAULTS.findIndex((group) => name in group);
  const pick = (from: string[]): string => from.splice(Math.floor(draw() * from.length), 1)[0] ?? "";
  const names: string[] = [];
  for (let left: string[] = []; names.length < faults; names.push(pick(left))) if (left.length === 0) left = [...kinds];
  const rounds: string[][] = [];
  for (const name of names) {
    const last = rounds.at(-1);
    const joins = last?.length === 1 && groupOf(last[0] ?? "") !== groupOf(name) && draw() < PAIRS;
    if (joins) last.push(name);
    else rounds.push([name]);
  }
  return rounds;
}

async function ended(db: Db, count: number, withinMs: number): Promise<void> {
  const end = Date.now() + withinMs;
  const filter = { run_state: { $in: ["completed", "failed"] } };
  const reached = async (): Promise<boolean> =>
    (await db
      .collection("delegated_ops")
      .countDocuments(filter)
      .catch(() => 0)) >= count;
  while (!(await reached())) {
    if (Date.now() > end) return;
    await sleep(200);
  }
}
