// The true reason of every failure: the real daemon against the real API server, admission, controllers and scheduler, and a
// node that plays the rest. What a kubelet alone can do is in test/clusters, with objects as it writes them.
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Document, ObjectId } from "mongodb";
import { type Plight, UNHAPPY } from "./plights.ts";
import { type Cluster, openCluster } from "./real-cluster.ts";
import { seen } from "./seen.ts";
import { type Fate, NAMESPACE, type Stage, setStage } from "./stage.ts";

const HANG = { "plane/hang": "" };
const LAST_LINES = /\nLast log lines of container "worker":\n(line \d\n)*line 5$/;
const onNode = (plane: string): Fate => ({
  pod: { nodeSelector: { plane }, tolerations: [{ key: "plane/own", operator: "Exists" }] },
});
const END_WITHIN_MS = 60_000;

describe("on a real control plane", () => {
  let stage: Stage;
  let cluster: Cluster;
  const queued = new Map<string, ObjectId>();

  const operation = async (_id: ObjectId): Promise<Document> => {
    const document = await stage.db.collection("delegated_ops").findOne({ _id });
    if (document === null) throw new Error("the operation is gone");
    return document;
  };
  const reaches = (id: ObjectId, what: string, holds: (document: Document) => boolean, ms = END_WITHIN_MS) =>
    seen(
      what,
      async () => {
        const document = await operation(id);
        return holds(document) && document;
      },
      ms,
    );
  const failed = (id: ObjectId): Promise<Document> => reaches(id, "it failed", (one) => one["run_state"] === "failed");
  const waits = (id: ObjectId, reason: string): Promise<Document> =>
    reaches(id, `it waits with ${reason}`, (one) => one["opjob"]?.reason === reason);
  const one = async (name: string, fate: Fate, namespace = NAMESPACE): Promise<ObjectId> => {
    await stage.orchestrate(name, fate, namespace);
    const [id] = await stage.queue(name);
    if (id === undefined) throw new Error("nothing was queued");
    return id;
  };
  const running = async (name: string, fate: Fate): Promise<ObjectId> => {
    const id = await one(name, { ...fate, annotations: { ...HANG, ...fate.annotations } });
    await reaches(id, "it runs", (document) => document["opjob"]?.phase === "running");
    return id;
  };
  const podOf = async (id: ObjectId) =>
    seen("its Pod", async () =>
      (await stage.podsOf(id)).find(({ metadata }) => metadata.deletionTimestamp === undefined),
    );

  beforeAll(async () => {
    stage = await setStage({ OPJOB_PENDING_TIMEOUT_SECONDS: "5", OPJOB_IMAGE_GRACE_SECONDS: "1" });
    cluster = await openCluster(stage);
    for (const [what, { fate, namespace }] of UNHAPPY) queued.set(what, await one(what, fate, namespace));
  }, 120_000);
  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
    await stage?.[Symbol.asyncDispose]();
  }, 60_000);

  test.each<[string, Plight]>([...UNHAPPY])(
    "%s",
    async (what, { reason, fault, text, log = false }) => {
      const id = queued.get(what);
      if (id === undefined) throw new Error("it was not queued");
      const { result, opjob } = await failed(id);
      const error = result.error as string;
      expect(error).toMatch(new RegExp(`^Kubernetes Job \\S+ failed: ${reason}\\. `));
      expect(error).toMatch(text);
      if (log) expect(error).toMatch(LAST_LINES);
      expect(error).not.toMatch(/expired/i);
      expect(opjob).toMatchObject({ reason, fault });
    },
    END_WITHIN_MS + 5_000,
  );

  describe("what somebody or something does to a Pod that runs:", () => {
    const taken: [string, Fate, (id: ObjectId) => Promise<unknown>, string, RegExp][] = [
      [
        "it is deleted",
        {},
        async (id) => cluster.remove("pods", (await podOf(id)).metadata.name),
        "PodDeleted",
        /was deleted before it had ended/,
      ],
      [
        "its node is drained",
        {},
        async (id) => cluster.evict((await podOf(id)).metadata.name),
        "Drained",
        /Eviction API: evicting/,
      ],
      ["its node gets a taint", onNode("tainted"), () => cluster.taint("tainted"), "NodeTainted", /NoExecute taint/],
      [
        "its node is removed",
        onNode("removed"),
        () => cluster.removeNode("removed"),
        "NodeGone",
        /node no longer exists/,
      ],
      [
        "another one has a higher priority",
        { container: { resources: { requests: { cpu: "600" } } } },
        () => cluster.preempt("600"),
        "Preempted",
        /higher priority/,
      ],
    ];
    test.each(taken)(
      "%s",
      async (what, fate, befall, reason, text) => {
        const id = await running(what, fate);
        await befall(id);
        const { result, opjob } = await reaches(
          id,
          "it failed",
          (document) => document["run_state"] === "failed",
          120_000,
        );
        expect(opjob).toMatchObject({ reason, fault: "cluster" });
        expect(result.error).toMatch(text);
        expect(result.error).toContain("it is not your fault");
      },
      130_000,
    );

    test(
      "what it said last is told, though the Pod is gone with its Job's deadline",
      async () => {
        const linger = { ...HANG, "plane/linger": "3s" };
        const id = await one("late", { annotations: linger, job: { activeDeadlineSeconds: 2 } });
        const { result, opjob } = await failed(id);
        expect(opjob).toMatchObject({ reason: "DeadlineExceeded", fault: "operation" });
        expect(result.error).toMatch(LAST_LINES);
        expect(await stage.podsOf(id)).toEqual([]);
      },
      END_WITHIN_MS,
    );

    test(
      "what it said last is told, though somebody deleted its Job",
      async () => {
        const id = await running("robbed", { annotations: { "plane/linger": "3s" } });
        await cluster.remove("jobs", (await stage.jobOf(id))?.metadata.name ?? "");
        const { result, opjob } = await failed(id);
        expect(opjob).toMatchObject({ reason: "JobDeleted", fault: "cluster" });
        expect(result.error).toMatch(LAST_LINES);
      },
      END_WITHIN_MS,
    );

    test(
      "a node that is lost delays the Job's end; its reason is told before that",
      async () => {
        const id = await running("lost", { annotations: { "plane/linger": "1h" } });
        await cluster.evict((await podOf(id)).metadata.name);
        const told = await waits(id, "Drained");
        expect(told).toMatchObject({ run_state: "queued", opjob: { phase: "waiting", fault: "cluster" } });
        expect(await failed(id)).toMatchObject({ opjob: { reason: "Drained" } });
      },
      END_WITHIN_MS,
    );
  });

  describe("of several Pods", () => {
    test(
      "the first one explains, for the second only refuses to run the operation again",
      async () => {
        const id = await running("twice", { job: { backoffLimit: 1 } });
        const first = await podOf(id);
        await cluster.note(first.metadata.name, {
          "plane/hang": null,
          "plane/exit-code": "137",
          "plane/reason": "OOMKilled",
        });
        const second = await seen(
          "a second Pod",
          async () =>
            (await stage.podsOf(id)).find(
              ({ metadata, status }) => metadata.uid !== first.metadata.uid && status.phase === "Running",
            ),
          30_000,
        );
        await cluster.note(second.metadata.name, { "plane/hang": null, "plane/exit-code": "3" });
        const { result, opjob } = await failed(id);
        expect(opjob).toMatchObject({ reason: "OOMKilled", fault: "operation" });
        expect(result.error).toMatch(
          /then made "\S+" \(exit code 3\), but a worker runs an operation only once.*\n.*backoffLimit: 0/,
        );
      },
      END_WITHIN_MS,
    );
  });

  describe("native sidecars", () => {
    const sidecar = { name: "telemetry", image: "test/sidecar:1", restartPolicy: "Always" };
    const pod = { initContainers: [sidecar] };

    test(
      "that break do not hold up a worker, nor fail it",
      async () => {
        const id = await running("beside", { pod, annotations: { "plane/sidecar-waiting": "CrashLoopBackOff" } });
        const document = await operation(id);
        expect(document).toMatchObject({ run_state: "queued", opjob: { phase: "running", reason: null } });
        await cluster.note((await podOf(id)).metadata.name, { "plane/hang": null, "plane/exit-code": "3" });
        const { result, opjob } = await failed(id);
        expect(opjob).toMatchObject({ reason: "WorkerFailed", fault: "operation" });
        expect(result.error).toMatch(/"worker" ended with exit code 3/);
      },
      END_WITHIN_MS,
    );

    test(
      "that outlive their worker do not keep its operation running",
      async () => {
        const stays = { "plane/exit-code": "3", "plane/sidecar-stays": "" };
        const id = await one("outlived", { pod, annotations: stays });
        const { result, opjob } = await failed(id);
        expect(opjob).toMatchObject({ reason: "WorkerFailed", fault: "operation" });
        expect(result.error).toMatch(/"worker" ended with exit code 3/);
        await seen("the Job gone", async () => (await stage.jobOf(id)) === undefined);
      },
      END_WITHIN_MS,
    );
  });

  describe("waiting is no failure", () => {
    test("for a quota in use: the operation runs when there is room", async () => {
      const fate = { container: { resources: { requests: { cpu: "100m" } } }, annotations: HANG };
      const room = await cluster.occupy("full");
      const id = await one("in line", fate, "full");
      const told = await waits(id, "QuotaExceeded");
      expect(told["opjob"].message).toMatch(
        /exceeded quota: plane, requested: pods=1, used: pods=1, limited: pods=1\./,
      );
      // Longer than a Job may wait for anything else here.
      const since = told["opjob"].since as Date;
      await seen("its time over", () => Date.now() > since.getTime() + 7_000);
      expect(await operation(id)).toMatchObject({
        run_state: "queued",
        opjob: { reason: "QuotaExceeded", fault: "cluster" },
      });
      await room();
      await reaches(id, "it runs", (document) => document["opjob"]?.phase === "running", 90_000);
    }, 120_000);

    test(
      "in a Kueue queue, which is named",
      async () => {
        const labels = { "kueue.x-k8s.io/queue-name": "gpu" };
        const id = await one("queued", { metadata: { labels }, job: { suspend: true }, annotations: HANG });
        const told = await waits(id, "Suspended");
        expect(told["opjob"]).toMatchObject({ fault: "cluster", message: expect.stringMatching(/Kueue queue "gpu"/) });
      },
      END_WITHIN_MS,
    );

    test(
      "at a scheduling gate",
      async () => {
        const id = await one("gated", { pod: { schedulingGates: [{ name: "plane/gate" }] }, annotations: HANG });
        expect((await waits(id, "SchedulingGated"))["opjob"]).toMatchObject({ fault: "cluster" });
      },
      END_WITHIN_MS,
    );
  });

  test(
    "without the right to read Events the words are poorer, and nothing else changes",
    async () => {
      await cluster.forbidEvents();
      const id = await one("unexplained", { pod: { serviceAccountName: "nobody" } }, "blind");
      const { result, opjob } = await failed(id);
      expect(opjob).toMatchObject({ reason: "NoPod", fault: "cluster" });
      expect(result.error).toMatch(/has not made a Pod/);
    },
    END_WITHIN_MS,
  );
});
