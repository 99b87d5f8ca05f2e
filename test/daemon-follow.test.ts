// BACK, seen from outside: what comes of launched operations, on a real MongoDB and a Kubernetes API server.
import { expect, test } from "@jest/globals";
import { ObjectId } from "mongodb";
import { until } from "./local-daemon.ts";
import { NAMESPACE, type Scene, scene, template } from "./scene.ts";

const set = (stage: Scene, id: string, fields: object) =>
  stage.database.db.collection("delegated_ops").updateOne({ _id: new ObjectId(id) }, { $set: fields });

test("a worker's own result stands, and our record tells when each stage was", async () => {
  await using stage = await scene();
  await stage.start();
  const id = await stage.queue();
  await stage.reaches(id, "running");
  await set(stage, id, { run_state: "running", started_at: new Date() });
  await set(stage, id, { run_state: "completed", completed_at: new Date(), result: { result: 1, error: null } });
  stage.kubernetes.simulate?.finish(await podOf(stage, id), 0);
  const operation = await stage.reaches(id, "done");
  expect(operation.run_state).toBe("completed");
  expect(Object.keys(operation.opjob?.timeline ?? {}).toSorted((a, b) => a.localeCompare(b))).toEqual([
    "claimed",
    "created",
    "finished",
    "scheduled",
    "seen",
    "started",
    "written",
  ]);
});

test.each([
  ["runs out of memory", 137, "OOMKilled", "OOMKilled", /used more memory than its limit/],
  ["ends with an exit code", 3, "Error", "WorkerFailed", /ended with exit code 3 before a result was recorded/],
  ["ends well without a result", 0, "Completed", "NoResult", /no worker recorded a result/],
] as const)("a worker that %s fails its operation, with the reason", async (_, exitCode, podReason, reason, words) => {
  await using stage = await scene();
  await stage.start();
  const id = await stage.queue();
  await stage.reaches(id, "running");
  await set(stage, id, { run_state: "running", started_at: new Date() });
  stage.kubernetes.simulate?.finish(await podOf(stage, id), exitCode, podReason);
  const operation = await stage.reaches(id, "failed");
  expect(operation.opjob?.reason).toBe(reason);
  expect(operation.result).toMatchObject({ result: null, executor: null, delegated: false, validation_ctx: null });
  expect(operation.result?.error).toMatch(words);
  expect(operation.result?.error).toContain(`Kubernetes Job ${NAMESPACE}/`);
  expect(operation).toMatchObject({ failed_at: expect.any(Date), updated_at: expect.any(Date) });
});

test("a result that comes within the grace time after the Job's end still counts", async () => {
  await using stage = await scene();
  await stage.start({ OPJOB_RESULT_GRACE_SECONDS: "30" });
  const id = await stage.queue();
  await stage.reaches(id, "running");
  await set(stage, id, { run_state: "running" });
  stage.kubernetes.simulate?.finish(await podOf(stage, id), 0);
  await stage.reaches(id, "finished");
  await set(stage, id, { run_state: "completed", result: { result: "late", error: null } });
  const operation = await stage.reaches(id, "done");
  expect(operation).toMatchObject({ run_state: "completed", result: { result: "late" } });
});

test("an image that cannot be pulled fails the operation after the grace time, and its Job goes", async () => {
  await using stage = await scene();
  stage.kubernetes.faults.refuseImage(/local\/worker/);
  await stage.start();
  const id = await stage.queue();
  const waiting = await stage.reaches(id, "ImagePullFailed");
  expect(waiting).toMatchObject({ run_state: "queued", opjob: { phase: "waiting" } });
  const operation = await stage.reaches(id, "failed");
  expect(operation.result?.error).toMatch(/ImagePullFailed.*local\/worker:1/);
  await until("the Job is gone", async () => (await stage.jobs()).length === 0);
});

test("an operation that no node can take waits with the scheduler's words, and fails after the timeout", async () => {
  await using stage = await scene(template({ container: 'resources:\n  requests:\n    nvidia.com/gpu: "1"' }));
  await stage.start({ OPJOB_PENDING_TIMEOUT_SECONDS: "2" });
  const id = await stage.queue();
  const waiting = await stage.reaches(id, "Unschedulable");
  expect(waiting.opjob?.message).toMatch(/Insufficient nvidia.com\/gpu/);
  const operation = await stage.reaches(id, "failed");
  expect(operation.result?.error).toMatch(/Unschedulable.*What to do: Ask for less in resources.requests/s);
});

test("a Job that ran into its deadline says so", async () => {
  await using stage = await scene(template({ job: "activeDeadlineSeconds: 1" }));
  await stage.start();
  const id = await stage.queue();
  expect((await stage.reaches(id, "failed")).opjob?.reason).toBe("DeadlineExceeded");
});

test("a Job that somebody deleted fails its operation", async () => {
  await using stage = await scene();
  await stage.start();
  const id = await stage.queue();
  const operation = await stage.reaches(id, "running");
  await fetch(`${stage.kubernetes.url}/apis/batch/v1/namespaces/${NAMESPACE}/jobs/${operation.opjob?.job}`, {
    method: "DELETE",
  });
  expect((await stage.reaches(id, "failed")).opjob?.reason).toBe("JobDeleted");
});

test.each(["fail", "delete", "delete the dataset"])(
  "a person's %s takes the Job away, by what is heard of it",
  async (act) => {
    await using stage = await scene();
    await stage.start({ OPJOB_SWEEP_CRON: "0 0 1 1 *" });
    const dataset = new ObjectId();
    const id = await stage.queue({ dataset_id: dataset });
    await stage.reaches(id, "running");
    const operations = stage.database.db.collection("delegated_ops");
    if (act === "fail") await set(stage, id, { run_state: "failed", failed_at: new Date(), result: null });
    else if (act === "delete") await operations.deleteOne({ _id: new ObjectId(id) });
    else await operations.deleteMany({ dataset_id: dataset });
    await until("the Job is gone", async () => (await stage.jobs()).length === 0);
    if (act === "fail") expect((await stage.read(id)).result).toBeNull();
  },
);

test("an operation deleted while the daemon is down loses its Job at the next start", async () => {
  await using stage = await scene();
  const first = await stage.start();
  const id = await stage.queue();
  await stage.reaches(id, "running");
  await first.stop();
  await stage.database.db.collection("delegated_ops").deleteOne({ _id: new ObjectId(id) });
  await stage.start();
  await until("the Job is gone", async () => (await stage.jobs()).length === 0);
});

test("another opjob's Jobs in the namespace, of another database, are never touched", async () => {
  await using stage = await scene();
  const first = await stage.start({ OPJOB_INSTANCE: "another" });
  const id = await stage.queue();
  await stage.reaches(id, "running");
  await first.stop();
  await stage.database.db.collection("delegated_ops").deleteOne({ _id: new ObjectId(id) });
  await stage.start();
  const mine = await stage.queue();
  await stage.reaches(mine, "running");
  const served = (await stage.jobs()).map(({ metadata }) => metadata.labels["opjob/operation"]);
  expect(new Set(served)).toEqual(new Set([id, mine]));
});

test("what ended while no daemon ran, and whose Job is gone since, is recorded by the next one", async () => {
  await using stage = await scene();
  await stage.database.db.collection("delegated_ops").createIndex({ updated_at: 1 });
  const first = await stage.start();
  const id = await stage.queue();
  await stage.reaches(id, "running");
  await first.stop();
  const result = { result: null, error: null };
  await set(stage, id, { run_state: "completed", completed_at: new Date(), updated_at: new Date(), result });
  const job = await stage.jobOf(id);
  const path = `${stage.kubernetes.url}/apis/batch/v1/namespaces/${NAMESPACE}/jobs/${job?.metadata.name}`;
  await fetch(path, { method: "DELETE", body: JSON.stringify({ propagationPolicy: "Background" }) });
  await until("its Job is gone", async () => (await stage.jobOf(id)) === undefined);
  await stage.start();
  const { opjob, run_state } = await stage.reaches(id, "done");
  expect([run_state, opjob?.timeline.written]).toEqual(["completed", expect.any(Date)]);
});

test("a suspended Job waits without end, and is no failure", async () => {
  await using stage = await scene(template({ job: "suspend: true" }));
  await stage.start({ OPJOB_PENDING_TIMEOUT_SECONDS: "1", OPJOB_IMAGE_GRACE_SECONDS: "0" });
  const id = await stage.queue();
  await stage.reaches(id, "Suspended");
  const other = await stage.queue();
  await stage.reaches(other, "Suspended");
  expect((await stage.read(id)).run_state).toBe("queued");
});

test("watches that are cut, and a history that is gone (410), lose nothing", async () => {
  await using stage = await scene();
  await stage.start({ OPJOB_SWEEP_CRON: "0 0 1 1 *" });
  const ids = [await stage.queue(), await stage.queue()];
  for (const id of ids) await stage.reaches(id, "running");
  stage.kubernetes.faults.cutWatches();
  stage.kubernetes.faults.expireHistory();
  for (const id of ids) {
    await set(stage, id, { run_state: "running" });
    stage.kubernetes.simulate?.finish(await podOf(stage, id), 1, "Error");
    await stage.reaches(id, "failed");
  }
});

test("the last log lines stand in the error, without a secret that the worker wrote", async () => {
  await using stage = await scene();
  await stage.start();
  const id = await stage.queue();
  await stage.reaches(id, "running");
  const pod = await podOf(stage, id);
  stage.kubernetes.simulate?.print(pod, `connecting to ${stage.database.uri}\nlast words\n`);
  stage.kubernetes.simulate?.finish(pod, 1, "Error");
  const operation = await stage.reaches(id, "failed");
  expect(operation.result?.error).toContain("connecting to [hidden]\nlast words");
  expect(operation.result?.error).not.toContain(stage.database.uri);
});

test("a preference for secondaries in the URI does not reach opjob's reads", async () => {
  await using stage = await scene();
  const preferring = `${stage.database.uri}${stage.database.uri.includes("?") ? "&" : "?"}readPreference=secondary`;
  await stage.start({ FIFTYONE_DATABASE_URI: preferring });
  // The replica set has no secondary: a read that wanted one would wait in vain.
  const id = await stage.queue();
  await stage.reaches(id, "running");
});

async function podOf(stage: Scene, id: string): Promise<{ namespace: string; name: string }> {
  const answer = await fetch(
    `${stage.kubernetes.url}/api/v1/namespaces/${NAMESPACE}/pods?labelSelector=opjob/operation%3D${id}`,
  );
  const { items } = (await answer.json()) as { items: { metadata: { namespace: string; name: string } }[] };
  const [pod] = items;
  if (pod === undefined) throw new Error(`operation ${id} has no Pod`);
  return pod.metadata;
}
