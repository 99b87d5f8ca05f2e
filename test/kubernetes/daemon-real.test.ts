// The real daemon against the real API server, controllers and scheduler: every way in which a Job can end, read back from
// MongoDB with its reason. The node is simulated, so that each way takes as long as its grace period only.
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Document, ObjectId, UpdateFilter } from "mongodb";
import { condition } from "./contract/space.ts";
import { seen } from "./seen.ts";
import { type Fate, NAMESPACE, type Stage, setStage } from "./stage.ts";

type Failure = readonly [what: string, fate: Fate, reason: string, text: RegExp];

const HANG = { "plane/hang": "" };
const ended = (exitCode: string, reason: string) => ({ "plane/exit-code": exitCode, "plane/reason": reason });

/** What happens in the cluster, and how the error in FiftyOne names it. */
const FAILURES: readonly Failure[] = [
  ["success without a result", {}, "NoResult", /ended with success, but no worker recorded a result/],
  [
    "exit code 3",
    { annotations: ended("3", "Error") },
    "WorkerFailed",
    /"worker" ended with exit code 3 .*\nWhat to do: (.*\n)*line 4\nline 5$/,
  ],
  [
    "exit code 143",
    { annotations: ended("143", "Error") },
    "WorkerKilled",
    /"worker" was killed by signal 15 \(exit code 143\)/,
  ],
  ["too much memory", { annotations: ended("137", "OOMKilled") }, "OOMKilled", /used more memory than its limit/],
  [
    "an eviction",
    { annotations: { ...ended("137", "Error"), "plane/pod-reason": "Evicted" } },
    "Evicted",
    /was evicted from its node/,
  ],
  [
    "a command that the image has not",
    { annotations: ended("128", "StartError") },
    "StartError",
    /could not be started/,
  ],
  [
    "an image that cannot be pulled",
    // Of its own: what else needs an image that cannot be pulled waits.
    { annotations: { "plane/waiting": "ImagePullBackOff" }, container: { image: "test/absent:1" } },
    "ImagePullFailed",
    /The image "test\/absent:1" of container "worker" cannot be pulled: the node says ImagePullBackOff/,
  ],
  [
    "an image name that is none",
    { annotations: { "plane/waiting": "InvalidImageName" }, container: { image: "test/misnamed:1" } },
    "InvalidImageName",
    /is not valid/,
  ],
  [
    "a missing Secret",
    { annotations: { "plane/waiting": "CreateContainerConfigError" } },
    "CreateContainerConfigError",
    /cannot be created/,
  ],
  [
    "the Job's deadline",
    { annotations: HANG, job: { activeDeadlineSeconds: 1 } },
    "DeadlineExceeded",
    /ran longer than its activeDeadlineSeconds allows \(Job was active longer than specified deadline\)/,
  ],
  [
    "no node with a GPU",
    { container: { resources: { limits: { "nvidia.com/gpu": 1 } } } },
    "Unschedulable",
    /0\/1 nodes are available: 1 Insufficient nvidia\.com\/gpu\./,
  ],
  [
    "no node with that label",
    { pod: { nodeSelector: { disk: "none" } } },
    "Unschedulable",
    /didn't match Pod's node affinity\/selector/,
  ],
  [
    "a service account that is missing",
    { pod: { serviceAccountName: "nobody" } },
    "ServiceAccountMissing",
    /cannot make a Pod for the Job: error looking up service account fiftyone\/nobody/,
  ],
  [
    "a template that the API server refuses",
    { container: { imagePullPolicy: "Perhaps" } },
    "JOB_REFUSED",
    /imagePullPolicy: Unsupported value: "Perhaps"/,
  ],
];

const RUNNING = "runs until told";
const END_WITHIN_MS = 40_000;

describe("the daemon on a real control plane", () => {
  let stage: Stage;
  const queued = new Map<string, ObjectId>();

  const operation = (_id: ObjectId): Promise<Document | null> => stage.db.collection("delegated_ops").findOne({ _id });
  const change = async (_id: ObjectId, update: UpdateFilter<Document>): Promise<void> => {
    await stage.db.collection("delegated_ops").updateOne({ _id }, update);
  };
  const failed = (_id: ObjectId): Promise<Document> =>
    seen(
      "the operation failed",
      async () => {
        const document = await operation(_id);
        return document?.["run_state"] === "failed" && document;
      },
      END_WITHIN_MS,
    );
  const one = async (name: string): Promise<ObjectId> => {
    const [id] = await stage.queue(name);
    if (id === undefined) throw new Error("nothing was queued");
    return id;
  };
  /** An operation whose Pod runs until something is done to it. */
  const running = async (): Promise<ObjectId> => {
    const id = await one(RUNNING);
    await seen("its Pod runs", async () => (await stage.podsOf(id))[0]?.status.phase === "Running");
    await seen("opjob sees it", async () => (await operation(id))?.["opjob"]?.phase === "running");
    return id;
  };
  const gone = (id: ObjectId): Promise<boolean> =>
    seen(
      "Job and Pod gone",
      async () => (await stage.jobOf(id)) === undefined && (await stage.podsOf(id)).length === 0,
    );

  beforeAll(async () => {
    stage = await setStage({ OPJOB_PENDING_TIMEOUT_SECONDS: "5" });
    await stage.orchestrate(RUNNING, { annotations: HANG });
    // All at once: their grace periods run side by side.
    for (const [what, fate] of FAILURES) {
      await stage.orchestrate(what, fate);
      queued.set(what, await one(what));
    }
  }, 90_000);
  afterAll(() => stage[Symbol.asyncDispose](), 60_000);

  test.each(FAILURES)(
    "%s fails the operation with its reason",
    async (what, _fate, reason, text) => {
      const id = queued.get(what);
      if (id === undefined) throw new Error("it was not queued");
      const document = await failed(id);
      const error = document["result"].error as string;
      const where =
        reason === "JOB_REFUSED"
          ? "No Kubernetes Job could be launched"
          : `Kubernetes Job ${NAMESPACE}/${document["opjob"].job} failed`;
      expect(error.startsWith(`${where}: ${reason}. `)).toBe(true);
      expect(error).toMatch(text);
      expect(error).toContain("What to do: ");
      expect(document["opjob"]).toMatchObject({ reason });
    },
    END_WITHIN_MS + 5_000,
  );

  test("a result that the worker records stays, whatever becomes of its Job", async () => {
    await stage.orchestrate("works", { annotations: { ...ended("3", "Error"), "plane/run-for": "1s" } });
    const id = await one("works");
    await seen("its Pod runs", async () => (await stage.podsOf(id))[0]?.status.phase === "Running");
    await change(id, { $set: { run_state: "running", started_at: new Date() } });
    const result = { result: 42, error: null };
    await change(id, { $set: { run_state: "completed", completed_at: new Date(), result } });
    await seen("opjob is done with it", async () => (await operation(id))?.["opjob"]?.phase === "done");
    expect(condition(await stage.jobOf(id), "Failed")).toBeDefined();
    expect(await operation(id)).toMatchObject({ run_state: "completed", result });
  });

  test("an operation that a person fails has its Job deleted, and keeps no other error", async () => {
    const id = await running();
    await change(id, { $set: { run_state: "failed", failed_at: new Date() } });
    await gone(id);
    expect(await operation(id)).toMatchObject({ run_state: "failed", result: null });
  });

  test("an operation that a person deletes has its Job deleted", async () => {
    const id = await running();
    await stage.db.collection("delegated_ops").deleteOne({ _id: id });
    await gone(id);
  });

  test("a Job that somebody deletes fails the operation", async () => {
    const id = await running();
    const { metadata } = (await stage.jobOf(id)) ?? {};
    const path = `/apis/batch/v1/namespaces/${NAMESPACE}/jobs/${metadata?.name}`;
    await stage.admin.send("DELETE", path, { body: { propagationPolicy: "Background" } });
    expect((await failed(id))["result"].error).toMatch(/failed: JobDeleted\. The Job was deleted/);
  });

  test("while an operation waits its reason is told, and a suspended Job waits as long as it likes", async () => {
    await stage.orchestrate("suspended", { annotations: HANG, job: { suspend: true } });
    const id = await one("suspended");
    await seen("the reason", async () => (await operation(id))?.["opjob"]?.reason === "Suspended");
    const { metadata } = (await stage.jobOf(id)) ?? {};
    const path = `/apis/batch/v1/namespaces/${NAMESPACE}/jobs/${metadata?.name}`;
    const headers = { "content-type": "application/merge-patch+json" };
    await stage.admin.send("PATCH", path, { body: { spec: { suspend: false } }, headers });
    await seen("it runs", async () => (await operation(id))?.["opjob"]?.phase === "running");
    expect(await operation(id)).toMatchObject({ run_state: "queued", opjob: { reason: null } });
  });

  test("a namespace that is missing holds the operation until it is there", async () => {
    await stage.orchestrate("elsewhere", { annotations: HANG }, "later");
    const id = await one("elsewhere");
    // Without rights in it opjob is told 403, not 404: what does not exist is nobody's.
    await seen("it is held", async () => (await operation(id))?.["opjob"]?.reason === "CLUSTER_FORBIDDEN");
    expect((await operation(id))?.["opjob"].message).toContain('cannot create resource "jobs"');
    expect(await operation(id)).toMatchObject({ run_state: "queued", result: null });
    await stage.furnish("later");
    await seen("it is launched", async () => (await operation(id))?.["opjob"]?.phase === "running");
    expect(await operation(id)).toMatchObject({ run_state: "queued", opjob: { reason: null, namespace: "later" } });
  });
});
