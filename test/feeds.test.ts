// The feeds on a real MongoDB: whatever becomes ours while a sweep is under way is looked at after it, not at the next one.
// The sweep is the real one; the test holds it where it reads the claims.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import type { Document } from "mongodb";
import { systemClock } from "../src/clock.ts";
import { type FeedState, followAll } from "../src/feeds.ts";
import { createLog } from "../src/log.ts";
import { createMetrics } from "../src/metrics.ts";
import type { OperationDocument } from "../src/operations/operation.ts";
import { createReload } from "../src/reload.ts";
import { createSweep } from "../src/sweep.ts";
import { type TestDatabase, testDatabase } from "./mongo.ts";
import { until } from "./until.ts";

let database: TestDatabase;
let stop: AbortController;
let following: Promise<void>;

beforeAll(async () => {
  database = await testDatabase();
});
beforeEach(async () => {
  stop = new AbortController();
  await database.db.dropDatabase();
});
afterEach(async () => {
  stop.abort();
  await following;
});
afterAll(async () => database[Symbol.asyncDispose]());

/** Follows; each sweep notes whose operations it looks for, and then waits for its leave. */
function feeds() {
  const { db, client } = database;
  const orchestrators = db.collection<Document>("orchestrators");
  let targets: string[] = [];
  const directory = {
    load: async () => {
      const found = (await orchestrators.find().toArray()).map((record) => String(record["instance_id"]));
      const changed = found.join() !== targets.join();
      targets = found;
      return changed;
    },
  };
  const sweeps: { readonly targets: readonly string[]; readonly go: () => void }[] = [];
  const log = createLog({ level: "silent", secrets: [] });
  const metrics = createMetrics({ defaults: false });
  const reload = createReload(directory, async () => undefined);
  const sweep = createSweep({
    cron: "0 0 1 1 *",
    timetable: () => ({ stop: async () => undefined }),
    operations: { claimed: async function* () {}, unrecorded: async () => [] },
    queue: {
      reconcile: async () => {
        const leave = Promise.withResolvers<void>();
        sweeps.push({ targets, go: leave.resolve });
        stop.signal.addEventListener("abort", () => leave.resolve());
        if (stop.signal.aborted) leave.resolve();
        await leave.promise;
      },
      refill: async () => undefined,
    },
    active: () => true,
    seen: async () => undefined,
    live: () => [],
    known: () => [],
    overlooked: async () => [],
    hint: () => undefined,
    reload,
    tidy: async () => undefined,
    metrics,
    log,
  });
  const state: FeedState = { scanned: false, cut: new Set() };
  following = followAll({
    client,
    collections: {
      operations: db.collection<OperationDocument>("delegated_ops"),
      orchestrators,
      secrets: db.collection("secrets"),
    },
    operations: { ended: async () => [] },
    mode: "auto",
    pollMs: 50,
    files: async () => "",
    targets: () => targets,
    live: () => [],
    look: async () => undefined,
    hint: () => undefined,
    reload,
    sweep,
    retry: () => undefined,
    state,
    metrics,
    log,
    clock: systemClock,
    signal: stop.signal,
  });
  return { sweeps, sweep, state, orchestrators, targets: () => targets };
}

test("an orchestrator that is registered during the first scan is not left to the next sweep", async () => {
  const { sweeps, state, orchestrators, targets } = feeds();
  await until(() => sweeps.length === 1);
  await orchestrators.insertOne({ instance_id: "new" });
  await until(() => targets().includes("new"));
  sweeps[0]?.go();
  await until(() => sweeps.length === 2);
  expect(sweeps.map((sweep) => sweep.targets)).toEqual([[], ["new"]]);
  sweeps[1]?.go();
  await until(() => state.scanned);
});

test("an orchestrator that is registered during any sweep is looked at after it", async () => {
  const { sweeps, sweep, state, orchestrators, targets } = feeds();
  await until(() => sweeps.length === 1);
  sweeps[0]?.go();
  await until(() => state.scanned);
  // As the timetable has it.
  const underWay = sweep.run();
  await until(() => sweeps.length === 2);
  await orchestrators.insertOne({ instance_id: "new" });
  await until(() => targets().includes("new"));
  sweeps[1]?.go();
  await underWay;
  await until(() => sweeps.length === 3);
  expect(sweeps[2]?.targets).toEqual(["new"]);
});
