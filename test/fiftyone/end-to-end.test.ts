// The whole way with the real FiftyOne: its own code queues, opjob launches, its own worker executes, its own service reads.

import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { expect, test } from "@jest/globals";
import { EJSON } from "bson";
import { startLocalKubernetes } from "../../src/local/kubernetes/server.ts";
import { daemonUnderTest, register, storeSecret, testConfig, until } from "../local-daemon.ts";
import { testDatabase } from "../mongo.ts";
import { fiftyoneEnvironment } from "./environment.ts";
import { queueOperations, readOperations } from "./peer.ts";

const TARGET = "kubernetes-cpu";
const say = (line: string): void => void process.stderr.write(`${line}\n`);

test("20 operations of FiftyOne's own: 13 complete, 7 fail with words, and nobody else's is touched", async () => {
  const fiftyone = await fiftyoneEnvironment(say);
  await using database = await testDatabase();
  const { db, uri, name } = database;
  const ours = [
    ...Array.from({ length: 13 }, (_, i) => ({ target: TARGET, params: { msg: `well ${i}` } })),
    ...Array.from({ length: 5 }, (_, i) => ({ target: TARGET, params: { msg: `bad ${i}`, fail: true } })),
    ...Array.from({ length: 2 }, (_, i) => ({ target: TARGET, params: { msg: `killed ${i}`, die: true } })),
  ];
  const others = [{ target: null }, { target: "databricks-jobs" }, { target: "nobody-knows" }];
  const ids = await queueOperations(fiftyone, uri, name, [...ours, ...others]);
  const [mine, foreign] = [ids.slice(0, ours.length), ids.slice(ours.length)];
  const untouched = async () => {
    const documents = await db
      .collection("delegated_ops")
      .find({ delegation_target: { $ne: TARGET } })
      .sort({ _id: 1 })
      .toArray();
    expect(documents).toHaveLength(foreign.length);
    return EJSON.stringify(documents, { relaxed: false });
  };
  const before = await untouched();

  await using kubernetes = await startLocalKubernetes({
    run: "process",
    namespaces: ["fiftyone"],
    capacity: { pods: "3" },
    // What the image of a worker brings: its python, its plugins.
    env: { ...fiftyone.env, FIFTYONE_DATABASE_NAME: name, PATH: `${dirname(fiftyone.python)}:${process.env["PATH"]}` },
  });
  const secret = { "encryption-key": "unused-by-open-source", "database-uri": uri };
  await kubernetes.createSecret("fiftyone", "fiftyone-secrets", secret);
  await storeSecret(db, "KUBE_CONFIG_KUBERNETES_CPU", kubernetes.kubeconfig());
  await register(db, {
    id: TARGET,
    template: readFileSync("test/templates/seed/cpu.yaml.j2", "utf8"),
    secret: "KUBE_CONFIG_KUBERNETES_CPU",
  });
  await using daemon = await daemonUnderTest(testConfig(uri, name, { OPJOB_RESULT_GRACE_SECONDS: "3" }));
  const open = { delegation_target: TARGET, run_state: { $nin: ["completed", "failed"] } };
  await until(
    "all operations ended",
    async () => (await db.collection("delegated_ops").countDocuments(open)) === 0,
    400_000,
  );

  const read = await readOperations(fiftyone, uri, name, mine);
  expect(read.slice(0, 13).map((operation) => operation?.error)).toEqual(Array(13).fill(null));
  const states = read.map((operation) => operation?.state);
  expect(states.slice(0, 13)).toEqual(Array(13).fill("completed"));
  expect(states.slice(13)).toEqual(Array(7).fill("failed"));
  expect(read.slice(0, 13).map((operation) => operation?.result)).toEqual(
    ours.slice(0, 13).map(({ params }) => expect.objectContaining({ msg: params.msg })),
  );
  for (const operation of read.slice(13, 18)) expect(operation?.error).toContain("told to fail");
  for (const operation of read.slice(18))
    expect(operation?.error).toMatch(/Kubernetes Job fiftyone\/\S+ failed: Worker/);
  expect(await untouched()).toBe(before);
  expect(daemon.lines.filter(({ msg }) => msg === "launched")).toHaveLength(20);
});
