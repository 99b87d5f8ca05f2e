// The real daemon on a real node: containerd runs the Pods, the kubelet reports what became of them. Every way in which a
// worker can fail, queued at once, and read back from MongoDB with the true reason.
import { mkdir, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Document, ObjectId, UpdateFilter } from "mongodb";
import { FAILURES, type Failure, HANG, SOON, script } from "./node-cases.ts";
import { describeOnNode } from "./on-node.ts";
import { type Recorder, recordStates } from "./record.ts";
import { seen } from "./seen.ts";
import { NAMESPACE, type Stage, setStage } from "./stage.ts";

const END_WITHIN_MS = 120_000;
const RUNNING = "a worker that runs";
/** Set, what the cluster showed is kept there: `OPJOB_RECORD=test/clusters/recorded npm run test:kubernetes -- node-failures`. */
const RECORD = process.env["OPJOB_RECORD"];

describeOnNode("the daemon on a real node", () => {
  let stage: Stage;
  let recorder: Recorder | undefined;
  const queued = new Map<string, ObjectId>();

  const operation = (_id: ObjectId): Promise<Document | null> => stage.db.collection("delegated_ops").findOne({ _id });
  const one = async (what: string): Promise<ObjectId> => {
    const [id] = await stage.queue(what);
    if (id === undefined) throw new Error("nothing was queued");
    return id;
  };
  const record = async (what: string, id: ObjectId): Promise<void> => {
    if (!RECORD || !recorder) return;
    await mkdir(RECORD, { recursive: true });
    const recording = { case: what, ...recorder.of(id.toHexString()) };
    await writeFile(
      `${RECORD}/${what.replaceAll(/\W+/g, "-").toLowerCase()}.json`,
      `${JSON.stringify(recording, undefined, 1)}\n`,
    );
  };
  /** The error of an operation once it failed. */
  const failed = async (what: string, id: ObjectId): Promise<string> => {
    const { result } = await seen(
      "the operation failed",
      async () => {
        const document = await operation(id);
        return document?.["run_state"] === "failed" && document;
      },
      END_WITHIN_MS,
    );
    await record(what, id);
    return result.error;
  };
  /** An operation whose Pod runs until something is done to it. */
  const running = async (): Promise<{ readonly id: ObjectId; readonly job: string; readonly pod: string }> => {
    const id = await one(RUNNING);
    await seen("opjob sees it run", async () => (await operation(id))?.["opjob"]?.phase === "running", 30_000);
    const [job, [pod]] = await Promise.all([stage.jobOf(id), stage.podsOf(id)]);
    return { id, job: job?.metadata.name ?? "", pod: pod?.metadata.name ?? "" };
  };

  beforeAll(async () => {
    stage = await setStage({ OPJOB_PENDING_TIMEOUT_SECONDS: "10" }, { level: "node" });
    if (RECORD) recorder = recordStates(stage.admin, NAMESPACE);
    await stage.orchestrate(RUNNING, { container: script(HANG), pod: SOON });
    // All at once: their waits run side by side.
    for (const { what, fate } of FAILURES) {
      await stage.orchestrate(what, fate);
      queued.set(what, await one(what));
    }
  }, 90_000);
  afterAll(async () => {
    await recorder?.[Symbol.asyncDispose]();
    await stage?.[Symbol.asyncDispose]();
  }, 60_000);

  test.each(FAILURES)(
    "$what fails the operation with its reason",
    async ({ what, says }: Failure) => {
      const id = queued.get(what);
      if (id === undefined) throw new Error("it was not queued");
      const error = await failed(what, id);
      for (const word of says) expect(error).toMatch(word);
      expect(error).toContain("What to do: ");
    },
    END_WITHIN_MS + 5_000,
  );

  test("a Job that somebody deletes fails the operation, and its Pod is ended", async () => {
    const { id, job } = await running();
    const path = `/apis/batch/v1/namespaces/${NAMESPACE}/jobs/${job}`;
    await stage.admin.send("DELETE", path, { body: { propagationPolicy: "Background" } });
    expect(await failed("a Job that somebody deletes", id)).toMatch(/deleted/);
    await seen("its Pod gone", async () => (await stage.podsOf(id)).length === 0);
  }, 60_000);

  test("a Pod that is evicted by the API, as a drain does it, fails the operation", async () => {
    const { id, pod } = await running();
    const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: pod, namespace: NAMESPACE } };
    const path = `/api/v1/namespaces/${NAMESPACE}/pods/${pod}/eviction`;
    expect((await stage.admin.send("POST", path, { body: eviction })).code).toBe(201);
    expect(await failed("an eviction by the API", id)).toMatch(/evict/i);
  }, 60_000);

  test("a worker runs on while its node's kubelet is killed and started, and its end is told then", async () => {
    await stage.orchestrate("outlives", { container: script("echo working; sleep 5; exit 7"), pod: SOON });
    const id = await one("outlives");
    await seen("opjob sees it run", async () => (await operation(id))?.["opjob"]?.phase === "running", 30_000);
    await stage.plane.kill("kubelet");
    await stage.plane.start("kubelet");
    const error = await failed("a restart of the kubelet", id);
    for (const word of [/exit code 7\b/, /^working$/m]) expect(error).toMatch(word);
    expect(await stage.podsOf(id)).toHaveLength(1);
  }, 60_000);

  test("a result that a worker records beside a native sidecar stays, and the sidecar keeps nothing running", async () => {
    const sidecar = { name: "telemetry", ...script(HANG), restartPolicy: "Always" };
    await stage.orchestrate("works", { container: script("sleep 6"), pod: { ...SOON, initContainers: [sidecar] } });
    const id = await one("works");
    await seen("opjob sees it run", async () => (await operation(id))?.["opjob"]?.phase === "running", 30_000);
    const change = (update: UpdateFilter<Document>) =>
      stage.db.collection("delegated_ops").updateOne({ _id: id }, update);
    await change({ $set: { run_state: "running", started_at: new Date() } });
    const result = { result: 42, error: null };
    await change({ $set: { run_state: "completed", completed_at: new Date(), result } });
    await seen("opjob is done with it", async () => (await operation(id))?.["opjob"]?.phase === "done", 30_000);
    expect(await operation(id)).toMatchObject({ run_state: "completed", result });
    expect((await stage.jobOf(id))?.status["succeeded"]).toBe(1);
    await record("success beside a native sidecar", id);
  }, 60_000);
});
