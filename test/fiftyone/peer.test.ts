// The real FiftyOne works here at all: what the end-to-end tests stand on.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { type TestDatabase, testDatabase } from "../mongo.ts";
import { databaseOf, type FiftyoneEnvironment, fiftyoneEnvironment } from "./environment.ts";
import { queueOperations, readOperations, WORKER_ARGUMENTS } from "./peer.ts";

let fiftyone: FiftyoneEnvironment;
let database: TestDatabase;

beforeAll(async () => {
  fiftyone = await fiftyoneEnvironment();
  database = await testDatabase();
}, 900_000);

afterAll(async () => {
  await database[Symbol.asyncDispose]();
});

test("operations queued through FiftyOne are read back by it as queued, in their order", async () => {
  const { uri, name } = database;
  const [first, second] = await queueOperations(fiftyone, uri, name, [
    { target: "gpu", params: { msg: "one" } },
    { target: null, params: { msg: "two" }, dataset: "another" },
  ]);
  const nobody = "0123456789abcdef01234567";
  const shown = await readOperations(fiftyone, uri, name, [second ?? "", nobody, first ?? ""]);
  expect(shown).toMatchObject([
    { id: second, state: "queued", target: null, operator: "@opjob/peer/echo", result: null, error: null },
    null,
    { id: first, state: "queued", target: "gpu", operator: "@opjob/peer/echo", runLink: null },
  ]);
  const stored = await database.db.collection("delegated_ops").find().sort({ _id: 1 }).toArray();
  expect(stored.map((operation) => operation["context"].request_params.params.msg)).toEqual(["one", "two"]);
});

test("a worker runs its one operation to the end, an operation that fails included, and leaves a dead one running", async () => {
  const { uri, name } = database;
  const specs = [{ msg: "well" }, { msg: "badly", fail: true }, { die: true }];
  const ids = await queueOperations(
    fiftyone,
    uri,
    name,
    specs.map((params) => ({ target: "gpu", params })),
  );
  const codes: unknown[] = [];
  for (const id of ids) codes.push(await work(id));
  expect(codes).toEqual([0, 1, 1]);
  expect(await readOperations(fiftyone, uri, name, ids)).toMatchObject([
    { state: "completed", result: { msg: "well", num_samples: 3 }, error: null },
    { state: "failed", result: null, error: expect.stringContaining("told to fail: badly") },
    { state: "running", progress: 0.5, error: null },
  ]);
});

async function work(id: string): Promise<unknown> {
  const env = { ...fiftyone.env, ...databaseOf(database.uri, database.name) };
  const worker = spawn(fiftyone.python, [...WORKER_ARGUMENTS, id], { env, stdio: "ignore" });
  const [code] = await once(worker, "close");
  return code;
}
