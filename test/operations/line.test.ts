// The line on a real database: who waits, in which order, and what they are told without being claimed.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { type Collection, type Document, ObjectId } from "mongodb";
import type { InLine } from "../../src/operations/line.ts";
import { type Operations, openOperations } from "../../src/operations/mongo.ts";
import type { OperationDocument } from "../../src/operations/operation.ts";
import { type TestDatabase, testDatabase } from "../mongo.ts";
import { insertQueued, QUEUED_AT, queued } from "./documents.ts";

const TARGETS = ["k8s-a", "k8s-b"];
const NOW = new Date("2026-11-23T00:01:00Z");
const NOTE = { target: "k8s-a", reason: "LimitReached", message: "Too many.", place: 3 };

let database: TestDatabase;
let collection: Collection<Document>;
let operations: Operations;

beforeAll(async () => {
  database = await testDatabase();
  collection = database.db.collection("delegated_ops");
  await collection.createIndex({ run_state: 1 });
  operations = openOperations(collection as unknown as Collection<OperationDocument>);
});
beforeEach(async () => {
  await collection.deleteMany({});
});
afterAll(() => database[Symbol.asyncDispose]());

const insert = (fields?: Document): Promise<string> => insertQueued(collection, fields);
const at = (seconds: number): Date => new Date(QUEUED_AT.getTime() + seconds * 1_000);
const read = (id: string): Promise<Document | null> => collection.findOne({ _id: new ObjectId(id) });
const lineOf = async (target: string, length = 100): Promise<readonly InLine[]> =>
  (await operations.lines(TARGETS, length)).find((line) => line.target === target)?.first ?? [];
const idsOf = async (target: string, length?: number): Promise<string[]> =>
  (await lineOf(target, length)).map(({ id }) => id);

describe("the line of a target", () => {
  test("is in order of priority, then of age; without a priority it is 0", async () => {
    const low = await insert({ priority: -1, queued_at: at(0) });
    const late = await insert({ queued_at: at(3) });
    const early = await insert({ queued_at: at(1), priority: 0 });
    const high = await insert({ queued_at: at(9), priority: 2.5 });
    const nonsense = await insert({ queued_at: at(2), priority: "urgent" });
    expect(await idsOf("k8s-a")).toEqual([high, early, nonsense, late, low]);
  });

  test("counts all who wait, and gives the first of them", async () => {
    const ids: string[] = [];
    for (let i = 0; i < 30; i++) ids.push(await insert({ queued_at: at(i) }));
    await insert({ delegation_target: "k8s-b" });
    await insert({ delegation_target: "elsewhere" });
    const lines = await operations.lines(TARGETS, 5);
    expect(new Map(lines.map(({ target, count }) => [target, count]))).toEqual(
      new Map([
        ["k8s-a", 30],
        ["k8s-b", 1],
      ]),
    );
    expect(await idsOf("k8s-a", 5)).toEqual(ids.slice(0, 5));
  });

  test("holds neither what is claimed nor what is archived, ended or nobody's; what is queued again, it does", async () => {
    const claimed = await insert();
    await operations.claim(claimed, TARGETS, NOW);
    await insert({ archived: true });
    await insert({ run_state: "running" });
    await insert({ delegation_target: null });
    expect(await operations.lines(TARGETS, 5)).toEqual([]);
    await collection.updateOne({ _id: new ObjectId(claimed) }, { $set: { queued_at: at(4) } });
    expect(await idsOf("k8s-a")).toEqual([claimed]);
  });

  test("is read by the index of run_state, whatever has ended", async () => {
    await collection.insertMany(Array.from({ length: 2_000 }, () => queued({ run_state: "completed" })));
    await insert();
    await database.db.command({ profile: 2 });
    await operations.lines(TARGETS, 100);
    await database.db.command({ profile: 0 });
    const [entry] = await database.db
      .collection("system.profile")
      .find({ "command.aggregate": "delegated_ops" })
      .toArray();
    expect(entry?.["planSummary"]).toContain("run_state");
    expect(entry?.["docsExamined"]).toBeLessThan(10);
  });
});

describe("a note", () => {
  test("is told to one who waits, and claims nothing", async () => {
    const id = await insert();
    const before = await read(id);
    const [waiting] = await lineOf("k8s-a");
    if (waiting === undefined) throw new Error("it does not wait");
    await operations.note([[waiting, NOTE]], NOW);
    expect(await read(id)).toEqual({
      ...before,
      opjob: { phase: "queued", since: NOW, reason: "LimitReached", message: "Too many.", place: 3 },
    });
    expect(await operations.read(id)).toMatchObject({ claim: undefined });
    expect(await Array.fromAsync(operations.claimed())).toEqual([]);
    expect(await lineOf("k8s-a")).toMatchObject([{ id, told: { reason: "LimitReached", place: 3 } }]);
  });

  test("of the same reason keeps the time at which it began", async () => {
    const id = await insert();
    for (const place of [3, 2]) {
      const [waiting] = await lineOf("k8s-a");
      if (waiting) await operations.note([[waiting, { ...NOTE, place }]], new Date(NOW.getTime() + 10 - place));
    }
    expect(await read(id)).toMatchObject({ opjob: { place: 2, since: new Date(NOW.getTime() + 7) } });
  });

  test("leaves nothing behind in a claim, and keeps the count of attempts of an earlier one", async () => {
    const id = await insert();
    await operations.claim(id, TARGETS, NOW);
    await collection.updateOne({ _id: new ObjectId(id) }, { $set: { queued_at: at(4) } });
    const [waiting] = await lineOf("k8s-a");
    if (waiting) await operations.note([[waiting, NOTE]], NOW);
    const claimed = await operations.claim(id, TARGETS, NOW);
    expect(claimed?.claim).toMatchObject({ attempt: 2, phase: "claimed", reason: null, message: null });
    expect(claimed?.claim).not.toHaveProperty("place");
  });

  test.each<[string, Document]>([
    ["claimed", {}],
    ["taken by somebody", { run_state: "running" }],
    ["archived", { archived: true }],
    ["given another target", { delegation_target: "elsewhere" }],
  ])("comes too late for one that was %s meanwhile", async (how, fields) => {
    const id = await insert();
    const [waiting] = await lineOf("k8s-a");
    if (how === "claimed") await operations.claim(id, TARGETS, NOW);
    else await collection.updateOne({ _id: new ObjectId(id) }, { $set: fields });
    const before = await read(id);
    if (waiting) await operations.note([[waiting, NOTE]], NOW);
    expect(await read(id)).toEqual(before);
  });
});
