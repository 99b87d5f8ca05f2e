// What a sweep hints: work in hand that nobody is sure to hear of, and all of it where a term begins.
import { expect, test } from "@jest/globals";
import { createLog } from "../src/log.ts";
import { createMetrics } from "../src/metrics.ts";
import type { Operation } from "../src/operations/operation.ts";
import { createSweep } from "../src/sweep.ts";
import { until } from "./until.ts";
import { settle } from "./virtual-clock.ts";

function sweepOf(live: readonly string[]) {
  const hinted: string[] = [];
  const tidying: AbortSignal[] = [];
  const tidied = Promise.withResolvers<void>();
  let tick = async (): Promise<void> => undefined;
  const sweep = createSweep({
    cron: "0 0 1 1 *",
    timetable: (_, call) => {
      tick = call;
      return { stop: async () => undefined };
    },
    operations: {
      async *claimed() {
        for (const id of ["live", "unseen"]) yield { id } as Operation;
      },
      unrecorded: async (ids) => ids.filter((id) => id === "ended unseen"),
    },
    queue: { reconcile: async (claims) => void (await Array.fromAsync(claims)), refill: async () => undefined },
    active: () => true,
    seen: async () => undefined,
    live: () => live,
    known: () => [...live, "ended unseen"],
    overlooked: async (ms) => (ms > 3_600_000 ? ["ended long ago", "just ended"] : ["just ended"]),
    hint: (id) => void hinted.push(id),
    reload: async () => undefined,
    tidy: (signal) => {
      tidying.push(signal);
      return tidied.promise;
    },
    metrics: createMetrics({ defaults: false }),
    log: createLog({ level: "silent", secrets: [] }),
  });
  return { sweep, hinted, tidying, tidied: tidied.resolve, tick: () => tick() };
}

test("a Job that is watched, or that ended long ago and unnoticed, is looked at when a term begins, and by no other sweep", async () => {
  const { sweep, hinted } = sweepOf(["live"]);
  await sweep.run();
  // Of those whose Job is gone no list tells: a process that begins looks for them as well.
  expect(hinted.splice(0)).toEqual(["unseen", "ended long ago", "just ended"]);
  await sweep.anew();
  expect(hinted.splice(0)).toEqual(["unseen", "just ended"]);
  await sweep.firstOfTerm();
  expect(hinted).toEqual(["live", "unseen", "ended unseen", "ended long ago", "just ended"]);
});

test("a live Job whose operation is not in hand is looked at by every sweep", async () => {
  const { sweep, hinted } = sweepOf(["live", "stray"]);
  await sweep.run();
  expect(hinted.splice(0)).toEqual(["unseen", "stray", "ended long ago", "just ended"]);
  await sweep.anew();
  expect(hinted.splice(0)).toEqual(["unseen", "stray", "just ended"]);
});

test("who gives the Lease back is told when the last Job is tidied up, and that is not waited for to stop", async () => {
  const { sweep, tidying, tidied, tick } = sweepOf([]);
  sweep.start();
  void tick();
  await until(() => tidying.length === 1);
  await sweep.stop();
  expect(tidying.map(({ aborted }) => aborted)).toEqual([true]);
  let over = false;
  const waiting = sweep.tidied().then(() => {
    over = true;
  });
  await settle();
  expect(over).toBe(false);
  tidied();
  await waiting;
});
