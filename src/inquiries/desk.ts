// What an answer to a person is made from: the records, the operations and the clusters, opened for one command and closed
// after it. It only reads: no watch, no claim, no write.
import type { Document, MongoClient } from "mongodb";
import { createInquiry } from "../clusters/events.ts";
import { Cluster } from "../clusters/kubernetes.ts";
import { type Config, type Environment, patienceOf } from "../config.ts";
import { fingerprint } from "../database.ts";
import { createJudge, type Judge } from "../judge.ts";
import { createLog, secretsOfUri } from "../log.ts";
import { openReads, type Reads } from "../operations/mongo-reads.ts";
import type { OperationDocument } from "../operations/operation.ts";
import { Directory } from "../orchestrators/directory.ts";
import type { KeySource } from "../orchestrators/key-file.ts";
import { type OperatorLists, openOperatorLists, openRecords } from "../orchestrators/mongo.ts";
import type { Registry, StoredRecord } from "../orchestrators/mongo-records.ts";
import { createPlacer, type Placer, type Surroundings, storageFor } from "../place.ts";

export type Desk = {
  readonly config: Config;
  readonly client: MongoClient;
  readonly reads: Reads;
  readonly registry: Pick<Registry, "list" | "named">;
  /** All of them, of every environment. */
  readonly records: readonly StoredRecord[];
  readonly directory: Pick<Directory, "targets" | "isActive" | "get">;
  /** The daemon's own, so that an answer says what the daemon will do. */
  readonly judge: Judge;
  readonly lists: OperatorLists;
  readonly placer: Pick<Placer, "recipe" | "site" | "registration">;
  /** Texts that no answer may show, should a worker have logged them. */
  readonly secrets: ReadonlySet<string>;
  /** Tells this database's Jobs from those of others. */
  readonly instance: string;
  /** When the answers are as of (ms since 1970). */
  readonly now: number;
  readonly surroundings: Surroundings;
};

export type DeskOptions = {
  readonly config: Config;
  readonly client: MongoClient;
  readonly registry: Pick<Registry, "list" | "named">;
  readonly keys: Pick<KeySource, "read">;
  readonly environment: Environment;
  readonly surroundings: Surroundings;
  readonly now: number;
};

/** Whoever looks waits for it: no longer than this for one answer of a cluster (ms). */
const LONGEST_CALL = 10_000;

export async function openDesk(options: DeskOptions, closers: AsyncDisposableStack): Promise<Desk> {
  const { config, client, registry, keys, environment, surroundings, now } = options;
  const db = client.db(config.databaseName);
  const fields = { key: config.secretsKeyField, value: config.secretsValueField };
  const secrets = db.collection<Document>(config.secretsCollection);
  const log = createLog({ level: "silent", secrets: [] });
  const records = openRecords(db.collection("orchestrators"), secrets, fields);
  const directory = new Directory({ records, keys: keys.read, environment, log });
  await directory.load();
  const pool = clients(Math.min(LONGEST_CALL, config.kubernetesTimeoutSeconds * 1_000), closers);
  return {
    config,
    client,
    reads: openReads(db.collection<OperationDocument>("delegated_ops")),
    registry,
    records: await registry.list(),
    lists: openOperatorLists(db.collection("orchestrators")),
    directory,
    judge: createJudge({
      inquiry: createInquiry({ now: Date.now, log }),
      patience: patienceOf(config),
      now: () => now,
    }),
    placer: createPlacer({ directory, pool, storage: storageFor(config, environment, log), config, surroundings }),
    secrets: new Set(secretsOfUri(config.databaseUri)),
    instance: config.instance || fingerprint(client, config.databaseName),
    now,
    surroundings,
  };
}

/** One client for each access; closed with the desk. */
function clients(timeoutMs: number, closers: AsyncDisposableStack): Parameters<typeof createPlacer>[0]["pool"] {
  const known = new Map<string, Cluster>();
  return {
    cluster(access) {
      const kept = known.get(access.key);
      if (kept) return kept;
      const cluster = new Cluster(access, { timeoutMs, onCall: () => undefined });
      closers.defer(() => cluster.close());
      known.set(access.key, cluster);
      return cluster;
    },
  };
}
