// What history costs: start-up and latency with many finished operations in the collection against none, how every query was planned,
// and a long queue. Knows the scene's daemons and collections; prints what it finds.
import { setTimeout as sleep } from "node:timers/promises";
import type { Db, Document } from "mongodb";
import { operation, queue, type Scene, say, show, until } from "./stage.ts";
import { playWorkers } from "./workers.ts";

/** Lives of a daemon in each of the two collections that are compared. */
const ROUNDS = 5;
/** What counts as no difference: on a machine that does other things as well. */
const MOST_RATIO = 1.5;

const quantile = (values: readonly number[], q: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))] ?? Number.NaN;

/** Milliseconds from a daemon's start to the end of its first scan, and from the insert of an operation to the record of its Job. */
type Measured = { readonly ready: number[]; readonly latency: number[] };

/** In each life: enough for the slowest hundredth of all lives to be ten of them. */
const LAUNCHES = 200;

/** By itself it holds 1 MiB: what a daemon asks at its start would be gone when its life ends. */
const PROFILE_BYTES = 64 * 1_048_576;

/** Of its first operations a daemon only wakes. */
const WARM = 10;

/** One daemon's life, added to what was measured of others: operations one after the other. */
async function measure({ db, start }: Scene, measured: Measured): Promise<void> {
  await using daemon = await start();
  await using _ = playWorkers(db);
  measured.ready.push(daemon.readyMs);
  const operations = db.collection("delegated_ops");
  for (let i = 0; i < WARM + LAUNCHES; i++) {
    const begun = performance.now();
    const [{ _id } = operation()] = await queue(db, 1);
    while ((await operations.findOne({ _id }, { projection: { "opjob.uid": 1 } }))?.["opjob"]?.uid === undefined)
      await sleep(1);
    if (i >= WARM) measured.latency.push(performance.now() - begun);
  }
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

/** How every query of opjob's was planned (more of a change stream is read from the log of changes, not from the collection): none may look through the collection. @returns whether none did */
async function plans(db: Db): Promise<boolean> {
  const found = await db
    .collection("system.profile")
    .aggregate([
      {
        $match: {
          appName: "opjob",
          ns: `${db.databaseName}.delegated_ops`,
          planSummary: { $exists: true },
          op: { $ne: "getmore" },
        },
      },
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

/** By turns, so that whatever else the machine does befalls both. @returns whether there is no difference */
export async function compareHistory(scene: Scene, other: Scene, finished: number): Promise<boolean> {
  const { db } = scene;
  const begun = performance.now();
  const result = { result: null, error: null };
  const ended = { run_state: "completed", completed_at: new Date(), result, opjob: { attempt: 1, phase: "done" } };
  await fill(db, finished, ended);
  say(`${finished} finished operations, inserted in ${((performance.now() - begun) / 1_000).toFixed(0)} s`);
  const [full, empty]: Measured[] = [
    { ready: [], latency: [] },
    { ready: [], latency: [] },
  ] as const;
  for (let round = 0; round < ROUNDS; round++) {
    await measure(other, empty);
    await measure(scene, full);
  }
  const ratio = (what: string, field: keyof Measured, q: number): number => {
    const [more, less] = [quantile(full[field], q), quantile(empty[field], q)];
    say(
      `with ${finished} finished against none: ${what} ${more.toFixed(1)} against ${less.toFixed(1)} ms, × ${(more / less).toFixed(2)}`,
    );
    return more / less;
  };
  const [ready, half] = [ratio("start-up (median)", "ready", 0.5), ratio("latency p50", "latency", 0.5)];
  ratio("latency p99", "latency", 0.99);
  // Apart from what is measured: a server that writes down every query is slower.
  await db.createCollection("system.profile", { capped: true, size: PROFILE_BYTES });
  await db.command({ profile: 2 });
  await measure(scene, { ready: [], latency: [] });
  await db.command({ profile: 0 });
  const indexed = await plans(db);
  say(indexed ? "every query goes by an index that FiftyOne makes" : "A QUERY LOOKS THROUGH THE COLLECTION");
  return indexed && ready < MOST_RATIO && half < MOST_RATIO;
}

/** A long queue, which is not worked off: how long until the first launch, and what memory it costs. */
export async function longQueue({ db, start }: Scene, queued: number): Promise<void> {
  if (queued === 0) return;
  await fill(db, queued, {});
  const begun = performance.now();
  await using daemon = await start();
  const launched = (): Promise<Document | null> =>
    db.collection("delegated_ops").findOne({ run_state: "queued", "opjob.uid": { $exists: true } });
  await until("the first of a long queue is launched", async () => (await launched()) !== null);
  say(
    `${queued} queued: scanned after ${daemon.readyMs.toFixed(0)} ms, first launch ${(performance.now() - begun).toFixed(0)} ms after the start`,
  );
  say(`${queued} queued: ${show(await daemon.sample())}`);
}
