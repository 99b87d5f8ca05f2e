// What a write to an operation may be at all: updates that only set, and no run state but `failed`.
import { expect, test } from "@jest/globals";
import { ObjectId } from "mongodb";
import {
  changeWrite,
  childErrorWrite,
  claimWrite,
  createdWrite,
  failureWrite,
  passOverWrite,
} from "../../src/operations/claim.ts";
import { type Claim, isMadeFor, parseOperation } from "../../src/operations/operation.ts";

const id = new ObjectId();
const now = new Date();
const claim: Claim = {
  queued_at: now,
  attempt: 1,
  orchestrator: "a",
  phase: "created",
  reason: null,
  message: null,
  since: null,
  uid: "u",
  timeline: {},
};
const operation = { ...parseOperation({ _id: id, run_state: "running", queued_at: now, opjob: claim }), claim };

const WRITES = {
  claim: claimWrite([id.toHexString()], ["a"], { now, token: new ObjectId() }),
  change: changeWrite(operation, { phase: "running", timeline: { started: now } }),
  created: createdWrite(operation, { uid: "u" }, "https://x"),
  passOver: passOverWrite(operation),
  failure: failureWrite(operation, { reason: "X", fault: "cluster", text: "x" }, now),
  childError: childErrorWrite(new ObjectId(), id.toHexString(), "x"),
};

test.each(Object.entries(WRITES))("%s only sets, and names the document by its _id", (_, { filter, update }) => {
  for (const one of [update].flat()) expect(Object.keys(one)).toEqual(["$set"]);
  const named = filter["_id"] instanceof ObjectId ? [filter["_id"]] : (filter["_id"] as { $in: unknown[] }).$in;
  for (const one of named) expect(one).toBeInstanceOf(ObjectId);
  expect(named).toHaveLength(1);
});

test.each(Object.entries(WRITES))("%s sets no run state but `failed`", (name, { update }) => {
  const [fields] = [update].flat().map((one) => one["$set"] as Record<string, unknown>);
  expect(fields?.["run_state"]).toBe(name === "failure" ? "failed" : undefined);
  const others = ["status", "context", "metadata", "monitored", "started_at", "completed_at", "queued_at", "log_path"];
  for (const field of others) expect(fields).not.toHaveProperty([field]);
});

test.each(["change", "created", "passOver", "failure"] as const)(
  "%s expects the claim, and a failure also state and Job",
  (name) => {
    const { filter } = WRITES[name];
    expect(filter).toMatchObject({ _id: id, queued_at: now, "opjob.queued_at": now, "opjob.attempt": 1 });
    if (name === "failure") expect(filter).toMatchObject({ run_state: "running", "opjob.uid": "u" });
  },
);

test("an attempt's name is passed over only while no worker has begun and no Job is recorded; doubts about its creation go with it", () => {
  const { filter, update } = passOverWrite({ ...operation, claim: { ...claim, unsure: true, epoch: 7 } });
  expect(filter).toMatchObject({ run_state: "queued", "opjob.uid": { $exists: false } });
  expect(update).toEqual({ $set: { opjob: { ...claim, attempt: 2 } } });
});

test("a Job is made for one queueing; one of an opjob that did not mark it yet is taken for what it was found for", () => {
  const job = { queueing: now.toISOString() };
  expect(isMadeFor(job, new Date(now.getTime()))).toBe(true);
  expect(isMadeFor(job, new Date(now.getTime() + 1))).toBe(false);
  expect(isMadeFor(job, null)).toBe(false);
  expect(isMadeFor({ queueing: "" }, null)).toBe(true);
  expect(isMadeFor({ queueing: "" }, now)).toBe(false);
  expect(isMadeFor({ queueing: undefined }, now)).toBe(true);
});
