// FiftyOne's database for one command: opened, handed over, closed. Errors of the driver come out in words.
import { type Db, MongoClient } from "mongodb";
import { type Config, readConfig } from "../config.ts";
import { databaseError } from "../database.ts";
import { type KeySource, openKeys } from "../orchestrators/key-file.ts";
import { openRegistry, type Registry } from "../orchestrators/mongo-records.ts";
import { openSecrets, type Secrets } from "../orchestrators/mongo-secrets.ts";
import type { Host } from "./host.ts";

export type Opened = {
  readonly config: Config;
  readonly client: MongoClient;
  readonly db: Db;
  readonly registry: Registry;
  readonly secrets: Secrets;
  readonly keys: KeySource;
};

/** A person waits: after so long without an answer they are told (ms). */
const PATIENCE = 5_000;

/** @throws OpjobError SETTING_INVALID, DATABASE_…, and whatever the act throws */
export async function withDatabase<T>(
  { environment }: Pick<Host, "environment">,
  act: (opened: Opened) => Promise<T>,
): Promise<T> {
  const config = readConfig(environment);
  const client = new MongoClient(config.databaseUri, {
    appName: "opjob",
    serverSelectionTimeoutMS: PATIENCE,
    readPreference: "primary",
  });
  try {
    const db = client.db(config.databaseName);
    return await act({
      config,
      client,
      db,
      registry: openRegistry(db.collection("orchestrators")),
      secrets: openSecrets(db.collection(config.secretsCollection), {
        key: config.secretsKeyField,
        value: config.secretsValueField,
      }),
      keys: openKeys(config),
    });
  } catch (error) {
    throw databaseError(error);
  } finally {
    await client.close();
  }
}

/** For commands that end by themselves: Ctrl-C ends them at once, whatever they wait for. */
export function endAtSignal({ stopped, exit }: Pick<Host, "stopped" | "exit">): void {
  void stopped.then(() => exit(130));
}
