// Queueing: the queue as the settings and the orchestrators' records want it. Joins rooms; decides nothing.
import type { Clock } from "./clock.ts";
import type { Observed } from "./clusters/observed.ts";
import type { Pool } from "./clusters/pool.ts";
import type { Config } from "./config.ts";
import { databaseError } from "./database.ts";
import type { Operations } from "./operations/mongo.ts";
import type { Directory } from "./orchestrators/directory.ts";
import type { Placer } from "./place.ts";
import { createQueue, type Queue, type QueueOptions } from "./queue/queue.ts";

export type QueueRooms = {
  readonly operations: Pick<Operations, "lines" | "note">;
  readonly observed: Observed;
  readonly directory: Pick<Directory, "maxInFlight">;
  readonly pool: Pick<Pool, "ofScope">;
  readonly placer: Pick<Placer, "clusterOf" | "accessOf">;
};

/** A cluster that does not answer is not waited for longer: its Jobs are counted by their operations' claims (ms). */
const LISTED_WITHIN = 5_000;

const NEVER = new AbortController().signal;

/** Until the first try after launches met the same fault again and again (ms). */
const BREAKER_FIRST = 2_000;

type SeenRooms = { readonly pool: Pick<Pool, "watches">; readonly directory: Pick<Directory, "ids" | "maxInFlight"> };

/** Resolves when every watch has shown what there is; at once where there are no limits, and after the first time. */
export function createSeen(config: Config, { pool, directory }: SeenRooms, clock: Clock): () => Promise<void> {
  const general = config.maxInFlight + config.maxInFlightPerCluster + config.maxInFlightPerOrchestrator > 0;
  let done = false;
  return async () => {
    const limited = general || directory.ids().some((id) => (directory.maxInFlight(id) ?? 0) > 0);
    const end = clock.elapsed() + (limited && !done ? LISTED_WITHIN : 0);
    while (clock.elapsed() < end && pool.watches.following < pool.watches.total) await clock.sleep(20, NEVER);
    done = true;
  };
}

type QueueParts = Pick<QueueOptions, "targets" | "active" | "go" | "log" | "clock">;

export function openQueue(config: Config, rooms: QueueRooms, parts: QueueParts): Queue {
  const { operations, observed, directory, pool, placer } = rooms;
  return createQueue({
    ...parts,
    operations,
    observed,
    clusterOf: { scope: (scope) => pool.ofScope(scope)?.server, orchestrator: placer.clusterOf },
    accessOf: placer.accessOf,
    limits: {
      total: config.maxInFlight,
      cluster: config.maxInFlightPerCluster,
      orchestrator: (id) => directory.maxInFlight(id) ?? config.maxInFlightPerOrchestrator,
    },
    backpressure: {
      mode: config.backpressure,
      engage: config.backpressureEngage,
      release: config.backpressureRelease,
      rampMs: config.backpressureRampSeconds * 1_000,
    },
    breaking: {
      faults: config.breakerFaults,
      pause: {
        first: Math.min(BREAKER_FIRST, config.retryMaxSeconds * 1_000),
        longest: config.retryMaxSeconds * 1_000,
      },
    },
    // More would only wait for a free lane.
    underway: config.launchConcurrency * 2,
    onError: (thrown) => {
      const { code, message } = databaseError(thrown);
      parts.log.warn({ code, error: message }, "the queue could not be read or told now");
    },
  });
}
