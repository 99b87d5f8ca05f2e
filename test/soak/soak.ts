// The soak: many operations through one daemon, and its memory and descriptors at the start, on the way and at the end; then
// start-up and latency with a million finished operations in the collection, against none; then a long queue.
// `npm run soak -- --operations N --finished N --queued N`; bounded in count and in time.
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { type Db, type Document, MongoClient } from "mongodb";
import { operationDocument } from "../../src/local/demo/cast.ts";
import { startLocalKubernetes } from "../../src/local/kubernetes/server.ts";
import { startMongod } from "../../src/local/mongod.ts";
import { ENCRYPTION_KEY, register, storeSecret } from "../local-daemon.ts";
import { type Sample, startWatched, type WatchedDaemon } from "./watched-daemon.ts";
import { playWorkers } from "./workers.ts";

const { values } = parseArgs({
  options: {
    operations: { type: "string", default: "10000" },
    finished: { type: "string", default: "1000000" },
    queued: { type: "string", default: "100000" },
  },
});
const [OPERATIONS, FINISHED, QUEUED] = [Number(values.operations), Number(values.finished), Number(values.queued)];
const TARGET = "kubernetes-cpu";
const DATABASE = "fiftyone";
/** No part takes longer than this (ms). */
const LONGEST = 1_800_000;
/** What counts as flat: between the first quarter and the end. */
const FLAT = { heap: 1.15, rss: 1.15, descriptors: 1.1 };
/** So many entries more than after the first quarter are growth. */
const GROWN = 10;
/** As FiftyOne makes them (contract); opjob makes none. */
const INDEXES = ["operator", "updated_at", "run_state", "parent_id"];

const TEMPLATE = `
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ _name }}
spec:
  backoffLimit: 0
  ttlSecondsAfterFinished: 1
  template:
    metadata:
      annotations: { local/run-for-ms: "700" }
    spec:
      restartPolicy: Never
      containers:
        - { name: worker, image: "local/worker:1", command: ["{{ _command }}"] }
`;

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const operation = (fields: Document = {}): Document => ({
  ...operationDocument(
    { label: "Soak", target: TARGET, ends: "completed", params: { fate: "succeed", seconds: 1 } },
    new Date(),
  ),
  ...fields,
});

async function queue(db: Db, count: number): Promise<Document[]> {
  const documents = Array.from({ length: count }, () => operation());
  await db.collection("delegated_ops").insertMany(documents, { ordered: false });
  return documents;
}

async function until(what: string, reached: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + LONGEST;
  while (!(await reached())) {
    if (Date.now() > end) throw new Error(`not reached: ${what}`);
    await sleep(50);
  }
}

const show = ({ heapMb, rssMb, descriptors, lanes, jobs }: Sample): string =>
  `heap ${heapMb.toFixed(0)} MB, RSS ${rssMb.toFixed(0)} MB, ${descriptors} descriptors, ${lanes} lanes, ${jobs} Jobs observed`;

const list = (all: readonly (readonly [string, number])[]): string =>
  all.map(([of, size]) => `${of} ${size}`).join(", ");

type Scene = { readonly db: Db; readonly start: () => Promise<WatchedDaemon> };

/** @returns whether it was flat */
async function soak({ db, start }: Scene): Promise<boolean> {
  await using daemon = await start();
  await using _ = playWorkers(db);
  const left = (): Promise<number> =>
    db.collection("delegated_ops").countDocuments({ run_state: { $in: ["queued", "running"] } });
  say(`soak, at the start: ${show(await daemon.sample())}`);
  const samples: Sample[] = [];
  const begun = performance.now();
  for (let quarter = 1; quarter <= 4; quarter++) {
    // In portions: a backlog of all would be a measure of the queue, not of time.
    for (let i = 0; i < 10; i++) {
      await queue(db, OPERATIONS / 40);
      await until("the portion has ended", async () => (await left()) === 0);
    }
    await sleep(5_000);
    samples.push(await daemon.sample());
    say(`soak, after ${(OPERATIONS * quarter) / 4}: ${show(samples.at(-1) as Sample)}`);
  }
  say(`soak: ${OPERATIONS} operations in ${((performance.now() - begun) / 1_000).toFixed(0)} s`);
  const [first, last] = [samples[0] as Sample, samples.at(-1) as Sample];
  const ratios = {
    heap: last.heapMb / first.heapMb,
    rss: last.rssMb / first.rssMb,
    descriptors: last.descriptors / first.descriptors,
  };
  const flat = Object.entries(FLAT).every(([what, most]) => ratios[what as keyof typeof FLAT] <= most);
  const parts = Object.entries(ratios).map(([what, ratio]) => `${what} × ${ratio.toFixed(2)}`);
  say(`soak: from a quarter to the end ${parts.join(", ")}: ${flat ? "flat" : "NOT flat"}`);
  const grown = Object.entries(last.sizes).filter(([of, size]) => size > (first.sizes[of] ?? 0) + GROWN);
  say(`soak: in memory at the end ${list(Object.entries(last.sizes).filter(([, size]) => size > 0))}`);
  if (grown.length > 0) say(`soak: GROWN since a quarter: ${list(grown)}`);
  return flat && last.lanes === 0 && grown.length === 0;
}

const quantile = (sorted: readonly number[], q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;

type Measured = { readonly readyMs: number; readonly p50: number; readonly p99: number };

/** Start-up, and milliseconds from the insert of an operation to the record of its Job, one after the other. */
async function measure({ db, start }: Scene, count = 150): Promise<Measured> {
  await using daemon = await start();
  await using _ = playWorkers(db);
  const operations = db.collection("delegated_ops");
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const begun = performance.now();
    const [{ _id } = operation()] = await queue(db, 1);
    while ((await operations.findOne({ _id }, { projection: { "opjob.uid": 1 } }))?.["opjob"]?.uid === undefined)
      await sleep(1);
    times.push(performance.now() - begun);
  }
  const sorted = times.slice(10).toSorted((a, b) => a - b);
  return { readyMs: daemon.readyMs, p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) };
}

async function fill(db: Db, count: number, fields: Document): Promise<void> {
  const portion = 5_000;
  for (let i = 0; i < count; i += portion) {
    const documents = Array.from({ length: Math.min(portion, count - i) }, (_, nth) =>
      operation({ ...fields, queued_at: new Date(Date.now() - (i + nth) * 1_000) }),
    );
    await db.collection("delegated_ops").insertMany(documents, { ordered: false, writeConcern: { w: 1 } });
  }
}

/** How every query of opjob's was planned: none may look through the collection. @returns whether none did */
async function plans(db: Db): Promise<boolean> {
  const found = await db
    .collection("system.profile")
    .aggregate([
      { $match: { appName: "opjob", ns: `${DATABASE}.delegated_ops`, planSummary: { $exists: true } } },
      {
        $group: {
          _id: { op: "$op", plan: "$planSummary" },
          count: { $sum: 1 },
          longest: { $max: "$millis" },
          docs: { $max: "$docsExamined" },
        },
      },
      { $sort: { count: -1 } },
    ])
    .toArray();
  for (const { _id, count, longest, docs } of found)
    say(`plan: ${count} × ${_id.op} by ${_id.plan}, at most ${docs ?? 0} documents and ${longest} ms`);
  return found.length > 0 && found.every(({ _id }) => !String(_id.plan).includes("COLLSCAN"));
}

async function compare(scene: Scene): Promise<boolean> {
  const { db } = scene;
  const operations = db.collection("delegated_ops");
  await operations.deleteMany({});
  const empty = await measure(scene);
  const begun = performance.now();
  const result = { result: null, error: null };
  const ended = { run_state: "completed", completed_at: new Date(), result, opjob: { attempt: 1, phase: "done" } };
  await fill(db, FINISHED, ended);
  say(`${FINISHED} finished operations, inserted in ${((performance.now() - begun) / 1_000).toFixed(0)} s`);
  await db.command({ profile: 2 });
  const full = await measure(scene);
  await db.command({ profile: 0 });
  const ratio = (field: keyof Measured): string =>
    `${full[field].toFixed(1)} against ${empty[field].toFixed(1)} ms, × ${(full[field] / empty[field]).toFixed(2)}`;
  say(`with ${FINISHED} finished: start-up ${ratio("readyMs")}; latency p50 ${ratio("p50")}, p99 ${ratio("p99")}`);
  const indexed = await plans(db);
  say(indexed ? "every query goes by an index that FiftyOne makes" : "A QUERY LOOKS THROUGH THE COLLECTION");
  return indexed && full.readyMs < 2 * empty.readyMs && full.p50 < 2 * empty.p50;
}

/** A long queue, which is not worked off: how long until the first launch, and what memory it costs. */
async function longQueue({ db, start }: Scene): Promise<void> {
  if (QUEUED === 0) return;
  await fill(db, QUEUED, {});
  const begun = performance.now();
  await using daemon = await start();
  const launched = (): Promise<Document | null> =>
    db.collection("delegated_ops").findOne({ run_state: "queued", "opjob.uid": { $exists: true } });
  await until("the first of a long queue is launched", async () => (await launched()) !== null);
  say(
    `${QUEUED} queued: scanned after ${daemon.readyMs.toFixed(0)} ms, first launch ${(performance.now() - begun).toFixed(0)} ms after the start`,
  );
  say(`${QUEUED} queued: ${show(await daemon.sample())}`);
}

async function main(): Promise<boolean> {
  await using mongod = await startMongod({ replicaSet: true, args: ["--oplogSize", "200"], say });
  await using kubernetes = await startLocalKubernetes({
    run: "simulated",
    namespaces: ["fiftyone"],
    capacity: { cpu: "1000000", memory: "4000Ti", pods: "1000000" },
  });
  await using client = await MongoClient.connect(mongod.uri);
  const db = client.db(DATABASE);
  for (const field of INDEXES) await db.collection("delegated_ops").createIndex({ [field]: 1 });
  await storeSecret(db, "KUBE", kubernetes.kubeconfig());
  await register(db, { id: TARGET, template: TEMPLATE, secret: "KUBE", config: { namespace: "fiftyone" } });
  const environment = {
    PATH: process.env["PATH"] ?? "",
    FIFTYONE_DATABASE_URI: mongod.uri,
    FIFTYONE_DATABASE_NAME: DATABASE,
    FIFTYONE_ENCRYPTION_KEY: ENCRYPTION_KEY,
    OPJOB_HTTP_HOST: "127.0.0.1",
    OPJOB_HTTP_PORT: "0",
    OPJOB_LOG_LEVEL: "info",
  };
  const scene: Scene = { db, start: () => startWatched(environment, ["dist/main.js"]) };
  const flat = OPERATIONS === 0 || (await soak(scene));
  const indexed = await compare(scene);
  await longQueue(scene);
  return flat && indexed;
}

process.exitCode = (await main()) ? 0 : 1;
