// Databases for tests: one of its own for each who asks, on the shared replica set, or a standalone server.
// Knows how they begin and end; must not know what the tests store in them.
import { randomBytes } from "node:crypto";
import { type Db, MongoClient } from "mongodb";
import { type Mongod, startMongod } from "../src/local/mongod.ts";
import { closing } from "./left-open.ts";

export interface TestDatabase {
  /** Of the server; it names no database. */
  readonly uri: string;
  /** Of the database, random. */
  readonly name: string;
  readonly client: MongoClient;
  readonly db: Db;
  /** Drops the database and closes the client. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** An empty database on a server: by default the replica set that global-setup.ts started. */
export async function testDatabase(uri: string = sharedUri()): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString("hex")}`;
  const client = await MongoClient.connect(uri);
  const db = client.db(name);
  return {
    uri,
    name,
    client,
    db,
    [Symbol.asyncDispose]: closing(`the database ${name}`, async () => {
      await db.dropDatabase();
      await client.close();
    }),
  };
}

/** A server without change streams, of the caller's own: end it with `stop` or `await using`. */
export async function standaloneMongo(): Promise<Mongod> {
  return startMongod({ replicaSet: false });
}

function sharedUri(): string {
  const uri = process.env["OPJOB_TEST_MONGODB_URI"];
  if (!uri) throw new Error("OPJOB_TEST_MONGODB_URI is not set: run the tests with jest and its global setup");
  return uri;
}
