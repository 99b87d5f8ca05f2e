// A cluster that answers again: of those that it put off one is tried at once, and with the first that works all the others.
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import type { Queue } from "../../src/queue/queue.ts";
import { operationOf } from "../operations/claimed.ts";
import { madeUpQueue } from "./made-up-queue.ts";

const UNREACHABLE = { code: "CLUSTER_UNREACHABLE", message: "away" } as const;

let went: string[];
let queue: Queue;

/** The breaker trips at `faults` in a row. */
function open(faults: number): void {
  queue = madeUpQueue({
    breaking: { faults, pause: { first: 60_000, longest: 600_000 } },
    go: (id) => void went.push(id),
  });
}
beforeEach(() => {
  went = [];
});
afterEach(() => queue.close());

const one = (id: string) => operationOf({ id }, { orchestrator: id.charAt(0), phase: "held", unsure: true });
/** It was sent, and nobody knows what became of it. */
function putOff(id: string, fault: Parameters<Queue["putOff"]>[1] = UNREACHABLE): void {
  queue.begins(one(id));
  queue.putOff(one(id), fault, false);
  queue.begun(id);
}

test("one of each orchestrator is tried at once, and when that works all the others of it", () => {
  open(0);
  for (const id of ["a1", "a2", "a3", "b1", "b2", "c1"]) putOff(id);
  queue.answered("one");
  expect(went.splice(0)).toEqual(["a1", "b1"]);
  queue.launched(one("a1"), []);
  expect(went).toEqual(["a2", "a3"]);
  expect(queue.sizes().away).toBe(2);
});

test("when it fails again the next return tries another one, so that none is in the way of the others", () => {
  open(0);
  for (const id of ["a1", "a2"]) putOff(id);
  queue.answered("one");
  putOff("a1");
  queue.answered("one");
  expect(went).toEqual(["a1", "a2"]);
});

test("a success without a return makes nobody go: what one operation alone meets keeps its pauses", () => {
  open(0);
  putOff("a1");
  queue.launched(one("a2"), []);
  queue.launched(one("a3"), []);
  expect(went).toEqual([]);
});

test("behind an open breaker they go when the one that was tried worked, whatever made it due", () => {
  open(1);
  for (const id of ["a1", "a2"]) putOff(id);
  queue.launched(one("a1"), []);
  expect(went).toEqual(["a2"]);
});

test("one that the breaker has wait is told of again", () => {
  open(1);
  putOff("a1");
  queue.answered("one");
  expect([went.splice(0), queue.sizes().away]).toEqual([["a1"], 0]);
  expect(queue.admits(one("a1"))).toBeGreaterThan(1_000);
  queue.answered("one");
  expect(went).toEqual(["a1"]);
});

test.each(["CLUSTER_FORBIDDEN", "SECRET_MISSING", "CLUSTER_WEBHOOK_FAILED"] as const)(
  "nobody goes that met %s",
  (code) => {
    open(0);
    putOff("a1");
    putOff("a1", { code, message: "" });
    queue.answered("one");
    expect(went).toEqual([]);
  },
);

test("nobody goes who has ended, was settled otherwise, or whose orchestrator is gone", async () => {
  open(0);
  for (const id of ["a1", "a2", "a3"]) putOff(id);
  queue.settle("a1", undefined);
  queue.over(one("a2"));
  queue.release("a3");
  expect(queue.sizes().away).toBe(0);
  putOff("b1");
  queue.clear();
  queue.answered("one");
  expect(went).toEqual([]);
});
