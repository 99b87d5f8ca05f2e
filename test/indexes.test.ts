// Every query of the daemon's on a real MongoDB, as its server planned it: by indexes that FiftyOne makes, whatever the daemon does,
// and opjob makes none of its own. A collection with history shows what is looked through.
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { type IndexSpecification, MongoClient, ObjectId } from "mongodb";
import { operationDocument } from "../src/local/demo/cast.ts";
import { openOperations } from "../src/operations/mongo.ts";
import type { OperationDocument } from "../src/operations/operation.ts";
import { until } from "./local-daemon.ts";
import { type Scene, scene, TARGET } from "./scene.ts";

/** As any FiftyOne process makes them. */
const INDEXES: IndexSpecification[] = [
  { operator: 1 },
  { updated_at: 1 },
  { run_state: 1 },
  { parent_id: 1 },
  { dataset_id: 1, parent_id: 1, scheduled_at: -1 },
];
const HISTORY = 3_000;

let stage: Scene;

beforeAll(async () => {
  stage = await scene();
  const operations = stage.database.db.collection("delegated_ops");
  for (const index of INDEXES) await operations.createIndex(index);
  const params = { fate: "succeed", seconds: 1 } as const;
  const finished = Array.from({ length: HISTORY }, () => ({
    ...operationDocument({ label: "Old", target: TARGET, params, ends: "completed" }, new Date(0)),
    run_state: "completed",
    opjob: { attempt: 1, phase: "done" },
  }));
  await operations.insertMany(finished);
}, 30_000);
afterAll(async () => stage[Symbol.asyncDispose]());

/** What the daemon has asked so far, and how the server planned it. */
async function asked(): Promise<{ op: string; plan: string; docs: number; command: string }[]> {
  const { db, name } = stage.database;
  const found = await db
    .collection("system.profile")
    // More of a change stream is read from the log of changes, not from the collection.
    .find({ appName: "opjob", ns: `${name}.delegated_ops`, planSummary: { $exists: true }, op: { $ne: "getmore" } })
    .toArray();
  return found.map(({ op, planSummary, docsExamined, command }) => ({
    op: String(op),
    plan: String(planSummary),
    docs: Number(docsExamined ?? 0),
    command: JSON.stringify(command).slice(0, 300),
  }));
}

test.each(["stream", "poll"])(
  "by %s: nothing that the daemon does looks through the operations",
  async (mode) => {
    const { db } = stage.database;
    const operations = db.collection<OperationDocument>("delegated_ops");
    const indexes = await operations.indexes();
    await db.command({ profile: 2 });
    const daemon = await stage.start({
      OPJOB_CHANGES: mode,
      OPJOB_SWEEP_CRON: "* * * * * *",
      OPJOB_MAX_IN_FLIGHT: "3",
    });
    const parent = new ObjectId();
    const [well, badly, cancelled] = [
      await stage.queue(),
      await stage.queue({ parent_id: parent }),
      await stage.queue(),
    ];
    for (const id of [well, badly, cancelled]) await stage.reaches(id, "running");
    // One more than may be in flight: it waits, and is told why.
    const late = await stage.queue();
    await stage.reaches(late, "queued");
    const set = (id: string, fields: object) => operations.updateOne({ _id: new ObjectId(id) }, { $set: fields });
    await set(well, { run_state: "completed", completed_at: new Date(), result: { result: 1, error: null } });
    await set(cancelled, { run_state: "failed", failed_at: new Date(), result: null });
    stage.kubernetes.simulate.finish(await stage.podOf(well), 0);
    stage.kubernetes.simulate.finish(await stage.podOf(badly), 3);
    await stage.reaches(badly, "failed");
    await stage.reaches(well, "done");
    await until("the Job of the cancelled one is gone", async () => (await stage.jobOf(cancelled)) === undefined);
    await stage.reaches(late, "running");
    await operations.deleteOne({ _id: new ObjectId(late) });
    await until("the Job of the deleted one is gone", async () => (await stage.jobOf(late)) === undefined);
    await (await fetch(`${daemon.url}/metrics`)).text();
    const sweeps = async () =>
      /opjob_sweeps_total\{result="done"\} (\d+)/.exec(await daemon.metrics.registry.metrics())?.[1];
    const before = Number((await sweeps()) ?? 0);
    await until("it has swept", async () => Number((await sweeps()) ?? 0) > before + 1);
    await daemon.stop();
    await db.command({ profile: 0 });

    const all = await asked();
    expect(new Set(all.map(({ op }) => op))).toEqual(new Set(["query", "command", "update"]));
    expect(all.filter(({ plan }) => plan.includes("COLLSCAN"))).toEqual([]);
    expect(all.map(({ plan }) => plan)).toContain("IXSCAN { updated_at: 1 }");
    // Not by an index that history is in, either.
    expect(all.filter(({ docs }) => docs > 100)).toEqual([]);
    expect(await operations.indexes()).toEqual(indexes);
  },
  60_000,
);

test("whoever comes to lead takes over by an index, too", async () => {
  const { db, uri, name } = stage.database;
  await using client = await MongoClient.connect(uri, { appName: "opjob" });
  await db.command({ profile: 2 });
  await openOperations(client.db(name).collection<OperationDocument>("delegated_ops")).takeOver(1);
  await db.command({ profile: 0 });
  const takeover = (await asked()).filter(({ op, command }) => op === "update" && command.includes("epoch"));
  expect(takeover.at(-1)).toMatchObject({ plan: "IXSCAN { run_state: 1 }" });
});
