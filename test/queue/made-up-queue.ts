// A queue on made-up clusters, of which nothing is known but their names: what a test does not name, does nothing.
import { systemClock } from "../../src/clock.ts";
import { createLog } from "../../src/log.ts";
import { createQueue, type Queue, type QueueOptions } from "../../src/queue/queue.ts";

/** By orchestrator. */
export const CLUSTERS: Readonly<Record<string, string>> = { a: "one", b: "one", c: "two" };

export const madeUpQueue = (fields: Partial<QueueOptions>): Queue =>
  createQueue({
    operations: { lines: () => Promise.resolve([]), note: () => Promise.resolve() },
    observed: { liveJobs: () => [], hasAttempt: () => false },
    targets: () => Object.keys(CLUSTERS),
    active: () => true,
    clusterOf: { scope: (scope) => scope, orchestrator: (id) => CLUSTERS[id] },
    accessOf: (id) => CLUSTERS[id],
    limits: { total: 0, cluster: 0, orchestrator: () => 0 },
    backpressure: { mode: "off", engage: 2, release: 1, rampMs: 1_000 },
    breaking: { faults: 0, pause: { first: 1_000, longest: 60_000 } },
    go: () => undefined,
    underway: 100,
    onError: (error) => {
      throw error;
    },
    log: createLog({ level: "silent", secrets: [] }),
    clock: systemClock,
    ...fields,
  });
