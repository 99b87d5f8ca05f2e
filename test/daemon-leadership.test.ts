// Two replicas in one process on a real MongoDB and a Kubernetes API server: one leads, the other stands by, and goes on.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { type DaemonUnderTest, daemonUnderTest, testConfig, until } from "./local-daemon.ts";
import { NAMESPACE, type Scene, scene } from "./scene.ts";

let folder: string;
let stage: Scene;
let running: DaemonUnderTest[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "opjob-leadership-"));
});
beforeEach(async () => {
  stage = await scene();
  running = [];
  // The Lease lies in the cluster of the default kubeconfig.
  process.env["KUBECONFIG"] = join(folder, "kubeconfig");
  await writeFile(process.env["KUBECONFIG"], stage.kubernetes.kubeconfig());
});
afterEach(async () => {
  delete process.env["KUBECONFIG"];
  await Promise.all(running.map((daemon) => daemon.stop()));
  await stage[Symbol.asyncDispose]();
});
afterAll(() => rm(folder, { recursive: true }));

async function replica(environment: Record<string, string> = {}): Promise<DaemonUnderTest> {
  const lease = { OPJOB_LEADERSHIP: "lease", OPJOB_LEASE_NAMESPACE: NAMESPACE, ...environment };
  const daemon = await daemonUnderTest(testConfig(stage.database.uri, stage.database.name, lease));
  running.push(daemon);
  await until("it is ready", async () => (await fetch(`${daemon.url}/readyz`)).status === 200);
  return daemon;
}
const ready = async ({ url }: DaemonUnderTest): Promise<string> => (await fetch(`${url}/readyz`)).text();
const metricsOf = async ({ url }: DaemonUnderTest): Promise<string> => (await fetch(`${url}/metrics`)).text();
const isLeader = async (daemon: DaemonUnderTest): Promise<string | undefined> =>
  /^opjob_is_leader (\d)$/m.exec(await metricsOf(daemon))?.[1];
const launches = ({ lines }: DaemonUnderTest): number => lines.filter(({ msg }) => msg === "launched").length;

test("one leads and works, the other is ready and writes nothing", async () => {
  const first = await replica();
  await until("it leads", async () => (await ready(first)) === "ok\nleader\n");
  const second = await replica();
  expect(await ready(second)).toBe("ok\nstandby\n");
  expect([await isLeader(first), await isLeader(second)]).toEqual(["1", "0"]);
  const ids = await Promise.all(Array.from({ length: 10 }, () => stage.queue()));
  for (const id of ids) await stage.launched(id);
  expect([launches(first), launches(second)]).toEqual([10, 0]);
  const [id = ""] = ids;
  const { opjob } = await stage.read(id);
  expect(opjob?.epoch).toBeGreaterThan(0);
  // It follows the same Jobs, so that it need not begin to when it comes to lead.
  expect(await metricsOf(second)).toMatch(/^opjob_in_flight 10$/m);
});

test("a leader that stops hands over at once, with what was queued and what runs", async () => {
  const first = await replica();
  await until("it leads", async () => (await ready(first)) === "ok\nleader\n");
  const second = await replica();
  const runs = await stage.queue();
  await stage.reaches(runs, "running");
  const epoch = (await stage.read(runs)).opjob?.epoch ?? 0;
  await first.stop();
  const waits = await stage.queue();
  // Sooner than the Lease of the first one, had it not been given back, would have run out.
  await stage.launched(waits, 10_000);
  expect([launches(first), launches(second)]).toEqual([1, 1]);
  // What runs is the second one's now: it is marked, and its end is seen.
  expect((await stage.read(runs)).opjob?.epoch).toBeGreaterThan(epoch);
  await stage.database.db.collection("delegated_ops").deleteOne({ _id: (await stage.read(runs))._id });
  await until("its Job is gone", async () => (await stage.jobOf(runs)) === undefined);
});

test("what ended while nobody led is recorded by who leads next, although no event of it comes any more", async () => {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${NAMESPACE}/leases`;
  const now = new Date().toISOString().replace("Z", "000Z");
  const spec = { leaseDurationSeconds: 60, leaseTransitions: 100, acquireTime: now, renewTime: now };
  await stage.kubernetes.create(path, { metadata: { name: "next" }, spec: { ...spec, holderIdentity: "gone" } });
  const first = await replica();
  const second = await replica({ OPJOB_LEASE_NAME: "next" });
  const id = await stage.queue();
  await stage.reaches(id, "running");
  await first.stop();
  const { _id, opjob } = await stage.read(id);
  const done = { run_state: "completed", completed_at: new Date(), result: { result: null, error: null } } as const;
  await stage.database.db.collection("delegated_ops").updateOne({ _id }, { $set: done });
  stage.kubernetes.simulate.finish(await stage.podOf(id), 0);
  const isSeen = (text: string): boolean => /^opjob_in_flight 0$/m.test(text) && /^opjob_lanes 0$/m.test(text);
  await until("it is seen, and let go", async () => isSeen(await metricsOf(second)));
  expect([await ready(second), (await stage.read(id)).opjob?.phase]).toEqual(["ok\nstandby\n", opjob?.phase]);
  const lease = await fetch(`${stage.kubernetes.url}${path}/next`);
  const { metadata } = (await lease.json()) as { metadata: object };
  await fetch(`${stage.kubernetes.url}${path}/next`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ metadata, spec: { ...spec, holderIdentity: "" } }),
  });
  await stage.reaches(id, "done");
});

test("who may not read the Lease leads nothing, and says so", async () => {
  await stage.kubernetes.create(`/apis/coordination.k8s.io/v1/namespaces/${NAMESPACE}/leases`, {
    metadata: { name: "opjob", annotations: { "opjob/instance": "another" } },
    spec: {},
  });
  const lease = { OPJOB_LEADERSHIP: "lease", OPJOB_LEASE_NAMESPACE: NAMESPACE };
  const daemon = await daemonUnderTest(testConfig(stage.database.uri, stage.database.name, lease));
  running.push(daemon);
  await until("it says so", async () => (await ready(daemon)).includes("belongs to another opjob"));
  const id = await stage.queue();
  const alone = await replica({ OPJOB_LEASE_NAME: "opjob-2" });
  await stage.launched(id);
  expect([launches(daemon), launches(alone)]).toEqual([0, 1]);
});

test("without a Lease a daemon is alone, and writes no epoch", async () => {
  const alone = await replica({ OPJOB_LEADERSHIP: "auto" });
  expect([await ready(alone), await isLeader(alone)]).toEqual(["ok\nalone\n", "1"]);
  const { opjob } = await stage.launched(await stage.queue());
  expect(opjob).not.toHaveProperty("epoch");
});
