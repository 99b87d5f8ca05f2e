// Claims and every other write, on a real database: what they match, what they set, and what they leave as it was.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { BSON, type Collection, type Document, ObjectId } from "mongodb";
import { inOrder } from "../../src/operations/line.ts";
import { type Operations, openOperations } from "../../src/operations/mongo.ts";
import type { Claim, Claimed, OperationDocument } from "../../src/operations/operation.ts";
import { isClaimed } from "../../src/operations/operation.ts";
import { type TestDatabase, testDatabase } from "../mongo.ts";
import { insertQueued, QUEUED_AT, queued } from "./documents.ts";

const TARGETS = ["k8s-a", "k8s-b"];
const NOW = new Date("2026-11-23T00:01:00Z");

let database: TestDatabase;
let collection: Collection<Document>;
let operations: Operations;

beforeAll(async () => {
  database = await testDatabase();
  collection = database.db.collection("delegated_ops");
  operations = openOperations(collection as unknown as Collection<OperationDocument>);
});
beforeEach(async () => {
  await collection.deleteMany({});
});
afterAll(async () => database[Symbol.asyncDispose]());

const insert = (fields?: Document): Promise<string> => insertQueued(collection, fields);
const read = async (id: string): Promise<Document> => (await collection.findOne({ _id: new ObjectId(id) })) ?? {};
const bytes = async (id: string): Promise<string> => Buffer.from(BSON.serialize(await read(id))).toString("hex");
const set = (id: string, fields: Document) => collection.updateOne({ _id: new ObjectId(id) }, { $set: fields });
/** Ids of those who wait, in line. */
const waiting = async (): Promise<string[]> => {
  const lines = await operations.lines(TARGETS, 100);
  return lines
    .flatMap(({ first }) => first)
    .toSorted(inOrder)
    .map(({ id }) => id);
};

async function claim(id: string): Promise<Claimed> {
  const claimed = await operations.claim(id, TARGETS, NOW);
  if (claimed === undefined) throw new Error("it was not claimed");
  return claimed;
}

describe("a claim", () => {
  test("adds our sub-document, keyed on queued_at, and leaves everything else as it was", async () => {
    const id = await insert();
    const before = await read(id);
    const claimed = await claim(id);
    const expected = {
      queued_at: QUEUED_AT,
      attempt: 1,
      orchestrator: "k8s-a",
      phase: "claimed",
      reason: null,
      message: null,
      since: null,
      timeline: { seen: NOW, claimed: NOW },
    };
    expect(claimed).toMatchObject({ id, operator: "@peer/echo", runState: "queued", claim: expected });
    expect(isClaimed(claimed)).toBe(true);
    const { opjob, ...rest } = await read(id);
    expect(opjob).toEqual({ ...expected, token: expect.any(ObjectId) });
    expect(rest).toEqual(before);
  });

  test("is given once, also when 50 ask at the same time", async () => {
    const id = await insert();
    const answers = await Promise.all(Array.from({ length: 50 }, () => operations.claim(id, TARGETS, NOW)));
    expect(answers.filter((answer) => answer !== undefined)).toHaveLength(1);
    expect(await read(id)).toMatchObject({ opjob: { attempt: 1 } });
  });

  test("is given again when the operation is queued anew, as the next attempt, with nothing left of the earlier one", async () => {
    const id = await insert();
    const first = await claim(id);
    await operations.recordCreated(first, { phase: "created", uid: "u1", job: "j1", cluster: "c" }, undefined);
    await operations.change(first, { reason: "ImagePullFailed", timeline: { started: NOW } });
    const again = new Date(QUEUED_AT.getTime() + 1);
    await set(id, { queued_at: again });
    const second = await claim(id);
    expect(second.claim).toEqual({ ...first.claim, queued_at: again, attempt: 2, token: expect.any(ObjectId) });
    expect((await read(id))["opjob"]).toEqual(second.claim);
    expect(await operations.claim(id, TARGETS, NOW)).toBeUndefined();
  });

  test.each<[string, Document]>([
    ["null", { queued_at: null }],
    ["absent", { queued_at: undefined }],
  ])("of an operation whose queued_at is %s is given, once", async (_, fields) => {
    const document = queued(fields);
    if (fields["queued_at"] === undefined) delete document["queued_at"];
    await collection.insertOne(document);
    const id = document._id.toHexString();
    expect(await waiting()).toEqual([id]);
    expect(isClaimed(await claim(id))).toBe(true);
    expect(await operations.claim(id, TARGETS, NOW)).toBeUndefined();
    expect(await waiting()).toEqual([]);
  });

  test.each<[string, Document]>([
    ["without a target", { delegation_target: null }],
    ["whose target is absent", { delegation_target: undefined }],
    ["of an unknown target", { delegation_target: "elsewhere" }],
    ["whose target only begins like ours", { delegation_target: "k8s-ab" }],
    ["of a list of targets", { delegation_target: ["elsewhere"] }],
    ["that is archived", { archived: true }],
    ["that is scheduled", { run_state: "scheduled" }],
    ["that runs", { run_state: "running" }],
    ["that is processing", { run_state: "processing" }],
    ["that is completed", { run_state: "completed" }],
    ["that failed", { run_state: "failed" }],
  ])("is never given for an operation %s: not a byte of it changes", async (_, fields) => {
    const id = await insert(fields);
    const before = await bytes(id);
    expect(await operations.claim(id, TARGETS, NOW)).toBeUndefined();
    expect(await waiting()).toEqual([]);
    expect(await bytes(id)).toBe(before);
  });

  test("is not given without any target, nor for an operation that does not exist", async () => {
    const id = await insert();
    expect(await operations.claim(id, [], NOW)).toBeUndefined();
    expect(await operations.claim(new ObjectId().toHexString(), TARGETS, NOW)).toBeUndefined();
  });

  test("of another field's value that begins with a dollar sign takes it as it is", async () => {
    const id = await insert({ delegation_target: "$queued_at" });
    expect(await operations.claim(id, ["$queued_at"], NOW)).toMatchObject({ claim: { orchestrator: "$queued_at" } });
  });
});

describe("many calls at once go out together, and each gets its own answer", () => {
  test("claims: of 300 operations each is claimed once, also when all are asked for twice", async () => {
    const wanted = await Promise.all(Array.from({ length: 300 }, () => insert()));
    const other = await insert({ delegation_target: "somebody" });
    const asked = [...wanted, other, ...wanted];
    const claims = await Promise.all(asked.map((id) => operations.claim(id, TARGETS, NOW)));
    const got = claims.flatMap((claimed) => claimed?.id ?? []);
    expect(got).toHaveLength(300);
    expect(new Set(got)).toEqual(new Set(wanted));
    for (const [i, claimed] of claims.entries()) expect([asked[i], undefined]).toContain(claimed?.id);
  });

  test("records: those that are refused are told apart from those that are made", async () => {
    const ids = await Promise.all(Array.from({ length: 100 }, () => insert()));
    const claimed = await Promise.all(ids.map((id) => claim(id)));
    await Promise.all(ids.filter((_, i) => i % 7 === 3).map((id) => set(id, { run_state: "failed" })));
    const record = (one: (typeof claimed)[number], i: number) =>
      operations.recordCreated(one, { phase: "created", uid: `u${i}` }, undefined);
    const recorded = await Promise.all(claimed.map(record));
    expect(recorded).toEqual(ids.map((_, i) => i % 7 !== 3));
    const operation = await Promise.all(ids.map((id) => operations.read(id)));
    expect(operation.map((one) => one?.claim?.uid)).toEqual(ids.map((_, i) => (i % 7 === 3 ? undefined : `u${i}`)));
  });

  test("reads: what does not exist is told apart from what does", async () => {
    const ids = await Promise.all(Array.from({ length: 50 }, () => insert()));
    const asked = ids.flatMap((id) => [id, new ObjectId().toHexString()]);
    const read = await Promise.all(asked.map((id) => operations.read(id)));
    expect(read.map((operation) => operation?.id)).toEqual(ids.flatMap((id) => [id, undefined]));
  });
});

describe("a change of our sub-document", () => {
  test("sets only what it names, and adds its times to the timeline", async () => {
    const id = await insert();
    const claimed = await claim(id);
    const before = await read(id);
    await operations.change(claimed, { phase: "running", timeline: { started: NOW } });
    const timeline = { ...claimed.claim.timeline, started: NOW };
    expect(await read(id)).toEqual({ ...before, opjob: { ...claimed.claim, phase: "running", timeline } });
  });

  test("is made whatever the worker did meanwhile, and touches nothing of the worker's", async () => {
    const id = await insert();
    const claimed = await claim(id);
    await set(id, { run_state: "completed", result: { result: 5 } });
    await operations.change(claimed, { phase: "done" });
    expect(await read(id)).toMatchObject({ run_state: "completed", result: { result: 5 }, opjob: { phase: "done" } });
  });

  test("of an earlier claim is refused", async () => {
    const id = await insert();
    const old = await claim(id);
    await set(id, { queued_at: new Date() });
    await claim(id);
    const before = await bytes(id);
    await operations.change(old, { phase: "done" });
    expect(await operations.recordCreated(old, { uid: "u" }, "https://x")).toBe(false);
    expect(await operations.fail(old, { reason: "X", fault: "cluster", text: "x" }, NOW)).toBe(false);
    expect(await bytes(id)).toBe(before);
  });

  test.each([
    ["queued", true],
    ["running", true],
    ["completed", false],
    ["failed", false],
  ])("that records a Job, and its link, is made while the operation is %s: %s", async (run_state, made) => {
    const id = await insert();
    const claimed = await claim(id);
    await set(id, { run_state });
    expect(await operations.recordCreated(claimed, { phase: "created", uid: "u" }, "https://argo/x")).toBe(made);
    const { run_link, opjob } = (await read(id)) as { run_link: string | null; opjob: Claim };
    expect([run_link, opjob.uid]).toEqual(made ? ["https://argo/x", "u"] : [null, undefined]);
  });

  test("that records a Job without a link leaves the worker's link", async () => {
    const id = await insert({ run_link: "gs://bucket/log" });
    await operations.recordCreated(await claim(id), { uid: "u" }, undefined);
    expect(await read(id)).toMatchObject({ run_link: "gs://bucket/log" });
  });
});

describe("a failure", () => {
  const FAILURE = {
    reason: "ImagePullFailed",
    fault: "template",
    text: "Kubernetes Job a/b failed: …\nWhat to do: …",
  } as const;

  test.each(["queued", "running"])(
    "of a %s operation is written in FiftyOne's shape, and nothing else",
    async (state) => {
      const id = await insert();
      await claim(id);
      await set(id, { run_state: state, started_at: NOW });
      const before = await read(id);
      const judged = (await operations.read(id)) as Claimed;
      expect(await operations.fail(judged, FAILURE, NOW)).toBe(true);
      expect(await read(id)).toEqual({
        ...before,
        run_state: "failed",
        failed_at: NOW,
        updated_at: NOW,
        result: {
          result: null,
          executor: null,
          error: FAILURE.text,
          error_message: FAILURE.text,
          delegated: false,
          validation_ctx: null,
        },
        opjob: {
          ...judged.claim,
          phase: "failed",
          reason: "ImagePullFailed",
          fault: "template",
          message: "Kubernetes Job a/b failed: …",
          since: NOW,
          timeline: { ...judged.claim.timeline, written: NOW },
        },
      });
    },
  );

  test.each<[string, Document]>([
    ["the worker completed it", { run_state: "completed", result: { result: 1 } }],
    ["the worker failed it itself", { run_state: "failed", result: { error: "Traceback" } }],
    ["the worker has only just begun", { run_state: "running" }],
    ["it was queued anew", { queued_at: new Date() }],
    ["its Job is another one", { "opjob.uid": "other" }],
  ])("is refused when meanwhile %s", async (_, meanwhile) => {
    const id = await insert();
    await operations.change(await claim(id), { uid: "u1" });
    const judged = (await operations.read(id)) as Claimed;
    await set(id, meanwhile);
    const before = await bytes(id);
    expect(await operations.fail(judged, FAILURE, NOW)).toBe(false);
    expect(await bytes(id)).toBe(before);
  });

  test("of 20 at the same time is written once", async () => {
    const id = await insert();
    const claimed = await claim(id);
    const written = await Promise.all(Array.from({ length: 20 }, () => operations.fail(claimed, FAILURE, NOW)));
    expect(written.filter(Boolean)).toHaveLength(1);
  });

  test("of a pipeline's child is told to a parent that keeps such a list, and only to that", async () => {
    const parent = queued({ run_state: "running", pipeline_run_info: { active: true, child_errors: { other: "x" } } });
    const plain = queued({ run_state: "running" });
    await collection.insertMany([parent, plain]);
    const plainBefore = await bytes(plain._id.toHexString());
    const child = await insert({ parent_id: parent._id });
    const orphan = await insert({ parent_id: plain._id });
    await operations.fail(await claim(child), FAILURE, NOW);
    await operations.fail(await claim(orphan), FAILURE, NOW);
    const told = {
      ...parent,
      pipeline_run_info: { active: true, child_errors: { other: "x", [child]: FAILURE.text } },
    };
    expect(await read(parent._id.toHexString())).toEqual(told);
    expect(await bytes(plain._id.toHexString())).toBe(plainBefore);
  });
});

describe("what is found", () => {
  test("unclaimed: what is queued for us and not claimed since, oldest first", async () => {
    const at = (seconds: number): Date => new Date(QUEUED_AT.getTime() + seconds * 1_000);
    const newer = await insert({ queued_at: at(2) });
    const older = await insert({ queued_at: at(1), delegation_target: "k8s-b" });
    const claimed = await insert({ queued_at: at(0) });
    await claim(claimed);
    await insert({ delegation_target: "elsewhere" });
    expect(await waiting()).toEqual([older, newer]);
    await set(claimed, { queued_at: at(3) });
    expect(await waiting()).toEqual([older, newer, claimed]);
  });

  test("claimed: what we claimed and has not ended", async () => {
    const [waits, runs, done] = [await insert(), await insert(), await insert()];
    for (const id of [waits, runs, done]) await claim(id);
    await set(runs, { run_state: "running" });
    await set(done, { run_state: "completed" });
    await insert();
    const found = await Array.fromAsync(operations.claimed());
    expect(found.map(({ id }) => id).toSorted()).toEqual([waits, runs].toSorted());
    expect(found.find(({ id }) => id === runs)).toMatchObject({ runState: "running", claim: { phase: "claimed" } });
  });

  test("ended: of the ids that are asked for, those that have ended or are gone, also of thousands", async () => {
    const [waits, runs] = [await insert(), await insert({ run_state: "running" })];
    const [done, gone] = [await insert({ run_state: "failed" }), new ObjectId().toHexString()];
    expect(await operations.ended([waits, done, runs, gone])).toEqual([done, gone]);
    expect(await operations.ended([])).toEqual([]);
    const many = Array.from({ length: 2_500 }, () => new ObjectId().toHexString());
    expect(await operations.ended([...many, runs])).toEqual(many);
  });

  describe("overlooked: whose end nobody recorded", () => {
    const lately = { targets: TARGETS, since: new Date(Date.now() - 3_600_000), most: 100 };
    const ended = { run_state: "completed", updated_at: new Date() };
    beforeEach(async () => {
      await database.db.collection("delegated_ops").createIndex({ updated_at: 1 });
    });

    test("of the orchestrators that are asked for, lately, and not what is recorded or still runs", async () => {
      const ids = await Promise.all(Array.from({ length: 6 }, () => insert()));
      const [found = "", old = "", done = "", ours = "", runs = "", never = ""] = ids;
      for (const id of [found, old, done, ours, runs]) await claim(id);
      await set(found, ended);
      await set(old, { ...ended, updated_at: new Date(0) });
      await set(done, { ...ended, "opjob.phase": "done" });
      await set(ours, { ...ended, run_state: "failed", "opjob.phase": "failed" });
      await set(runs, { run_state: "running", updated_at: new Date() });
      await set(never, ended);
      expect(await operations.overlooked(lately)).toEqual([found]);
      expect(await operations.overlooked({ ...lately, targets: ["another"] })).toEqual([]);
    });

    test("no more are looked at than is said, those that were written to last, and none where there is no index", async () => {
      for (let i = 0; i < 5; i++) {
        const id = await insert();
        await claim(id);
        await set(id, { ...ended, updated_at: new Date(Date.now() + i) });
        if (i >= 3) expect(await operations.overlooked({ ...lately, most: 1 })).toEqual([id]);
      }
      await database.db.collection("delegated_ops").dropIndex("updated_at_1");
      expect(await operations.overlooked(lately)).toEqual([]);
    });
  });

  test("unrecorded: of the ids that are asked for, those that have ended since we claimed them, and are not marked so", async () => {
    const [runs, done, failed, ours, never] = [
      await insert(),
      await insert(),
      await insert(),
      await insert(),
      await insert(),
    ];
    for (const id of [runs, done, failed, ours]) await claim(id);
    await set(runs, { run_state: "running" });
    await set(done, { run_state: "completed", "opjob.phase": "done" });
    await set(failed, { run_state: "failed" });
    await set(ours, { run_state: "failed", "opjob.phase": "failed" });
    await set(never, { run_state: "completed" });
    expect(await operations.unrecorded([runs, done, failed, ours, never])).toEqual([failed]);
  });

  test("queue: how many wait for our targets, and since when the oldest does", async () => {
    expect(await operations.queue(TARGETS)).toEqual({ count: 0, oldest: undefined });
    await insert({ queued_at: new Date(QUEUED_AT.getTime() + 1) });
    await insert();
    await insert({ archived: true, queued_at: new Date(0) });
    await insert({ delegation_target: null, queued_at: new Date(0) });
    expect(await operations.queue(TARGETS)).toEqual({ count: 2, oldest: QUEUED_AT });
  });

  test("read: an operation without its large fields; undefined where there is none", async () => {
    const id = await insert({ archived: true, result: { error: "E", result: "large" } });
    expect(await operations.read(id)).toEqual({
      id,
      operator: "@peer/echo",
      target: "k8s-a",
      runState: "queued",
      queuedAt: QUEUED_AT,
      endedAt: null,
      archived: true,
      error: "E",
      parentId: null,
      priority: 0,
      claim: undefined,
    });
    expect(await operations.read(new ObjectId().toHexString())).toBeUndefined();
  });
});
