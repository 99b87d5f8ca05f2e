// A FiftyOne database for tests of commands: its settings, secrets as Python writes them, and records.
// Knows FiftyOne's shapes; must not know what a command does.
import { Binary, type Document } from "mongodb";
import { decryptToken, encryptToken, fernetKey } from "../src/orchestrators/fernet.ts";
import { opjob, type Ran, type Run } from "./command-line.ts";
import { ENCRYPTION_KEY } from "./local-daemon.ts";
import { testDatabase } from "./mongo.ts";

export async function fiftyoneDatabase() {
  const database = await testDatabase();
  const collection = (name: string) => database.db.collection(name);
  const env = {
    FIFTYONE_DATABASE_URI: database.uri,
    FIFTYONE_DATABASE_NAME: database.name,
    FIFTYONE_ENCRYPTION_KEY: ENCRYPTION_KEY,
  };
  return {
    ...database,
    env,
    orchestrators: collection("orchestrators"),
    secrets: collection("secrets"),
    operations: collection("delegated_ops"),
    run: (args: readonly string[], { env: more, ...run }: Run = {}): Promise<Ran> =>
      opjob(args, { env: { ...env, ...more }, ...run }),
    record: (id: string): Promise<Document | null> => collection("orchestrators").findOne({ instance_id: id }),
    storeSecret: (key: string, value: string, by = ENCRYPTION_KEY) =>
      collection("secrets").insertOne({
        key,
        value: new Binary(Buffer.from(encryptToken(fernetKey(by), value, Date.now()))),
        created_at: new Date(),
      }),
    async secretValue(key: string, by = ENCRYPTION_KEY): Promise<string | undefined> {
      const document = await collection("secrets").findOne({ key });
      if (document === null) return undefined;
      const { buffer } = document["value"] as Binary;
      return decryptToken(fernetKey(by), Buffer.from(buffer).toString("latin1"), key);
    },
    async clear(): Promise<void> {
      await Promise.all(["orchestrators", "secrets", "delegated_ops"].map((name) => collection(name).deleteMany({})));
    },
  };
}

export type FiftyoneDatabase = Awaited<ReturnType<typeof fiftyoneDatabase>>;
