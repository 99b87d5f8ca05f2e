// Who is in flight: by what is observed of Jobs, and by claims whose Job is not seen.
import { beforeEach, describe, expect, test } from "@jest/globals";
import type { LiveJob } from "../../src/clusters/live-job.ts";
import type { Claimed, Phase } from "../../src/operations/operation.ts";
import { Places } from "../../src/queue/places.ts";
import { jobView } from "../clusters/views.ts";
import { operationOf } from "../operations/claimed.ts";

const SEEN = { begun: false, stuck: undefined, images: [] };

let jobs: LiveJob[];
/** Attempts whose Job is seen, also ended. */
let attempts: string[];
let places: Places;

beforeEach(() => {
  jobs = [];
  attempts = [];
  places = new Places({
    observed: { hasAttempt: (id, attempt) => attempts.includes(`${id} ${attempt}`) },
    clusterOf: { scope: () => "https://a" },
  });
});

const live = (operation: string, attempt = 1, node: LiveJob["node"] = "taken"): void => {
  jobs.push({
    job: jobView({ operation, attempt, uid: `${operation}-${attempt}` }),
    scope: "a/fiftyone",
    ...SEEN,
    node,
  });
  attempts.push(`${operation} ${attempt}`);
};
const op = (id: string, phase: Phase, claim: object = {}, fields: Partial<Claimed> = {}): Claimed =>
  operationOf({ id, ...fields }, { phase, ...claim });
const inFlight = (): number => places.usage(jobs).total;
const from = async function* (operations: readonly Claimed[]) {
  yield* operations;
};

test("a grant, a claim and a Job of one operation are one place", () => {
  places.grant("a", { orchestrator: "kubernetes-gpu", cluster: "https://a" });
  expect([inFlight(), places.granted]).toEqual([1, 1]);
  places.claimed(op("a", "claimed"), "https://a");
  expect([inFlight(), places.granted]).toEqual([1, 0]);
  live("a");
  expect(inFlight()).toBe(1);
  expect(places.usage(jobs).orchestrators.get("kubernetes-gpu")).toEqual({ inFlight: 1, refused: 0, undecided: 0 });
  expect(places.usage(jobs).clusters).toEqual(new Map([["https://a", 1]]));
});

test("a Job that has ended holds no place, although its operation has not", () => {
  places.claimed(op("a", "created"), undefined);
  attempts.push("a 1");
  expect(inFlight()).toBe(0);
});

test("every Job counts that lives: of an earlier attempt, of nobody, without a node", () => {
  live("a", 1);
  live("unknown", 1, "refused");
  live("b", 1, "undecided");
  places.claimed(op("a", "created", { attempt: 2 }), undefined);
  expect(places.usage(jobs).orchestrators.get("kubernetes-gpu")).toEqual({ inFlight: 4, refused: 1, undecided: 2 });
});

describe("by its claim alone an operation holds a place", () => {
  test.each<[string, Claimed, number]>([
    ["claimed: the Job may just have been created", op("a", "claimed"), 1],
    ["with a recorded Job that is not seen", op("a", "created"), 1],
    ["running", op("a", "running", {}, { runState: "running" }), 1],
    ["put off before its Job was tried", op("a", "held"), 0],
    ["put off without an answer to its creation", op("a", "held", { unsure: true }), 1],
    ["with a Job that has ended", op("a", "finished"), 0],
    ["completed, with a Job whose end is not seen", op("a", "running", {}, { runState: "completed" }), 1],
    ["completed, and done with", op("a", "done", {}, { runState: "completed" }), 0],
    ["failed", op("a", "failed", {}, { runState: "failed" }), 0],
    ["queued again", op("a", "created", { queued_at: new Date(0) }), 0],
  ])("%s", (_, operation, count) => {
    places.settle("a", operation, undefined);
    expect(inFlight()).toBe(count);
  });

  test("and none when it is gone", () => {
    places.claimed(op("a", "created"), undefined);
    places.settle("a", undefined, undefined);
    expect(inFlight()).toBe(0);
  });
});

test("what the database holds takes the place of what was known; who was just chosen stays", async () => {
  places.claimed(op("lost", "created"), undefined);
  places.grant("chosen", { orchestrator: "kubernetes-gpu", cluster: undefined });
  const found = [op("found", "created"), op("ended", "finished")];
  await places.reconcile(from(found));
  expect(places.has("lost")).toBe(true); // it may just have got its result
  await places.reconcile(from(found));
  expect(["lost", "chosen", "found", "ended"].map((id) => places.has(id))).toEqual([false, true, true, false]);
});

test("who was chosen while the database was read stays as well", async () => {
  const reading = places.reconcile(
    (async function* () {
      places.grant("late", { orchestrator: "kubernetes-gpu", cluster: undefined });
      yield op("late", "held");
    })(),
  );
  await reading;
  expect(places.isGranted("late")).toBe(true);
});
