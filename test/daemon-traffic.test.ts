// A backlog of creates: what has a Job is looked after all the same, and neither a slow nor a hanging cluster keeps
// another one's work waiting.
import { expect, test } from "@jest/globals";
import { ObjectId } from "mongodb";
import { operationDocument } from "../src/local/demo/cast.ts";
import { startLocalKubernetes } from "../src/local/kubernetes/server.ts";
import { register, storeSecret, until } from "./local-daemon.ts";
import { NAMESPACE, type Scene, scene, TARGET, template } from "./scene.ts";

const BACKLOG = 200;
const SLOW = { OPJOB_KUBERNETES_RATE: "10", OPJOB_KUBERNETES_BURST: "10", OPJOB_LAUNCH_CONCURRENCY: "8" };

/** Queues many at once, whose workers never begin. */
async function backlog({ database: { db } }: Scene): Promise<string[]> {
  const params = { fate: "succeed", seconds: 1 } as const;
  const documents = Array.from({ length: BACKLOG }, (_, i) =>
    operationDocument({ label: `Operation ${i}`, target: TARGET, params, ends: "completed" }, new Date()),
  );
  await db.collection("delegated_ops").insertMany(documents);
  return documents.map(({ _id }) => _id.toHexString());
}

/** A second cluster, with an orchestrator of its own: "other". */
async function otherCluster({ database: { db } }: Scene) {
  const kubernetes = await startLocalKubernetes({ run: "simulated", namespaces: [NAMESPACE] });
  await storeSecret(db, "OTHER", kubernetes.kubeconfig());
  await register(db, { id: "other", template: template(), secret: "OTHER", config: { namespace: NAMESPACE } });
  return { kubernetes, [Symbol.asyncDispose]: () => kubernetes.stop() };
}

/** What is there; dry runs, which checks make of a new orchestrator, leave nothing. */
async function jobsIn({ url }: { readonly url: string }): Promise<unknown[]> {
  const list = await fetch(`${url}/apis/batch/v1/namespaces/${NAMESPACE}/jobs`);
  return ((await list.json()) as { items: unknown[] }).items;
}

test("calls to a cluster keep to the rate, and an operation that is failed meanwhile loses its Job at once", async () => {
  await using stage = await scene();
  const { metrics, lines } = await stage.start(SLOW);
  const began = performance.now();
  const [first = ""] = await backlog(stage);
  await stage.launched(first);
  const { db } = stage.database;
  const failed = { $set: { run_state: "failed", failed_at: new Date(), result: null } };
  await db.collection("delegated_ops").updateOne({ _id: new ObjectId(first) }, failed);
  await until("its Job is gone", async () => (await stage.jobOf(first)) === undefined);
  const launched = (await stage.jobs()).length;
  expect(launched).toBeLessThan(BACKLOG / 2);
  expect(launched).toBeLessThanOrEqual(10 + ((performance.now() - began) / 1_000) * 10);
  expect(lines.filter(({ msg }) => msg === "held")).toEqual([]);
  expect(await metrics.registry.metrics()).toMatch(/^opjob_kubernetes_wait_seconds_count\{verb="create"\} [1-9]/m);
});

test("a cluster with a backlog does not keep another one's work waiting", async () => {
  await using stage = await scene();
  await using other = await otherCluster(stage);
  await stage.start(SLOW);
  const ids = await backlog(stage);
  await stage.launched(ids[0] ?? "");
  await stage.launched(await stage.queue({ delegation_target: "other" }));
  expect(await jobsIn(other.kubernetes)).toHaveLength(1);
  expect((await stage.jobs()).length).toBeLessThan(BACKLOG / 2);
});

test("a cluster that hangs with a backlog does not keep another one's work waiting", async () => {
  await using stage = await scene();
  await using other = await otherCluster(stage);
  await stage.start({ OPJOB_LAUNCH_CONCURRENCY: "8" });
  stage.kubernetes.faults.freeze();
  // A server that stands still could not be stopped either.
  await using _thaw = { [Symbol.asyncDispose]: async () => stage.kubernetes.faults.thaw() };
  await backlog(stage);
  await until("creates are under way", () => stage.kubernetes.counts().connections >= 5);
  await stage.launched(await stage.queue({ delegation_target: "other" }));
  expect(await jobsIn(other.kubernetes)).toHaveLength(1);
});
