// Hints about operations on real servers: what can mean work is told, progress and our own writes are not.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { type Collection, type Document, ObjectId } from "mongodb";
import type { Mongod } from "../../src/local/mongod.ts";
import { createLog } from "../../src/log.ts";
import { followOperations } from "../../src/operations/feed.ts";
import { type Operations, openOperations } from "../../src/operations/mongo.ts";
import type { Claimed, OperationDocument } from "../../src/operations/operation.ts";
import { standaloneMongo, type TestDatabase, testDatabase } from "../mongo.ts";
import { until } from "../until.ts";
import { insertQueued, queued } from "./documents.ts";

const TARGETS = ["k8s-a"];
const NOW = new Date();

let database: TestDatabase;
let collection: Collection<Document>;
let operations: Operations;
let stop: AbortController;
let following: Promise<void>;
let hints: string[];
let live: string[];
const marks = new Set<string>();
let tests = 0;

/** A collection for each test: a stream that begins now also tells of the last change before it. */
function open(): void {
  collection = database.db.collection(`delegated_ops-${++tests}`);
  operations = openOperations(collection as unknown as Collection<OperationDocument>);
}

async function start(mode: "auto" | "stream" | "poll" = "auto"): Promise<void> {
  stop = new AbortController();
  hints = [];
  live = [];
  const ready = Promise.withResolvers<void>();
  following = followOperations({
    client: database.client,
    collection,
    operations,
    look: async () => {
      for (const { first } of await operations.lines(TARGETS, 100)) hints.push(...first.map(({ id }) => id));
    },
    live: () => live,
    hint: (id) => void hints.push(id),
    scan: async () => undefined,
    onState: (state) => state === "following" && ready.resolve(),
    mode,
    pollMs: 100,
    signal: stop.signal,
    log: createLog({ level: "silent", secrets: [] }),
  });
  await ready.promise;
}

async function end(): Promise<void> {
  stop.abort();
  await following;
}

const insert = (fields?: Document): Promise<string> => insertQueued(collection, fields);
const set = (id: string, fields: Document) => collection.updateOne({ _id: new ObjectId(id) }, { $set: fields });

/** All hints so far: what was written before is told when a mark that was written after it is. */
async function hinted(): Promise<string[]> {
  const mark = await insert();
  marks.add(mark);
  await until(() => hints.includes(mark));
  return hints.filter((id) => !marks.has(id));
}

describe("by a change stream", () => {
  beforeAll(async () => {
    database = await testDatabase();
  });
  beforeEach(async () => {
    open();
    await start("stream");
  });
  afterEach(end);
  afterAll(async () => database[Symbol.asyncDispose]());

  test("a queued operation is told", async () => {
    const id = await insert();
    await until(() => hints.includes(id));
    expect(hints).toEqual([id]);
  });

  test("an operation that only becomes queued, of a target, is told when it does", async () => {
    const scheduled = await insert({ run_state: "scheduled", queued_at: null });
    const untargeted = await insert({ delegation_target: null });
    const archived = await insert({ run_state: "completed" });
    expect(await hinted()).toEqual([]);
    await set(scheduled, { run_state: "queued", queued_at: NOW });
    await set(untargeted, { delegation_target: "k8s-a" });
    await set(archived, { archived: true });
    expect(await hinted()).toEqual([scheduled, untargeted, archived]);
  });

  test("each change of state, a new queueing, a replacement and a deletion are told", async () => {
    const id = await insert();
    await set(id, { run_state: "running" });
    await set(id, { run_state: "completed", result: { result: "x".repeat(100_000) } });
    await set(id, { queued_at: NOW });
    const { _id, ...rest } = queued();
    await collection.replaceOne({ _id: new ObjectId(id) }, rest);
    await collection.deleteOne({ _id: new ObjectId(id) });
    expect(await hinted()).toEqual([id, id, id, id, id, id]);
  });

  test("a worker's progress, a heartbeat, a rename and a pin are not told", async () => {
    const id = await insert({ run_state: "running" });
    await set(id, { status: { progress: 0.5, label: "half", updated_at: NOW } });
    await set(id, { "status.progress": 0.6 });
    await set(id, { updated_at: NOW });
    await set(id, { label: "other", pinned: true, log_path: "/x", "context.run_state": "queued" });
    expect(await hinted()).toEqual([]);
  });

  test("of our own writes only a failure is told: then there may be a Job to delete", async () => {
    const id = await insert();
    const claimed = (await operations.claim(id, TARGETS, NOW)) as Claimed;
    await operations.recordCreated(claimed, { phase: "created", uid: "u" }, "https://argo/x");
    await operations.change(claimed, { phase: "running", timeline: { started: NOW } });
    expect(await hinted()).toEqual([id]);
    await operations.fail((await operations.read(id)) as Claimed, { reason: "X", fault: "cluster", text: "x" }, NOW);
    expect(await hinted()).toEqual([id, id]);
  });

  test("1,000 operations at once are all told, each once", async () => {
    const documents = Array.from({ length: 1_000 }, () => queued());
    await collection.insertMany(documents);
    await until(() => hints.length >= 1_000);
    expect(hints).toEqual(documents.map(({ _id }) => _id.toHexString()));
  });
});

describe("by polling, on a server without change streams", () => {
  let mongod: Mongod;
  beforeAll(async () => {
    mongod = await standaloneMongo();
    database = await testDatabase(mongod.uri);
  });
  beforeEach(async () => {
    open();
    await start("auto");
  });
  afterEach(end);
  afterAll(async () => {
    await database[Symbol.asyncDispose]();
    await mongod.stop();
  });

  test("a queued operation is told, and no more once it is claimed", async () => {
    const id = await insert();
    await until(() => hints.includes(id));
    await operations.claim(id, TARGETS, NOW);
    const other = await insert();
    await until(() => hints.includes(other));
    hints.length = 0;
    await until(() => hints.filter((hint) => hint === other).length > 1);
    expect(hints).not.toContain(id);
  });

  test("the end of an operation whose Job lives is told, also when it was deleted", async () => {
    const [failed, runs] = [await insert({ run_state: "failed" }), await insert({ run_state: "running" })];
    const deleted = new ObjectId().toHexString();
    live = [failed, runs, deleted];
    await until(() => hints.includes(failed) && hints.includes(deleted));
    expect(hints).not.toContain(runs);
  });
});
