// Settling, on real servers: a replica set's primary answers it, a server alone needs none, and a server that cannot says so.
import { expect, test } from "@jest/globals";
import { MongoClient, ObjectId } from "mongodb";
import { openOperations } from "../../src/operations/mongo.ts";
import { standaloneMongo, testDatabase } from "../mongo.ts";

test("what was read from a replica set is settled, also of an operation that is gone, for many at once", async () => {
  await using database = await testDatabase();
  const operations = openOperations(database.db.collection("delegated_ops"));
  const _id = new ObjectId();
  await database.db.collection("delegated_ops").insertOne({ _id, run_state: "failed" });
  const ids = [...Array.from({ length: 50 }, () => new ObjectId().toHexString()), _id.toHexString()];
  const found = await Promise.all(ids.map((id) => operations.settled(id)));
  expect(found.slice(0, -1)).toEqual(Array.from({ length: 50 }, () => undefined));
  expect(found.at(-1)).toMatchObject({ id: _id.toHexString(), runState: "failed" });
});

test("a server alone takes nothing back", async () => {
  await using mongod = await standaloneMongo();
  const client = new MongoClient(mongod.uri);
  await openOperations(client.db("settle").collection("delegated_ops")).settled(new ObjectId().toHexString());
  await client.close();
});

test("without an answer nothing is settled", async () => {
  const client = new MongoClient("mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=100");
  const settled = openOperations(client.db("settle").collection("delegated_ops")).settled("5".repeat(24));
  await expect(settled).rejects.toThrow();
  await client.close();
});
