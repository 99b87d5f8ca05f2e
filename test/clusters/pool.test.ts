// The clients and watches of all clusters: what nobody names any more is closed, and what has live Jobs is not.
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { systemClock } from "../../src/clock.ts";
import { accessFromText } from "../../src/clusters/kubeconfig.ts";
import { Observed } from "../../src/clusters/observed.ts";
import { Pool } from "../../src/clusters/pool.ts";
import { UNLIMITED } from "../../src/clusters/traffic.ts";
import { type LocalKubernetes, startLocalKubernetes } from "../../src/local/kubernetes/server.ts";
import { createLog } from "../../src/log.ts";
import { until } from "../until.ts";

const NAMESPACES = ["named", "left", "busy"];
const ELEVEN_MINUTES = 660_000;

let kubernetes: LocalKubernetes;

beforeAll(async () => {
  kubernetes = await startLocalKubernetes({ run: "simulated", namespaces: NAMESPACES });
});
afterAll(async () => kubernetes.stop());

/** A Job of ours that does not end by itself. */
const job = {
  apiVersion: "batch/v1",
  kind: "Job",
  metadata: {
    name: "ours",
    labels: { "opjob/operation": "1".repeat(24), "app.kubernetes.io/managed-by": "opjob" },
    annotations: { "opjob/database": "test" },
  },
  spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "worker", image: "local/worker:1" }] } } },
};

test("a namespace that nobody names any more is watched until its last Job has ended", async () => {
  let later = 0;
  const observed = new Observed("test", () => undefined);
  const answered: string[] = [];
  const pool = new Pool({
    observed,
    onAnswer: (key) => void answered.push(key),
    timeoutMs: 5_000,
    traffic: UNLIMITED,
    onCall: () => undefined,
    log: createLog({ level: "silent", secrets: [] }),
    clock: { ...systemClock, elapsed: () => systemClock.elapsed() + later },
  });
  const options = { context: undefined, allowExec: false };
  const cluster = pool.cluster(accessFromText(kubernetes.kubeconfig(), "the test", options));
  const keys = new Set([cluster.key]);
  await kubernetes.create("/apis/batch/v1/namespaces/busy/jobs", job);
  for (const namespace of NAMESPACES) pool.watch(cluster, namespace);
  await until(() => pool.watches.following === 6 && observed.live().length === 1);
  expect(answered).toEqual(Array.from({ length: 6 }, () => cluster.key));

  await pool.retain(keys);
  expect(pool.watches.total).toBe(6);
  later += ELEVEN_MINUTES;
  pool.watch(cluster, "named");
  await pool.retain(keys);
  expect(pool.watches.total).toBe(4);
  expect(observed.live()).toHaveLength(1);

  await cluster.deleteJob("busy", "ours", observed.find("1".repeat(24))[0]?.job.uid ?? "");
  await until(() => observed.live().length === 0);
  await pool.retain(keys);
  expect(pool.watches.total).toBe(2);
  // Named again, it is watched again.
  pool.watch(cluster, "left");
  await until(() => pool.watches.following === 4);
  await pool.close();
});
