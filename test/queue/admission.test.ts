// Who goes next, and how many: the whole room of the queue on a made-up database and made-up clusters.
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { LiveJob } from "../../src/clusters/live-job.ts";
import { type InLine, inOrder, type Line, type Note } from "../../src/operations/line.ts";
import type { Operation } from "../../src/operations/operation.ts";
import { newsOf } from "../../src/queue/notes.ts";
import type { Queue, QueueOptions } from "../../src/queue/queue.ts";
import { jobView } from "../clusters/views.ts";
import { operationOf } from "../operations/claimed.ts";
import { until } from "../until.ts";
import { CLUSTERS, madeUpQueue } from "./made-up-queue.ts";

type Waits = { readonly id: string; readonly target: string; readonly queuedAt: number; readonly priority: number };

let waiting: Waits[];
let jobs: LiveJob[];
let went: string[];
let told: (readonly [InLine, Note])[];
let reads: number;
let queue: Queue;
let limits: { total: number; cluster: number; orchestrator: (id: string) => number };
let targets: string[];
let active: boolean;

beforeEach(() => {
  waiting = [];
  jobs = [];
  went = [];
  told = [];
  reads = 0;
  limits = { total: 0, cluster: 0, orchestrator: () => 0 };
  targets = ["a", "b", "c"];
  active = true;
});
afterEach(() => queue.close());

function open(fields: Partial<QueueOptions> = {}): Queue {
  queue = madeUpQueue({
    operations: {
      lines: (asked, length) => {
        reads++;
        return Promise.resolve(asked.flatMap((target) => lineOf(target, length)));
      },
      note: (notes) => {
        told.push(...notes);
        return Promise.resolve();
      },
    },
    observed: { liveJobs: () => jobs, hasAttempt: () => false },
    targets: () => targets,
    active: () => active,
    limits,
    go: (id) => void went.push(id),
    ...fields,
  });
  return queue;
}

function lineOf(target: string, length: number): Line[] {
  const all = waiting.filter((one) => one.target === target).toSorted(inOrder);
  const first = all.slice(0, length).map(({ id, queuedAt, priority }) => ({ id, queuedAt, priority, told: undefined }));
  return all.length === 0 ? [] : [{ target, count: all.length, first }];
}

/** Queues operations; their ids begin with their target. */
function enqueue(target: string, count: number, from = 0): void {
  for (let i = from; i < from + count; i++) {
    waiting.push({ id: `${target}${String(i).padStart(5, "0")}`, target, queuedAt: i, priority: 0 });
  }
}
const none = async function* (): AsyncIterable<Operation> {};
async function begin(claims: AsyncIterable<Operation> = none()): Promise<void> {
  await queue.reconcile(claims);
  await queue.refill();
}
/** One that went is claimed: it does not wait any more. */
function claim(id: string): void {
  waiting = waiting.filter((one) => one.id !== id);
  queue.begins(operationOf({ id }, { orchestrator: id.charAt(0), phase: "claimed" }));
}
const counts = (): number[] => targets.map((target) => went.filter((id) => id.startsWith(target)).length);
const job = (operation: string): LiveJob => ({
  job: jobView({ operation, uid: operation, orchestrator: operation.charAt(0) }),
  scope: CLUSTERS[operation.charAt(0)] ?? "",
  node: "taken",
  begun: true,
  stuck: undefined,
  images: [],
});

test("each orchestrator in its turn, the oldest of each first", async () => {
  open({ underway: 6 });
  for (const target of targets) enqueue(target, 10);
  await begin();
  await until(() => went.length === 6);
  expect(went).toEqual(["a00000", "b00000", "c00000", "a00001", "b00001", "c00001"]);
});

test("no more than the limit, counted over Jobs, claims and those who were just chosen", async () => {
  limits.total = 10;
  jobs = ["a-old", "b-old", "c-old"].map(job);
  open();
  enqueue("a", 50);
  await begin(
    (async function* () {
      yield operationOf({ id: "a-claimed" }, { orchestrator: "a", phase: "created" });
    })(),
  );
  await until(() => went.length > 0);
  expect(went).toHaveLength(6);
  went.slice(0, 4).forEach(claim);
  await queue.refill();
  expect(went).toHaveLength(6);
  queue.release(went[0] ?? "");
  await until(() => went.length === 7);
  expect(went.toSorted()).toEqual(went);
});

test("shared places go to whoever has the fewest in flight, so that long Jobs cannot take them all", async () => {
  limits.total = 12;
  jobs = Array.from({ length: 6 }, (_, i) => job(`a-long${i}`));
  open();
  for (const target of targets) enqueue(target, 20);
  await begin();
  await until(() => went.length === 6);
  expect(counts()).toEqual([0, 3, 3]);
});

test("the limits of an orchestrator and of a cluster hold beside one another, and close nobody else's gate", async () => {
  limits = { total: 0, cluster: 5, orchestrator: (id) => (id === "a" ? 2 : 0) };
  open();
  for (const target of targets) enqueue(target, 20);
  await begin();
  await until(() => went.length >= 10);
  expect(counts()).toEqual([2, 3, 5]);
  expect([...queue.closed()].map(([id, { reason }]) => [id, reason])).toEqual([
    ["a", "LimitReached"],
    ["b", "LimitReached"],
    ["c", "LimitReached"],
  ]);
});

test("higher priority goes first within an orchestrator, and takes nothing from another", async () => {
  limits.total = 4;
  open();
  enqueue("a", 5);
  enqueue("b", 5);
  waiting.push({ id: "a-urgent", target: "a", queuedAt: 99, priority: 7 });
  await begin();
  await until(() => went.length === 4);
  expect(went).toEqual(["a-urgent", "b00000", "a00000", "b00001"]);
});

describe("before it is known what is in flight and who waits", () => {
  test("nobody goes, and nobody is claimed on sight", async () => {
    open();
    enqueue("a", 1);
    expect(queue.claimable("a00000")).toEqual([]);
    await queue.refill();
    expect(queue.claimable("a00000")).toEqual([]);
    await begin();
    await until(() => went.length === 1);
  });
});

describe("on sight", () => {
  test("is claimed what has no limit and nobody before it", async () => {
    limits.orchestrator = (id) => (id === "b" ? 3 : 0);
    open();
    enqueue("c", 1);
    await begin();
    expect(queue.claimable("x")).toEqual(["a"]);
    await until(() => went.length === 1);
    expect(queue.claimable("x")).toEqual(["a", "c"]);
    expect(queue.claimable("c00000")).toEqual(targets);
  });
});

test("one that is seen while others wait waits behind them; an older one goes before", async () => {
  limits.total = 1;
  jobs = [job("a-runs")];
  open();
  enqueue("a", 2, 10);
  await begin();
  const seen = (id: string, at: number) => operationOf({ id, target: "a", queuedAt: new Date(at) });
  expect(queue.isClaimable(seen("late", 99))).toBe(false);
  expect(queue.isClaimable(seen("early", 1))).toBe(false);
  jobs = [];
  limits.total = 0;
  for (const expected of [["early"], ["early", "a00010"], ["early", "a00010", "a00011"]]) {
    await until(() => went.length >= expected.length);
    expect(went.slice(0, expected.length)).toEqual(expected);
  }
});

test.each<[string, Partial<Operation>]>([
  ["that is archived", { archived: true }],
  ["that runs", { runState: "running" }],
  ["without a target", { target: null }],
  ["of an orchestrator that is not ours", { target: "elsewhere" }],
])("one %s neither is claimable nor waits, and gives its place back", async (_, fields) => {
  open();
  enqueue("a", 1);
  await begin();
  await until(() => went.length === 1);
  expect(queue.isClaimable({ ...operationOf({ id: "a00000", target: "a" }), ...fields })).toBe(false);
  expect(queue.sizes()).toEqual({ waiting: 0, places: 0, away: 0 });
});

test("one that was put off before it had a Job waits for a place like the others, and goes in its turn", async () => {
  limits.total = 1;
  open();
  enqueue("a", 2, 10);
  await begin();
  await until(() => went.length === 1);
  const held = operationOf({ id: "held", queuedAt: new Date(0) }, { orchestrator: "a", phase: "held" });
  expect(queue.admits(held)).toBeUndefined();
  queue.release("a00010");
  await until(() => went.length === 2);
  expect(went).toEqual(["a00010", "held"]);
  expect(queue.admits(held)).toBe(0);
});

test("100,000 that wait are neither held in memory nor read again for each that goes", async () => {
  limits.total = 500;
  open();
  enqueue("a", 100_000);
  await begin();
  for (let gone = 0; gone < 3_000; gone++) {
    await until(() => went.length > gone);
    expect(queue.sizes().waiting).toBeLessThanOrEqual(1_000);
    waiting.shift();
    queue.release(went[gone] ?? "");
  }
  expect(went.slice(0, 3_000)).toEqual(went.slice(0, 3_000).toSorted());
  expect(reads).toBeLessThan(10);
}, 60_000);

describe("those who wait at a closed gate", () => {
  test("are told why and their place, after a moment and in bulk", async () => {
    limits.total = 1;
    open();
    enqueue("a", 3);
    await begin();
    await until(() => went.length === 1);
    claim("a00000");
    await until(() => told.length > 0);
    expect(told.map(([{ id }, { place, reason }]) => [id, place, reason])).toEqual([
      ["a00001", 1, "LimitReached"],
      ["a00002", 2, "LimitReached"],
    ]);
    expect(told[1]?.[1].message).toBe(
      "As many operations are in flight as may be over all orchestrators: 1. It is number 2 of 2 that wait for this orchestrator.",
    );
  });

  test("are told again only what is news: another reason, or a place that differs by a tenth", () => {
    const line = (...toldOf: (InLine["told"] | undefined)[]): Line => ({
      target: "a",
      count: toldOf.length,
      first: toldOf.map((was, i) => ({ id: String(i), queuedAt: i, priority: 0, told: was })),
    });
    const why = { reason: "LimitReached", message: "Full." };
    const places = (...was: (InLine["told"] | undefined)[]) => newsOf(line(...was), why).map(([, { place }]) => place);
    const same = { reason: "LimitReached" };
    expect(
      places(undefined, { reason: "ClusterFull", place: 2 }, { ...same, place: 3 }, { ...same, place: 5 }),
    ).toEqual([1, 2, 4]);
    const hundred = Array.from({ length: 100 }, (_, i) => ({ ...same, place: i + 5 }));
    expect(places(...hundred)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
  });
});
