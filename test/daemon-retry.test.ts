// Another attempt, seen from outside: what the cluster took away before its worker began is launched again, and nothing else is;
// on a real MongoDB and a Kubernetes API server. Two Pods of one operation at once must never be.
import { expect, test } from "@jest/globals";
import { ObjectId } from "mongodb";
import type { OperationDocument } from "../src/operations/operation.ts";
import { storeSecret, until } from "./local-daemon.ts";
import { type Job, NAMESPACE, type Scene, scene, template } from "./scene.ts";

type PodName = { readonly namespace: string; readonly name: string };
const SETTINGS = {
  OPJOB_RETRIES: "2",
  OPJOB_RETRY_PAUSE_SECONDS: "1",
  OPJOB_IMAGE_GRACE_SECONDS: "60",
  // An image that cannot be pulled holds the next attempt as well, from try to try so long.
  OPJOB_RETRY_MAX_SECONDS: "1",
};
const JOBS = `/apis/batch/v1/namespaces/${NAMESPACE}/jobs`;
const BLIND = "blind-blind-blind";
/** A Job that is not gone before somebody lets it go. */
const HELD = template({ name: '{{ _name }}\n  finalizers: ["test/hold"]' });

const jobsOf = async (stage: Scene, id: string): Promise<Job[]> =>
  (await stage.jobs()).filter(({ metadata }) => metadata.labels["opjob/operation"] === id);
const podOf = ({ kubernetes }: Scene, id: string, attempt = 1): Promise<PodName> =>
  until("the attempt has a Pod", async () => {
    const selector = `opjob/operation=${id},opjob/attempt=${attempt}`;
    const answer = await fetch(`${kubernetes.url}/api/v1/pods?labelSelector=${selector}`);
    return ((await answer.json()) as { items: { metadata: PodName }[] }).items[0]?.metadata;
  });
const set = (stage: Scene, id: string, fields: object) =>
  stage.database.db.collection("delegated_ops").updateOne({ _id: new ObjectId(id) }, { $set: fields });
const reachesAttempt = (stage: Scene, id: string, attempt: number): Promise<OperationDocument> =>
  until(
    `attempt ${attempt} is launched`,
    async () => {
      const operation = await stage.read(id);
      return operation.opjob?.attempt === attempt && operation.opjob.timeline.created !== undefined && operation;
    },
    20_000,
  );
/** An operation whose Pod is on a node and cannot start. */
async function stuck(stage: Scene, settings: Record<string, string> = {}): Promise<string> {
  stage.kubernetes.faults.refuseImage(/local\/worker/);
  await stage.start({ ...SETTINGS, ...settings });
  const id = await stage.queue();
  await stage.reaches(id, "ImagePullFailed");
  return id;
}
const metric = async ({ daemon }: Scene): Promise<string> => (await fetch(`${daemon().url}/metrics`)).text();
const said = ({ daemon }: Scene, id: string, msg: string) =>
  daemon().lines.filter((line) => line["operation"] === id && line["msg"] === msg);

const FATES: readonly [string, string, (stage: Scene, id: string) => Promise<unknown>][] = [
  ["is evicted", "Evicted", async (stage, id) => stage.kubernetes.faults.evict(await podOf(stage, id))],
  ["is deleted", "PodDeleted", async (stage, id) => stage.kubernetes.faults.deletePod(await podOf(stage, id))],
  [
    "goes with its Job",
    "JobDeleted",
    async (stage, id) => {
      const body = JSON.stringify({ propagationPolicy: "Background" });
      const { opjob } = await stage.read(id);
      await fetch(`${stage.kubernetes.url}${JOBS}/${opjob?.job}`, { method: "DELETE", body });
    },
  ],
];

test.each(FATES)("an operation whose Pod %s before it began runs as a second attempt", async (_, reason, happens) => {
  await using stage = await scene();
  const id = await stuck(stage);
  const first = await stage.read(id);
  await happens(stage, id);
  stage.kubernetes.faults.allowImages();
  const { opjob, run_state } = await reachesAttempt(stage, id, 2);
  expect(run_state).toBe("queued");
  const { job, uid } = first.opjob ?? {};
  expect(opjob?.earlier).toMatchObject([{ attempt: 1, reason, fault: "cluster", job, uid, ended: expect.any(Date) }]);
  expect(opjob?.job).not.toBe(job);
  await stage.reaches(id, "running");
  stage.kubernetes.simulate?.finish(await podOf(stage, id, 2), 0);
  await set(stage, id, { run_state: "completed", completed_at: new Date(), result: { result: 1, error: null } });
  await stage.reaches(id, "done");
  expect(said(stage, id, "launched again")).toMatchObject([{ attempt: 1, reason }]);
  expect(await metric(stage)).toContain(`opjob_retries_total{orchestrator="kubernetes-cpu",reason="${reason}"} 1`);
});

test("it waits before that, says so, and a daemon that starts meanwhile keeps to it", async () => {
  await using stage = await scene();
  const id = await stuck(stage, { OPJOB_RETRY_PAUSE_SECONDS: "3", OPJOB_RETRY_MAX_SECONDS: "4" });
  stage.kubernetes.faults.evict(await podOf(stage, id));
  stage.kubernetes.faults.allowImages();
  const { opjob } = await stage.reaches(id, "held");
  expect(opjob).toMatchObject({ attempt: 2, reason: "Evicted", fault: "cluster" });
  expect(opjob?.message).toMatch(/low on resource.*It is launched again in [2-4] s \(1 of 2\)\.$/);
  await stage.daemon().stop();
  await stage.start(SETTINGS);
  const launched = await reachesAttempt(stage, id, 2);
  const waited = Number(launched.opjob?.timeline.created) - Number(opjob?.notBefore);
  expect(waited).toBeGreaterThanOrEqual(0);
});

test("when the budget is spent it fails, and tells of the attempts before", async () => {
  await using stage = await scene();
  const id = await stuck(stage);
  for (const attempt of [1, 2, 3]) {
    await reachesAttempt(stage, id, attempt);
    await stage.reaches(id, "ImagePullFailed", 15_000);
    stage.kubernetes.faults.evict(await podOf(stage, id, attempt));
  }
  const { opjob, result } = await stage.reaches(id, "failed", 20_000);
  expect(opjob).toMatchObject({ attempt: 3, reason: "Evicted" });
  expect(result?.error).toMatch(/It was attempt 3; before: Evicted, Evicted\./);
  expect(await jobsOf(stage, id)).toHaveLength(3);
}, 60_000);

test("an operation whose worker had begun is never launched again", async () => {
  await using stage = await scene();
  await stage.start(SETTINGS);
  const [begun, booting] = [await stage.queue(), await stage.queue()];
  for (const id of [begun, booting]) await stage.reaches(id, "running");
  await set(stage, begun, { run_state: "running", started_at: new Date() });
  for (const id of [begun, booting]) stage.kubernetes.faults.evict(await podOf(stage, id));
  for (const id of [begun, booting]) {
    expect((await stage.reaches(id, "failed")).opjob).toMatchObject({ attempt: 1, reason: "Evicted" });
    expect(await jobsOf(stage, id)).toHaveLength(1);
  }
});

test("one that a failover took back and its author wrote again does not end with the Job of before, which did not find it", async () => {
  await using stage = await scene();
  await stage.start(SETTINGS);
  const id = await stage.queue();
  await stage.reaches(id, "running");
  await stage.daemon().stop();
  stage.kubernetes.simulate?.finish(await podOf(stage, id), 0);
  const { opjob, ...document } = await stage.read(id);
  const operations = stage.database.db.collection("delegated_ops");
  await operations.deleteOne({ _id: document._id });
  await operations.insertOne(document);
  await stage.start(SETTINGS);
  const second = await reachesAttempt(stage, id, 2);
  expect(second.run_state).toBe("queued");
  expect(second.opjob?.earlier).toMatchObject([{ attempt: 1, reason: "NoResult", uid: opjob?.uid }]);
});

test("one whose operator may run twice is queued again when the cluster takes its worker", async () => {
  await using stage = await scene();
  await stage.start({ ...SETTINGS, OPJOB_RERUN_OPERATORS: '["@peer/twice"]' });
  const id = await stage.queue({ operator: "@peer/twice" });
  await stage.reaches(id, "running");
  await set(stage, id, { run_state: "running", started_at: new Date() });
  const first = await stage.read(id);
  stage.kubernetes.faults.evict(await podOf(stage, id));
  const second = await reachesAttempt(stage, id, 2);
  expect(second.run_state).toBe("queued");
  expect(second.queued_at?.getTime()).toBeGreaterThan(first.queued_at?.getTime() ?? 0);
  expect(second.opjob?.earlier).toMatchObject([{ attempt: 1, reason: "Evicted" }]);
  await set(stage, id, { run_state: "running" });
  stage.kubernetes.simulate?.finish(await podOf(stage, id, 2), 3, "Error");
  expect((await stage.reaches(id, "failed")).opjob).toMatchObject({ attempt: 2, reason: "WorkerFailed" });
});

/** Its Job has no Pod for too long, by a fault of the cluster's as far as anybody can tell; it is held while it is deleted. */
async function beingTakenBack(stage: Scene): Promise<string> {
  await storeSecret(stage.database.db, "KUBE", stage.kubernetes.kubeconfig({ token: BLIND }));
  await stage.start({ ...SETTINGS, OPJOB_PENDING_TIMEOUT_SECONDS: "1" });
  const id = await stage.queue();
  await stage.reaches(id, "withdrawn");
  await until("its Job is being deleted", async () => (await stage.jobOf(id))?.metadata.deletionTimestamp);
  return id;
}
const ADMIN = { authorization: "Bearer admin-admin-admin" };
async function letGo(stage: Scene, id: string): Promise<void> {
  const job = await stage.jobOf(id);
  const metadata = { ...job?.metadata, finalizers: [] };
  const body = JSON.stringify({ ...job, apiVersion: "batch/v1", kind: "Job", metadata });
  const headers = { ...ADMIN, "content-type": "application/json" };
  const answer = await fetch(`${stage.kubernetes.url}${JOBS}/${job?.metadata.name}`, { method: "PUT", headers, body });
  expect(answer.status).toBe(200);
}
const NOBODY = HELD.replace("restartPolicy: Never", "restartPolicy: Never\n      serviceAccountName: nobody");
const blind = { user: "blind", allow: (verb: string, resource: string) => `${verb} ${resource}` !== "list events" };
const heldScene = () => scene(NOBODY, { accounts: { [BLIND]: blind } });

test("a Job that cannot start is taken back, and the next one is made only when it is gone", async () => {
  await using stage = await heldScene();
  const id = await beingTakenBack(stage);
  // Long enough for many looks: as long as the first Job is there, there is no second one.
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  expect(await jobsOf(stage, id)).toHaveLength(1);
  expect((await stage.read(id)).opjob).toMatchObject({ attempt: 1, phase: "withdrawn", reason: "NoPod" });
  await letGo(stage, id);
  const { opjob } = await reachesAttempt(stage, id, 2);
  expect(opjob?.earlier).toMatchObject([{ attempt: 1, reason: "NoPod" }]);
  expect((await jobsOf(stage, id)).map(({ metadata }) => metadata.labels["opjob/attempt"])).toEqual(["2"]);
});

test("a worker that begins while its Job is taken back wins: there is no second attempt", async () => {
  await using stage = await heldScene();
  const id = await beingTakenBack(stage);
  await set(stage, id, { run_state: "running", started_at: new Date() });
  await letGo(stage, id);
  const { opjob, result } = await stage.reaches(id, "failed", 15_000);
  expect(opjob).toMatchObject({ attempt: 1, reason: "StartedTooLate", fault: "cluster" });
  expect(result?.error).toMatch(/an operation that has begun is not run twice/);
  expect(await jobsOf(stage, id)).toEqual([]);
});

test("a person who fails it while its Job is taken back has the last word", async () => {
  await using stage = await heldScene();
  const id = await beingTakenBack(stage);
  await set(stage, id, { run_state: "failed", failed_at: new Date(), result: null });
  await letGo(stage, id);
  await until("the Job is gone", async () => (await jobsOf(stage, id)).length === 0);
  await stage.daemon().stop();
  await stage.start(SETTINGS);
  expect(await stage.read(id)).toMatchObject({ run_state: "failed", result: null, opjob: { attempt: 1 } });
  expect(await jobsOf(stage, id)).toEqual([]);
});
