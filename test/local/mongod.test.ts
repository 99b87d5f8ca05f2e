// What the demo and the tests rely on in a local MongoDB: change streams, access control, crash and return.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { MongoClient, MongoServerError } from "mongodb";
import { startMongod } from "../../src/local/mongod.ts";
import { standaloneMongo, testDatabase } from "../mongo.ts";

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe("the shared replica set", () => {
  test("tells of an insert through a change stream", async () => {
    await using database = await testDatabase();
    const operations = database.db.collection("operations");
    const session = database.client.startSession();
    await operations.findOne({}, { session });
    const { operationTime } = session;
    await session.endSession();
    if (!operationTime) throw new Error("the server gave no operation time");
    await using stream = operations.watch([], { startAtOperationTime: operationTime });
    await operations.insertOne({ label: "first" }, { writeConcern: { w: "majority" } });
    expect(await stream.next()).toMatchObject({ operationType: "insert", fullDocument: { label: "first" } });
  });

  test("gives each caller a database of its own and drops it at the end", async () => {
    await using looker = await testDatabase();
    let name: string;
    {
      await using database = await testDatabase();
      name = database.name;
      expect(name).not.toBe(looker.name);
      await database.db.collection("a").insertOne({});
      expect(await names(looker.client)).toContain(name);
    }
    expect(await names(looker.client)).not.toContain(name);
  });
});

async function names(client: MongoClient): Promise<string[]> {
  const { databases } = await client.db("admin").admin().listDatabases({ nameOnly: true });
  return databases.map((database) => database.name);
}

test("a standalone refuses a change stream with the code that opjob takes as: poll instead", async () => {
  await using mongod = await standaloneMongo();
  await using client = await MongoClient.connect(mongod.uri);
  await using stream = client.db("a").collection("b").watch();
  const refusal = await stream.next().catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(MongoServerError);
  expect(refusal).toMatchObject({ code: 40573 });
});

test("acknowledged writes are there at the same address after a crash and a restart", async () => {
  await using mongod = await startMongod({ replicaSet: true });
  const { uri } = mongod;
  await using client = await MongoClient.connect(uri, { serverSelectionTimeoutMS: 10_000 });
  const operations = client.db("a").collection("operations");
  await operations.insertOne({ label: "kept" });
  const { pid } = mongod;
  await mongod.kill();
  expect(mongod.pid).toBeUndefined();
  expect(isAlive(pid ?? 0)).toBe(false);
  await mongod.restart();
  expect(mongod.uri).toBe(uri);
  await operations.insertOne({ label: "after" });
  expect(await operations.distinct("label")).toEqual(["after", "kept"]);
});

test.each([true, false])(
  "with access control nothing is read without the credentials (replica set: %s)",
  async (replicaSet) => {
    await using mongod = await startMongod({ replicaSet, auth: { user: "root", password: "secret" } });
    await using inside = await MongoClient.connect(mongod.uri);
    await inside.db("a").collection("b").insertOne({});
    await using outside = await MongoClient.connect(
      mongod.uri.replace("root:secret@", "").replace("authSource=admin", ""),
    );
    await expect(outside.db("a").collection("b").findOne()).rejects.toMatchObject({ codeName: "Unauthorized" });
  },
);

test("data in a directory of the caller's outlive the server and open again on another port", async () => {
  const dbPath = await mkdtemp(join(tmpdir(), "opjob-test-data-"));
  try {
    const uris: string[] = [];
    for (const label of ["first", "second"]) {
      await using mongod = await startMongod({ replicaSet: true, dbPath });
      uris.push(mongod.uri);
      await using client = await MongoClient.connect(mongod.uri);
      await client.db("a").collection("b").insertOne({ label });
      expect(await client.db("a").collection("b").countDocuments()).toBe(uris.length);
    }
    expect(new Set(uris).size).toBe(2);
  } finally {
    await rm(dbPath, { recursive: true });
  }
});
