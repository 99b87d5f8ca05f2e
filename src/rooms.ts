// Opens the rooms of a daemon, each with the doors of the others that it is given: the only place that makes them.
// Knows what each needs of the settings; does nothing with them, and closes nothing (daemon.ts does).
import type { Document, MongoClient } from "mongodb";
import { Observed } from "./clusters/observed.ts";
import { Pool } from "./clusters/pool.ts";
import type { DaemonOptions } from "./daemon.ts";
import { fingerprint } from "./database.ts";
import type { Lanes } from "./lanes.ts";
import { secretsOfUri } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import type { Fence } from "./operations/fence.ts";
import { openOperations } from "./operations/mongo.ts";
import type { OperationDocument } from "./operations/operation.ts";
import { Directory } from "./orchestrators/directory.ts";
import { openKeys } from "./orchestrators/key-file.ts";
import { openOperatorLists, openRecords } from "./orchestrators/mongo.ts";
import { REAL } from "./outside.ts";
import { createPlacer, storageFor } from "./place.ts";
import type { Queue } from "./queue/queue.ts";

export type Rooms = ReturnType<typeof openRooms>;

/**
 * A Job that starts or ends changes several times, as do its Pods: one look for all of it (ms).
 * While a backlog waits, launching goes before looking.
 */
const BURST_MS = { calm: 100, backlog: 1_000 };

export function openRooms(options: DaemonOptions, client: MongoClient, metrics: Metrics, fence: Fence) {
  const { config, environment, surroundings, log, outside = REAL } = options;
  const { secrets = new Set(secretsOfUri(config.databaseUri)) } = options;
  const db = client.db(config.databaseName);
  const collections = {
    operations: db.collection<OperationDocument>("delegated_ops"),
    orchestrators: db.collection<Document>("orchestrators"),
    secrets: db.collection<Document>(config.secretsCollection),
  };
  const fields = { key: config.secretsKeyField, value: config.secretsValueField };
  const records = openRecords(collections.orchestrators, collections.secrets, fields);
  const keys = openKeys(config, (text) => secrets.add(text));
  const directory = new Directory({ records, keys: keys.read, environment, log });
  const instance = config.instance || fingerprint(client, config.databaseName);
  let lanes: Lanes | undefined;
  let queue: Pick<Queue, "answered"> | undefined;
  const observed = new Observed(instance, (id) => {
    lanes?.hint(id, lanes.waiting > config.launchConcurrency ? BURST_MS.backlog : BURST_MS.calm);
  });
  const pool = new Pool({
    ...outside,
    observed,
    timeoutMs: config.kubernetesTimeoutSeconds * 1_000,
    traffic: {
      rate: config.kubernetesRate,
      burst: config.kubernetesBurst,
      crowd: Math.ceil(config.launchConcurrency / 2),
      onWait: (verb, seconds) => metrics.waits.observe({ verb }, seconds),
    },
    onAnswer: (key) => queue?.answered(key),
    onCall: ({ verb, resource }, code, seconds) => metrics.calls.observe({ verb, resource, code }, seconds),
    log,
  });
  const storage = storageFor(config, environment, log);
  const placer = createPlacer({ directory, pool, storage, config, surroundings });
  const operations = openOperations(collections.operations, fence, outside.clock);
  /** Who is told from now on what the watches see and which clusters answer. */
  const reportTo = (roads: { readonly lanes: Lanes; readonly queue: Pick<Queue, "answered"> }): void => {
    ({ lanes, queue } = roads);
  };
  const lists = openOperatorLists(collections.orchestrators);
  return {
    collections,
    lists,
    directory,
    keys,
    secrets,
    instance,
    observed,
    pool,
    storage,
    placer,
    operations,
    reportTo,
  };
}
