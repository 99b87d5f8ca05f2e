// The composition root. The path, written once:
//
//   delegated_ops ──hint(id)──┐                                  ┌── Job / Pod events (hint: operation id)
//   orchestrators, secrets ───┤   OUT   claim → place → render → manifest → create → record
//   sweep (cron) ─────────────┴─> lanes (one in flight per operation)
//                                 BACK  observe → reduce → record (→ delete the Job)
//
// Lifetime: an AbortSignal down to the followers, a stack of closers up, also when the start fails half way.
import type { Clock } from "./clock.ts";
import type { Pool } from "./clusters/pool.ts";
import type { Config, Environment } from "./config.ts";
import { databaseError } from "./database.ts";
import { createDeletion } from "./deletion.ts";
import { openElection } from "./election.ts";
import { type FeedState, followAll } from "./feeds.ts";
import { versionOfFiles } from "./files.ts";
import { unready } from "./health.ts";
import { Lanes } from "./lanes.ts";
import type { Leadership } from "./leadership.ts";
import type { Log } from "./log.ts";
import { type Metrics, observeSizes } from "./metrics.ts";
import { type Outside, REAL } from "./outside.ts";
import { usesLease } from "./own-lease.ts";
import type { Surroundings } from "./place.ts";
import { openQueue } from "./queueing.ts";
import { createRation } from "./ration.ts";
import { openRoads } from "./roads.ts";
import { openRooms, type Rooms } from "./rooms.ts";
import { openRounds } from "./rounds.ts";
import { sizesOf } from "./sizes.ts";
import { giveBackSlack } from "./slack.ts";
import { createStep } from "./step.ts";
import type { Sweep } from "./sweep.ts";
import { Term } from "./term.ts";

export type DaemonOptions = {
  readonly config: Config;
  readonly environment: Environment;
  readonly surroundings: Surroundings;
  readonly log: Log;
  /** Default: the real one. */
  readonly outside?: Outside;
  /** Texts that must never be shown; the encryption keys are added as they are read. */
  readonly secrets?: Set<string>;
};

export type Daemon = { readonly port: number; readonly metrics: Metrics; stop(): Promise<void> };

/** How long MongoDB may be silent before a call gives up (ms); the lanes and followers then try again. */
const MONGO_TIMEOUT = 5_000;

/**
 * Starts the daemon and returns when it serves; MongoDB may still be away then, which /readyz tells.
 * @throws OpjobError SETTING_INVALID, or the socket's error when the port cannot be had
 */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const closers = new AsyncDisposableStack();
  try {
    const stop = new AbortController();
    const daemon = await compose(options, closers, stop);
    return { ...daemon, stop: () => closers.disposeAsync() };
  } catch (error) {
    await closers.disposeAsync();
    throw error;
  }
}

async function compose(options: DaemonOptions, closers: AsyncDisposableStack, stop: AbortController) {
  const { config, log, outside = REAL } = options;
  const metrics = outside.createMetrics();
  const client = outside.openDatabase(config.databaseUri, {
    appName: "opjob",
    serverSelectionTimeoutMS: MONGO_TIMEOUT,
    socketTimeoutMS: 60_000,
    maxPoolSize: MONGO_CONNECTIONS,
    // Whatever the URI prefers: a secondary that lags would show an operation as missing, and its Job would be deleted.
    readPreference: "primary",
  });
  closers.defer(() => client.close());
  const term = new Term({ alone: !usesLease(options), clock: outside.clock, log });
  const rooms = openRooms(options, client, metrics, term.fence);
  closers.defer(() => rooms.pool.close());
  const work = openWork(options, rooms, { metrics, term });
  rooms.reportTo(work);
  const state: FeedState = { scanned: false, cut: new Set<string>() };
  const leadership = openElection(options, rooms, { ...work, metrics, term, state });
  closers.defer(() => handOver(work, leadership, outside.clock));
  closers.defer(() => work.queue.close());
  closers.defer(() => work.sweep.stop());
  closers.defer(() => work.warm.close());
  closers.defer(() => work.refreshes.close());

  observe(metrics, rooms, { ...work, term });
  const health = await outside.serve({
    host: config.httpHost,
    port: config.httpPort,
    stalled: () => work.lanes.stalled(STALLED_MS),
    unready: async () => [...(await unready(client, state)), ...(leadership?.fault ? [leadership.fault.message] : [])],
    role: () => term.role,
    metrics: async () => ({ text: await metrics.registry.metrics(), type: metrics.registry.contentType }),
  });
  closers.defer(() => health.close());

  const following = followAll({
    ...rooms,
    ...work,
    client,
    mode: config.changes,
    pollMs: config.pollMs,
    files: () => versionOfFiles(rooms),
    state,
    metrics,
    log,
    clock: outside.clock,
    signal: stop.signal,
  });
  const { clock, heap } = outside;
  const spared = giveBackSlack({ heap, begun: () => work.lanes.begun, clock, signal: stop.signal });
  closers.defer(async () => {
    stop.abort();
    await Promise.all([following, spared]);
  });
  leadership?.start();
  log.info({ database: config.databaseName, instance: rooms.instance, port: health.port }, "opjob started");
  return { port: health.port, metrics };
}

type Work = ReturnType<typeof openWork>;

/** Work in hand may take so long before a standby may go on beside it; it then runs into the fence (ms). */
const DRAIN_MS = 5_000;

type InHand = { readonly lanes: Lanes; readonly sweep: Pick<Sweep, "tidied"> };

/** What is in hand is finished first: who goes on with the Lease finds nothing half done. */
async function handOver({ lanes, sweep }: InHand, leadership: Leadership | undefined, clock: Clock): Promise<void> {
  const drained = Promise.all([lanes.close(), sweep.tidied()]);
  const over = new AbortController();
  await Promise.race([drained, clock.sleep(DRAIN_MS, over.signal)]);
  over.abort();
  await leadership?.close();
  await drained;
}

/** Enough for thousands of calls a second; each connection keeps its buffers. */
const MONGO_CONNECTIONS = 20;

/** Deletions of what has no operation (any more) are counted over so long (ms). */
const RATION_MS = 30_000;

/** Hints beyond are dropped, and found by a sweep: memory does not grow with what is queued at once. */
const MOST_HINTS = 10_000;

/** Until work is looked at again that came to its time while nobody knew who leads; if the term ends it is forgotten (ms). */
const WAVERING_MS = 1_000;

/** A piece of work in hand for longer than this is stuck: every call has a deadline far below (ms). */
const STALLED_MS = 600_000;

type Given = { readonly metrics: Metrics; readonly term: Term };

function openWork({ config, log, outside = REAL }: DaemonOptions, rooms: Rooms, { metrics, term }: Given) {
  const { clock } = outside;
  const { observed, directory, pool } = rooms;
  const { fence } = term;
  const watch: Pool["watch"] = (cluster, namespace) => pool.watch(cluster, namespace);
  const targets = (): string[] => directory.targets();
  const active = (): boolean => term.active;
  const ration = createRation({ most: config.cleanupMost, ms: RATION_MS, now: clock.elapsed });
  const deleteJob = createDeletion({ fence, metrics, log });
  const joined = { metrics, fence, watch, ration, deleteJob };
  const { memories, ...roads } = openRoads({ config, log, clock }, rooms, joined);
  const hint = (id: string): void => lanes.hint(id);
  const queue = openQueue(config, rooms, { targets, active, go: (id) => lanes.send(id), log, clock });
  const step = createStep({ ...rooms, ...roads, queue, metrics, now: clock.now });
  const lanes: Lanes = new Lanes({
    work: async (id) => {
      if (active()) return step(id);
      return term.wavers ? { again: WAVERING_MS } : undefined;
    },
    concurrency: config.launchConcurrency,
    longest: MOST_HINTS,
    onDropped: () => void rounds.sweep.anew().catch(() => undefined), // else the next one finds them
    // What has a Job is looked after at once, however long the backlog of what has none yet.
    first: { of: (id) => observed.has(id), places: Math.ceil(config.launchConcurrency / 4) },
    clock,
    onError: (id, thrown) => {
      const { code, message, remedy } = databaseError(thrown);
      const fields = { operation: id, code, error: message, remedy };
      if (code === "LEADERSHIP_LOST") log.info(fields, "another replica goes on with it");
      else log.error(code === "INTERNAL" ? { ...fields, err: thrown } : fields, "step failed; it is tried again");
    },
  });
  const rounds = openRounds({ config, log, outside }, rooms, { ...joined, queue, active, hint });
  return { lanes, queue, targets, hint, look: queue.look, retry: () => queue.retry(), memories, ...rounds };
}

function observe(metrics: Metrics, rooms: Rooms, work: Work & { term: Term }): void {
  const { lanes, queue, targets, term } = work;
  const { observed, pool, storage, operations } = rooms;
  observeSizes(metrics, {
    lanes: () => ({ known: lanes.size, waiting: lanes.waiting, busy: lanes.busy }),
    observed: () => ({ ...observed.sizes, live: observed.live().length }),
    watches: () => pool.watches,
    stale: () => storage.stale(),
    queue: () => operations.queue(targets()),
    line: queue.sizes,
    all: () => sizesOf(rooms, work),
    leads: () => term.active,
    closed: queue.closed,
    faults: queue.faults,
  });
}
