// What opjob needs of MongoDB, at the level of a collection: one suite, run on a real mongod and on the simulated one.
// Knows the door to operations and the follower of changes, which are the ones that need it.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { type ChangeStreamDocument, type Collection, type Document, type MongoClient, ObjectId } from "mongodb";
import { followChanges } from "../../../src/changes.ts";
import { createLog } from "../../../src/log.ts";
import { type Operations, openOperations } from "../../../src/operations/mongo.ts";
import type { Claimed, Operation, OperationDocument } from "../../../src/operations/operation.ts";
import { queued } from "../../operations/documents.ts";
import { until } from "../../until.ts";

/** A collection, and a way to it that is not opjob's. */
export type Database = {
  readonly client: MongoClient;
  readonly collection: Collection<Document>;
  readonly insert: (document: Document) => Promise<void>;
  readonly set: (id: string, fields: Document) => Promise<void>;
  readonly remove: (id: string) => Promise<void>;
  /** Everything, in the order of insertion. */
  readonly all: () => Promise<Document[]>;
  readonly clear: () => Promise<void>;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

const TARGETS = ["k8s-a"];
const NOW = new Date("2026-11-23T00:01:00Z");
const LATER = new Date("2026-11-23T00:02:00Z");

export function describeDatabase(name: string, open: () => Promise<Database>): void {
  describe(`${name}:`, () => {
    let database: Database;
    let operations: Operations;
    beforeAll(async () => {
      database = await open();
      operations = openOperations(database.collection as unknown as Collection<OperationDocument>);
    });
    beforeEach(() => database.clear());
    afterAll(() => database[Symbol.asyncDispose]());

    const insert = async (fields: Document = {}): Promise<string> => {
      const document = queued(fields);
      await database.insert(document);
      return document._id.toHexString();
    };
    const read = async (id: string): Promise<Document> =>
      (await database.all()).find(({ _id }) => String(_id) === id) ?? {};
    const claim = async (id: string): Promise<Claimed> => {
      const claimed = await operations.claim(id, TARGETS, NOW);
      if (claimed === undefined) throw new Error("it was not claimed");
      return claimed;
    };

    test("a claim is given once, and adds our sub-document only", async () => {
      const id = await insert();
      const before = await read(id);
      const { claim: given } = await claim(id);
      expect(await operations.claim(id, TARGETS, NOW)).toBeUndefined();
      const { opjob, ...rest } = await read(id);
      expect(rest).toEqual(before);
      expect(opjob).toEqual(given);
      const { queued_at } = before;
      expect(given).toMatchObject({ attempt: 1, orchestrator: "k8s-a", phase: "claimed", queued_at });
    });

    test.each<Document>([
      { delegation_target: null },
      { delegation_target: "elsewhere" },
      { delegation_target: ["elsewhere", "k8s-a-not"] },
      { archived: true },
      { run_state: "scheduled" },
      { run_state: "completed" },
    ])("a claim is never given for %j", async (fields) => {
      const id = await insert(fields);
      const before = await read(id);
      expect(await operations.claim(id, TARGETS, NOW)).toBeUndefined();
      expect(await read(id)).toEqual(before);
    });

    test("many are claimed together, each once", async () => {
      const ids = await Promise.all(Array.from({ length: 7 }, () => insert()));
      const strange = await insert({ archived: true });
      const claims = await Promise.all([...ids, strange, ...ids].map((id) => operations.claim(id, TARGETS, NOW)));
      expect(claims.flatMap((one) => one?.id ?? []).toSorted()).toEqual(ids.toSorted());
    });

    test("an operation without a date is claimed once, and again when it is queued with one", async () => {
      const id = await insert({ queued_at: null });
      expect((await claim(id)).claim).toMatchObject({ queued_at: null, attempt: 1 });
      expect(await operations.claim(id, TARGETS, NOW)).toBeUndefined();
      await database.set(id, { queued_at: LATER });
      expect((await claim(id)).claim).toMatchObject({ queued_at: LATER, attempt: 2 });
    });

    test("a Job is recorded while its operation goes on, and refused once it has ended", async () => {
      const [goes, ended] = await Promise.all([claim(await insert()), claim(await insert())]);
      await database.set(ended.id, { run_state: "failed" });
      const job = { phase: "created", uid: "u1", job: "j1", timeline: { created: NOW } } as const;
      const recorded = await Promise.all([goes, ended].map((one) => operations.recordCreated(one, job, "https://x")));
      expect(recorded).toEqual([true, false]);
      expect(await read(goes.id)).toMatchObject({
        run_link: "https://x",
        opjob: { uid: "u1", timeline: { created: NOW } },
      });
      expect((await read(ended.id))["opjob"]).not.toHaveProperty("uid");
    });

    test("a failure is written as long as the operation is as it was judged", async () => {
      const [judged, changed] = [await claim(await insert()), await claim(await insert())];
      await database.set(changed.id, { run_state: "running" });
      const failure = { reason: "Because", fault: "cluster", text: "Because of that." } as const;
      expect(await operations.fail(judged, failure, LATER)).toBe(true);
      expect(await operations.fail(changed, failure, LATER)).toBe(false);
      expect(await operations.fail(judged, failure, LATER)).toBe(false);
      expect(await read(judged.id)).toMatchObject({
        run_state: "failed",
        failed_at: LATER,
        result: { result: null, error: failure.text },
        opjob: { phase: "failed", reason: "Because", timeline: { seen: NOW, written: LATER } },
      });
      expect((await operations.read(judged.id))?.error).toBe(failure.text);
    });

    test("an operation that runs without a claim for its queueing is taken up, once", async () => {
      const id = await insert();
      const { claim: earlier } = await claim(id);
      await database.set(id, { queued_at: LATER, run_state: "running" });
      const found = (await operations.read(id)) as Operation;
      const job = { attempt: 1, cluster: "c", namespace: "n", job: "j", uid: "u" };
      expect(await operations.retake(found, job, LATER)).toBe(true);
      expect(await operations.retake(found, job, LATER)).toBe(false);
      const expected = { ...earlier, ...job, queued_at: LATER, phase: "created", since: LATER };
      expect((await read(id))["opjob"]).toEqual(expected);
    });

    test("an operation whose claim a failover took back is taken up, unless it is no longer running", async () => {
      // What it was told while it waited for its turn is no claim.
      const note = { reason: "Limit", place: 3 };
      const lost = await insert({ run_state: "running", opjob: note });
      const over = await insert({ run_state: "running" });
      const job = { attempt: 3, cluster: "c", namespace: "n", job: "j", uid: "u" };
      const found = (await operations.read(lost)) as Operation;
      const ended = (await operations.read(over)) as Operation;
      await database.set(over, { run_state: "completed" });
      expect(await operations.retake(found, job, LATER)).toBe(true);
      expect(await operations.retake(ended, job, LATER)).toBe(false);
      expect((await read(lost))["opjob"]).toMatchObject({
        attempt: 3,
        orchestrator: "k8s-a",
        uid: "u",
        phase: "created",
      });
      expect(await read(over)).not.toHaveProperty("opjob");
    });

    test("the name of an attempt is passed over once, and only while it waits for its worker", async () => {
      const waiting = await claim(await insert());
      const begun = await claim(await insert());
      await database.set(begun.id, { run_state: "running" });
      expect(await Promise.all([waiting, begun].map((one) => operations.passOver(one)))).toEqual([true, false]);
      expect(await operations.passOver(waiting)).toBe(false);
      expect((await read(waiting.id))["opjob"]).toEqual({ ...waiting.claim, attempt: 2 });
      expect(await operations.settled(waiting.id)).toEqual(await operations.read(waiting.id));
    });

    test("what waits is listed oldest first, what is claimed and what has ended apart", async () => {
      const young = await insert({ queued_at: LATER });
      const old = await insert({ queued_at: NOW });
      const dateless = await insert({ queued_at: null });
      const claimed = (await claim(await insert())).id;
      const ended = await insert({ run_state: "completed" });
      const [line] = await operations.lines(TARGETS, 10);
      expect(line?.first.map(({ id }) => id)).toEqual([dateless, old, young]);
      const inHand = await Array.fromAsync(operations.claimed());
      expect(inHand.map(({ id }) => id)).toEqual([claimed]);
      const gone = new ObjectId().toHexString();
      expect(await operations.ended([young, ended, gone])).toEqual([ended, gone]);
      await database.remove(dateless);
      expect(await operations.queue(TARGETS)).toEqual({ count: 3, oldest: queued()["queued_at"] });
    });

    describe("a stream", () => {
      const events: Document[] = [];
      const stop = new AbortController();
      let following: Promise<void>;
      const ids = (): string[] => events.map((event) => String(event["documentKey"]._id));
      beforeAll(async () => {
        let follows = false;
        following = followChanges({
          client: database.client,
          collection: database.collection,
          pipeline: [{ $match: { $or: [{ operationType: { $in: ["insert", "delete"] } }, STATE_CHANGES] } }],
          onChange: (event: ChangeStreamDocument) => void events.push(event),
          scan: () => Promise.resolve(),
          poll: () => Promise.resolve(),
          pollMs: 10,
          mode: "stream",
          onState: (state) => {
            follows = state === "following";
          },
          signal: stop.signal,
          log: createLog({ level: "fatal", secrets: [], destination: { write: () => undefined } }),
        });
        await until(() => follows);
      });
      beforeEach(() => void events.splice(0));
      afterAll(async () => {
        stop.abort();
        await following;
      });

      test("tells what its pipeline wants, in order, by the document's key", async () => {
        const id = await insert();
        const claimed = await claim(id);
        await operations.change(claimed, { phase: "waiting" });
        await database.set(id, { run_state: "running" });
        await operations.fail({ ...claimed, runState: "running" }, { reason: "R", fault: "cluster", text: "T" }, LATER);
        await database.remove(id);
        const ofMine = () => events.filter((event) => String(event["documentKey"]._id) === id);
        await until(() => ofMine().some(({ operationType }) => operationType === "delete"));
        const mine = ofMine();
        expect(mine.map(({ operationType }) => operationType)).toEqual(["insert", "update", "update", "delete"]);
        expect(mine[0]?.["fullDocument"]).toMatchObject({ run_state: "queued" });
        expect(mine[1]?.["updateDescription"].updatedFields).toEqual({ run_state: "running" });
        const failed = Object.keys(mine[2]?.["updateDescription"].updatedFields as object);
        expect(failed.toSorted()).toEqual([
          "failed_at",
          "opjob.fault",
          "opjob.message",
          "opjob.phase",
          "opjob.reason",
          "opjob.since",
          "opjob.timeline.written",
          "result",
          "run_state",
          "updated_at",
        ]);
      });

      test("says nothing of a write that changes nothing", async () => {
        const id = await insert();
        await database.set(id, { run_state: "queued" });
        const last = await insert();
        await until(() => ids().includes(last));
        expect(ids().filter((one) => one === id)).toHaveLength(1);
      });
    });
  });
}

const STATE_CHANGES = { "updateDescription.updatedFields.run_state": { $exists: true } };
