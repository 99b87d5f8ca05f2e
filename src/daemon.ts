// The composition root. The path, written once:
//
//   delegated_ops ──hint(id)──┐                                  ┌── Job / Pod events (hint: operation id)
//   orchestrators, secrets ───┤   OUT   claim → place → render → manifest → create → record
//   sweep (cron) ─────────────┴─> lanes (one in flight per operation)
//                                 BACK  observe → reduce → record (→ delete the Job)
//
// Lifetime: an AbortSignal down to the followers, a stack of closers up, also when the start fails half way.
import { createHash } from "node:crypto";
import type { Document, MongoClient } from "mongodb";
import { Observed } from "./clusters/observed.ts";
import { Pool } from "./clusters/pool.ts";
import type { Config, Environment } from "./config.ts";
import { databaseError } from "./database.ts";
import { createDismiss } from "./dismiss.ts";
import { type FeedState, followAll } from "./feeds.ts";
import { createFollower } from "./follow.ts";
import { Lanes } from "./lanes.ts";
import { createLauncher } from "./launch.ts";
import { type Log, secretsOfUri } from "./log.ts";
import { createLook } from "./look.ts";
import { type Metrics, observeSizes } from "./metrics.ts";
import { openOperations } from "./operations/mongo.ts";
import type { OperationDocument } from "./operations/operation.ts";
import { Directory } from "./orchestrators/directory.ts";
import { openRecords } from "./orchestrators/mongo.ts";
import { type Outside, REAL } from "./outside.ts";
import { createPlacer, type Surroundings } from "./place.ts";
import { createStep } from "./step.ts";
import { createSweep } from "./sweep.ts";
import { openStorage } from "./templates/storage.ts";
import { createWarm } from "./warm.ts";

export type DaemonOptions = {
  readonly config: Config;
  readonly environment: Environment;
  readonly surroundings: Surroundings;
  readonly log: Log;
  /** Default: the real one. */
  readonly outside?: Outside;
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
  const rooms = openRooms(options, client, metrics);
  closers.defer(() => rooms.pool.close());
  const roads = openRoads(options, rooms, metrics);
  rooms.hintBy(roads.lanes);
  closers.defer(() => roads.lanes.close());
  closers.defer(() => roads.sweep.stop());

  const state: FeedState = { scanned: false, cut: new Set<string>() };
  observe(metrics, rooms, roads);
  const health = await outside.serve({
    host: config.httpHost,
    port: config.httpPort,
    stalled: () => roads.lanes.stalled(STALLED_MS),
    unready: async () => unready(client, state),
    metrics: async () => ({ text: await metrics.registry.metrics(), type: metrics.registry.contentType }),
  });
  closers.defer(() => health.close());

  const following = followAll({
    ...rooms,
    ...roads,
    client,
    mode: config.changes,
    pollMs: config.pollMs,
    state,
    metrics,
    log,
    clock: outside.clock,
    signal: stop.signal,
  });
  closers.defer(async () => {
    stop.abort();
    await following;
  });
  log.info({ database: config.databaseName, instance: rooms.instance, port: health.port }, "opjob started");
  return { port: health.port, metrics };
}

type Rooms = ReturnType<typeof openRooms>;
type Roads = ReturnType<typeof openRoads>;

/** Enough for thousands of calls a second; each connection keeps its buffers. */
const MONGO_CONNECTIONS = 20;

/**
 * A Job that starts or ends changes several times, as do its Pods: one look for all of it (ms).
 * While a backlog waits, launching goes before looking.
 */
const BURST_MS = { calm: 100, backlog: 1_000 };

/** A piece of work in hand for longer than this is stuck: every call has a deadline far below (ms). */
const STALLED_MS = 600_000;

function openRooms(options: DaemonOptions, client: MongoClient, metrics: Metrics) {
  const { config, environment, surroundings, log, outside = REAL } = options;
  const db = client.db(config.databaseName);
  const collections = {
    operations: db.collection<OperationDocument>("delegated_ops"),
    orchestrators: db.collection<Document>("orchestrators"),
    secrets: db.collection<Document>(config.secretsCollection),
  };
  const fields = { key: config.secretsKeyField, value: config.secretsValueField };
  const records = openRecords(collections.orchestrators, collections.secrets, fields);
  const directory = new Directory({ records, encryptionKey: config.encryptionKey, environment, log });
  const instance = config.instance || fingerprint(client, config.databaseName);
  let lanes: Lanes | undefined;
  const observed = new Observed(instance, (id) => {
    lanes?.hint(id, lanes.waiting > config.launchConcurrency ? BURST_MS.backlog : BURST_MS.calm);
  });
  const pool = new Pool({
    ...outside,
    observed,
    timeoutMs: config.kubernetesTimeoutSeconds * 1_000,
    onCall: ({ verb, resource }, code, seconds) => metrics.calls.observe({ verb, resource, code }, seconds),
    log,
  });
  const placer = createPlacer({ directory, pool, storage: openStorage(), config, surroundings });
  const operations = openOperations(collections.operations);
  const hintBy = (given: Lanes): void => {
    lanes = given;
  };
  return { collections, directory, instance, observed, pool, placer, operations, hintBy };
}

function openRoads({ config, log, outside = REAL }: DaemonOptions, rooms: Rooms, metrics: Metrics) {
  const { clock, timetable } = outside;
  const { now, random } = clock;
  const { operations, observed, directory, pool, placer } = rooms;
  const watch: Pool["watch"] = (cluster, namespace) => pool.watch(cluster, namespace);
  const isActive = (id: string): boolean => directory.isActive(id);
  const targets = (): string[] => directory.targets();
  const patience = {
    short: config.imageGraceSeconds * 1_000,
    pending: config.pendingTimeoutSeconds * 1_000,
    result: config.resultGraceSeconds * 1_000,
  };
  const road = { operations, observed, metrics, log, now, random };
  const launcher = createLauncher({
    ...road,
    placer,
    watch,
    isActive,
    database: rooms.instance,
    runLink: config.runLink,
    retryMaxMs: config.retryMaxSeconds * 1_000,
  });
  const follower = createFollower({
    ...road,
    launcher,
    look: createLook({ pool, launcher, database: rooms.instance, patience, log, now }),
    dismiss: createDismiss({ pool, metrics, log }),
    patience,
    logTail: { lines: config.logTailLines, bytes: config.logTailBytes },
    secrets: [config.encryptionKey, ...secretsOfUri(config.databaseUri)],
  });
  const lanes = new Lanes({
    work: createStep({ ...road, targets, launcher, follower }),
    concurrency: config.launchConcurrency,
    clock,
    onError: (id, thrown) => {
      const { code, message, remedy } = databaseError(thrown);
      const fields = { operation: id, code, error: message, remedy };
      log.error(code === "INTERNAL" ? { ...fields, err: thrown } : fields, "step failed; it is tried again");
    },
  });
  const warm = createWarm({
    orchestrators: () => directory.ids(),
    isActive,
    placer,
    watch,
    retain: (keys) => pool.retain(keys),
    log,
  });
  const reload = async (): Promise<boolean> => {
    const changed = await directory.load();
    await warm();
    return changed;
  };
  const live = (): string[] => observed.live();
  const hint = (id: string): void => lanes.hint(id);
  const sweep = createSweep({ ...road, cron: config.sweepCron, timetable, targets, live, hint, reload });
  return { lanes, sweep, reload, targets, live, hint };
}

async function unready(client: MongoClient, { scanned, cut }: FeedState): Promise<string[]> {
  const faults = scanned ? [] : ["the first scan is not done"];
  if (cut.has("delegated_ops")) faults.push("the changes of delegated_ops are cut off");
  const answers = await client
    .db("admin")
    .command({ ping: 1 }, { timeoutMS: 2_000 })
    .then(
      () => true,
      () => false,
    );
  return answers ? faults : [...faults, "MongoDB does not answer"];
}

function observe(metrics: Metrics, { observed, pool, operations }: Rooms, { lanes, targets }: Roads): void {
  observeSizes(metrics, {
    lanes: () => ({ known: lanes.size, waiting: lanes.waiting, busy: lanes.busy }),
    observed: () => ({ ...observed.sizes, live: observed.live().length }),
    watches: () => pool.watches,
    queue: () => operations.queue(targets()),
  });
}

/** Tells databases apart: the same hosts and name give the same text, whatever user and options the URI has. */
function fingerprint({ options }: MongoClient, name: string): string {
  const hosts = options.srvHost === undefined ? options.hosts.map(String).toSorted().join(",") : options.srvHost;
  return createHash("sha256").update(`${hosts}/${name}`).digest("hex").slice(0, 16);
}
