// What a leader that was overtaken can still write to a real database: nothing that its successor has in hand.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { BSON, type Collection, type Document, ObjectId } from "mongodb";
import { OpjobError } from "../../src/errors.ts";
import type { Fence } from "../../src/operations/fence.ts";
import { type Operations, openOperations } from "../../src/operations/mongo.ts";
import type { Claimed, OperationDocument } from "../../src/operations/operation.ts";
import { type TestDatabase, testDatabase } from "../mongo.ts";
import { insertQueued } from "./documents.ts";

const TARGETS = ["k8s-a"];
const NOW = new Date("2026-11-23T00:01:00Z");
const LATER = new Date("2026-11-23T00:05:00Z");
const FAILURE = { reason: "X", fault: "cluster", text: "x" } as const;
const NOTE = { target: "k8s-a", reason: "LimitReached", message: "Too many.", place: 1 };

let database: TestDatabase;
let collection: Collection<Document>;
/** The leader of epoch 5, which does not know that there is one of epoch 6. */
let old: Operations;
let next: Operations;

const of = (epoch: number, require: () => void = () => undefined): Operations =>
  openOperations(collection as unknown as Collection<OperationDocument>, { epoch: () => epoch, require } as Fence);

beforeAll(async () => {
  database = await testDatabase();
  collection = database.db.collection("delegated_ops");
  old = of(5);
  next = of(6);
});
beforeEach(async () => {
  await collection.deleteMany({});
});
afterAll(() => database[Symbol.asyncDispose]());

const insert = (fields?: Document): Promise<string> => insertQueued(collection, fields);
const read = (id: string): Promise<Document | null> => collection.findOne({ _id: new ObjectId(id) });
const bytes = async (id: string): Promise<string> =>
  Buffer.from(BSON.serialize((await read(id)) ?? {})).toString("hex");
async function claim(by: Operations, id: string): Promise<Claimed> {
  const claimed = await by.claim(id, TARGETS, NOW);
  if (claimed === undefined) throw new Error("it was not claimed");
  return claimed;
}

test("every write says under which leadership it was made", async () => {
  const id = await insert();
  const claimed = await claim(old, id);
  expect(claimed.claim.epoch).toBe(5);
  await next.change(claimed, { phase: "held" });
  expect((await read(id))?.["opjob"].epoch).toBe(6);
  expect(await of(7).recordCreated(claimed, { uid: "u" }, undefined)).toBe(true);
  expect((await read(id))?.["opjob"].epoch).toBe(7);
  expect(await of(8).fail((await next.read(id)) as Claimed, FAILURE, NOW)).toBe(true);
  expect(await read(id)).toMatchObject({ run_state: "failed", opjob: { epoch: 8, phase: "failed" } });
});

describe("once the next leader has taken over, the old one", () => {
  test.each<[string, (operation: Claimed) => Promise<unknown>]>([
    ["changes nothing", (operation) => old.change(operation, { phase: "running" })],
    ["records no Job", (operation) => old.recordCreated(operation, { uid: "late" }, "https://late")],
    ["fails nothing", (operation) => old.fail(operation, FAILURE, LATER)],
  ])("%s", async (_, write) => {
    const id = await insert();
    const claimed = await claim(old, id);
    await next.takeOver(6);
    const before = await bytes(id);
    await write(claimed);
    expect(await bytes(id)).toBe(before);
  });

  test("claims nothing that was in its successor's hands, also when it was queued again", async () => {
    const id = await insert();
    await claim(old, id);
    await next.takeOver(6);
    await collection.updateOne({ _id: new ObjectId(id) }, { $set: { queued_at: LATER } });
    expect(await old.claim(id, TARGETS, LATER)).toBeUndefined();
    expect(await next.claim(id, TARGETS, LATER)).toMatchObject({ claim: { attempt: 2, epoch: 6 } });
  });

  test("tells and claims nobody whom its successor has told why it waits", async () => {
    const id = await insert();
    const [line] = await next.lines(TARGETS, 1);
    const [waiting] = line?.first ?? [];
    if (waiting === undefined) throw new Error("it does not wait");
    await next.note([[waiting, NOTE]], NOW);
    const before = await bytes(id);
    await old.note([[waiting, { ...NOTE, place: 9 }]], LATER);
    expect(await old.claim(id, TARGETS, LATER)).toBeUndefined();
    expect(await bytes(id)).toBe(before);
    expect(await next.claim(id, TARGETS, LATER)).toBeDefined();
  });

  test("among many writes that go out together is refused as well", async () => {
    const ids = await Promise.all(Array.from({ length: 100 }, () => insert()));
    const claimed = await Promise.all(ids.map((id) => claim(old, id)));
    await next.takeOver(6);
    const recorded = await Promise.all(claimed.map((one) => old.recordCreated(one, { uid: "late" }, undefined)));
    expect(recorded).toEqual(ids.map(() => false));
    expect(await collection.countDocuments({ "opjob.uid": "late" })).toBe(0);
  });
});

test("a takeover leaves alone what nobody has claimed, and what has ended", async () => {
  const waits = await insert();
  const done = await insert();
  await claim(old, done);
  await collection.updateOne({ _id: new ObjectId(done) }, { $set: { run_state: "completed" } });
  const before = [await bytes(waits), await bytes(done)];
  await next.takeOver(6);
  expect([await bytes(waits), await bytes(done)]).toEqual(before);
});

test("without leadership nothing is sent at all", async () => {
  const id = await insert();
  const claimed = await claim(old, id);
  const before = await bytes(id);
  const lost = of(9, () => {
    throw new OpjobError("LEADERSHIP_LOST", "Lost.");
  });
  const refused = { code: "LEADERSHIP_LOST" };
  await expect(lost.claim(await insert(), TARGETS, NOW)).rejects.toMatchObject(refused);
  await expect(lost.change(claimed, { phase: "done" })).rejects.toMatchObject(refused);
  await expect(lost.recordCreated(claimed, { uid: "u" }, undefined)).rejects.toMatchObject(refused);
  await expect(lost.fail(claimed, FAILURE, NOW)).rejects.toMatchObject(refused);
  await expect(lost.takeOver(9)).rejects.toMatchObject(refused);
  expect(await bytes(id)).toBe(before);
});

test("leadership that is lost while writes wait to go out together stops them", async () => {
  const ids = await Promise.all(Array.from({ length: 200 }, () => insert()));
  const claimed = await Promise.all(ids.map((id) => claim(old, id)));
  let holds = true;
  const by = of(5, () => {
    if (!holds) throw new OpjobError("LEADERSHIP_LOST", "Lost.");
  });
  const writes = claimed.map((one) => by.change(one, { phase: "running" }));
  holds = false;
  const results = await Promise.allSettled(writes);
  const refused = results.filter(({ status }) => status === "rejected").length;
  expect(refused).toBeGreaterThan(100);
  expect(await collection.countDocuments({ "opjob.phase": "running" })).toBe(200 - refused);
});
