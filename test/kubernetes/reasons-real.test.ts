// The true reason of every failure: the real daemon against the real API server, admission, controllers and scheduler, and a
// node that plays the rest. What a kubelet alone can do is in test/clusters, with objects as it writes them.
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Document, ObjectId } from "mongodb";
import { type Plight, UNHAPPY } from "./plights.ts";
import { RARE } from "./plights-rare.ts";
import { type Cluster, openCluster } from "./real-cluster.ts";
import { untold, type Waits } from "./rows.ts";
import { seen } from "./seen.ts";
import { type Fate, NAMESPACE, type Stage, setStage } from "./stage.ts";
import { RARE_STORIES } from "./stories-rare.ts";

const HANG = { "plane/hang": "" };
const LAST_LINES = /\nLast log lines of container "worker":\n(line \d\n)*line 5$/;
const onNode = (plane: string): Fate => ({
  pod: { nodeSelector: { plane }, tolerations: [{ key: "plane/own", operator: "Exists" }] },
});
const END_WITHIN_MS = 120_000;
const ALL = new Map([...UNHAPPY, ...RARE]);

describe("on a real control plane", () => {
  let stage: Stage;
  let cluster: Cluster;
  const queued = new Map<string, ObjectId>();
  const told = new Map<string, Promise<void>>();

  const operation = async (_id: ObjectId): Promise<Document> =>
    (await stage.db.collection("delegated_ops").findOne({ _id })) ?? {};
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

  /** What somebody or something does to a Pod that runs. */
  const taken = async (
    name: string,
    fate: Fate,
    befall: (pod: string) => Promise<unknown>,
    [reason, text]: readonly [string, RegExp],
  ): Promise<void> => {
    const id = await running(name, fate);
    await befall((await podOf(id)).metadata.name);
    const { result, opjob } = await failed(id);
    expect(opjob).toMatchObject({ reason, fault: "cluster" });
    expect(result.error).toMatch(text);
    expect(result.error).toContain("it is not your fault");
  };
  const sidecar = { initContainers: [{ name: "telemetry", image: "test/sidecar:1", restartPolicy: "Always" }] };

  /** Told at the same time, for each waits most of its own. */
  const STORIES: Readonly<Record<string, () => Promise<void>>> = {
    "a Pod that is deleted": () =>
      taken("deleted", {}, (pod) => cluster.remove("pods", pod), ["PodDeleted", /was deleted before it had ended/]),

    "a node that is drained": () => taken("drained", {}, cluster.evict, ["Drained", /Eviction API: evicting/]),

    "a node that gets a taint": () =>
      taken("tainted", onNode("tainted"), () => cluster.taint("tainted"), ["NodeTainted", /NoExecute taint/]),

    "a node that is removed": () =>
      taken("removed", onNode("removed"), () => cluster.removeNode("removed"), ["NodeGone", /node no longer exists/]),

    "a Pod of a higher priority": () => {
      const fate = { container: { resources: { requests: { cpu: "600" } } } };
      return taken("preempted", fate, () => cluster.preempt("600"), ["Preempted", /higher priority/]);
    },

    "the last words of a Pod that is gone with its Job's deadline": async () => {
      const linger = { ...HANG, "plane/linger": "3s" };
      const id = await one("late", { annotations: linger, job: { activeDeadlineSeconds: 2 } });
      const { result, opjob } = await failed(id);
      expect(opjob).toMatchObject({ reason: "DeadlineExceeded", fault: "operation" });
      expect(result.error).toMatch(LAST_LINES);
      expect(await stage.podsOf(id)).toEqual([]);
    },

    "the last words of a Pod whose Job somebody deleted": async () => {
      const id = await running("robbed", { annotations: { "plane/linger": "3s" } });
      await cluster.remove("jobs", (await stage.jobOf(id))?.metadata.name ?? "");
      const { result, opjob } = await failed(id);
      expect(opjob).toMatchObject({ reason: "JobDeleted", fault: "cluster" });
      expect(result.error).toMatch(LAST_LINES);
    },

    "a node that is lost, which delays the Job's end but not its reason": async () => {
      const id = await running("lost", { annotations: { "plane/linger": "1h" } });
      await cluster.evict((await podOf(id)).metadata.name);
      expect(await waits(id, "Drained")).toMatchObject({
        run_state: "queued",
        opjob: { phase: "waiting", fault: "cluster" },
      });
      expect(await failed(id)).toMatchObject({ opjob: { reason: "Drained" } });
    },

    "two Pods, of which the second only refuses to run the operation again": async () => {
      const id = await running("twice", { job: { backoffLimit: 1 } });
      const first = (await podOf(id)).metadata;
      const killed = { "plane/exit-code": "137", "plane/reason": "OOMKilled" };
      await cluster.note(first.name, { "plane/hang": null, ...killed });
      const second = async () =>
        (await stage.podsOf(id)).find(
          ({ metadata, status }) => metadata.uid !== first.uid && status.phase === "Running",
        );
      const { metadata } = await seen("a second Pod", second, END_WITHIN_MS);
      await cluster.note(metadata.name, { "plane/hang": null, "plane/exit-code": "3" });
      const { result, opjob } = await failed(id);
      expect(opjob).toMatchObject({ reason: "OOMKilled", fault: "operation" });
      expect(result.error).toMatch(
        /then made "\S+" \(exit code 3\), but a worker runs an operation only once.*\n.*backoffLimit: 0/,
      );
    },

    "a native sidecar that breaks, which neither holds up its worker nor fails it": async () => {
      const broken = { "plane/sidecar-waiting": "CrashLoopBackOff" };
      const id = await running("beside", { pod: sidecar, annotations: broken });
      expect(await operation(id)).toMatchObject({ run_state: "queued", opjob: { phase: "running", reason: null } });
      await cluster.note((await podOf(id)).metadata.name, { "plane/hang": null, "plane/exit-code": "3" });
      const { result, opjob } = await failed(id);
      expect(opjob).toMatchObject({ reason: "WorkerFailed", fault: "operation" });
      expect(result.error).toMatch(/"worker" ended with exit code 3/);
    },

    "a native sidecar that outlives its worker, which keeps nothing running": async () => {
      const stays = { "plane/exit-code": "3", "plane/sidecar-stays": "" };
      const id = await one("outlived", { pod: sidecar, annotations: stays });
      const { result, opjob } = await failed(id);
      expect(opjob).toMatchObject({ reason: "WorkerFailed", fault: "operation" });
      expect(result.error).toMatch(/"worker" ended with exit code 3/);
      await seen("the Job gone", async () => (await stage.jobOf(id)) === undefined);
    },

    "a volume that cannot be mounted, which only Events tell": async () => {
      const id = await one("unmounted", { annotations: { "plane/waiting": "ContainerCreating" } });
      const { metadata } = await podOf(id);
      const volume = 'MountVolume.SetUp failed for volume "keys" : secret "nope" not found';
      await cluster.say(metadata, "FailedMount", volume);
      expect((await waits(id, "MountFailed"))["run_state"]).toBe("queued");
      const { result, opjob } = await failed(id);
      expect(opjob).toMatchObject({ reason: "MountFailed", fault: "template" });
      expect(result.error).toContain(volume);
    },

    "a node that cannot prepare a Pod, which only Events tell": async () => {
      const id = await one("unprepared", { annotations: { "plane/waiting": "ContainerCreating" } });
      const { metadata } = await podOf(id);
      await cluster.say(metadata, "FailedCreatePodSandBox", "Failed to create pod sandbox: no network");
      expect((await waits(id, "SandboxFailed"))["opjob"]).toMatchObject({ fault: "cluster" });
      expect((await failed(id))["opjob"]).toMatchObject({ reason: "SandboxFailed" });
    },

    "a quota in use, which is no failure: the operation runs when there is room": async () => {
      const room = await cluster.occupy("full");
      const id = await one("in line", { annotations: HANG }, "full");
      const { opjob } = await waits(id, "QuotaExceeded");
      expect(opjob.message).toMatch(/exceeded quota: plane, requested: pods=1, used: pods=1, limited: pods=1\./);
      // Longer than a Job may wait for anything else here.
      await seen("its time over", () => Date.now() > (opjob.since as Date).getTime() + 7_000);
      expect(await operation(id)).toMatchObject({
        run_state: "queued",
        opjob: { reason: "QuotaExceeded", fault: "cluster" },
      });
      await room();
      await reaches(id, "it runs", (document) => document["opjob"]?.phase === "running");
    },

    "a Kueue queue, which is named, and is no failure": async () => {
      const labels = { "kueue.x-k8s.io/queue-name": "gpu" };
      const id = await one("queued", { metadata: { labels }, job: { suspend: true }, annotations: HANG });
      const { opjob } = await waits(id, "Suspended");
      expect(opjob).toMatchObject({ fault: "cluster", message: expect.stringMatching(/Kueue queue "gpu"/) });
    },

    "a scheduling gate, which is no failure": async () => {
      const id = await one("gated", { pod: { schedulingGates: [{ name: "plane/gate" }] }, annotations: HANG });
      expect((await waits(id, "SchedulingGated"))["opjob"]).toMatchObject({ fault: "cluster" });
    },

    "Events that opjob may not read: poorer words, and nothing else": async () => {
      await cluster.forbidEvents();
      const id = await one("unexplained", { pod: { serviceAccountName: "nobody" } }, "blind");
      const { result, opjob } = await failed(id);
      expect(opjob).toMatchObject({ reason: "NoPod", fault: "cluster" });
      expect(result.error).toMatch(/has not made a Pod/);
    },
  };

  beforeAll(async () => {
    stage = await setStage({ OPJOB_PENDING_TIMEOUT_SECONDS: "5", OPJOB_IMAGE_GRACE_SECONDS: "1" });
    cluster = await openCluster(stage);
    for (const [what, { fate, namespace }] of ALL) queued.set(what, await one(what, fate, namespace));
    for (const [what, tell] of Object.entries({ ...STORIES, ...RARE_STORIES })) {
      const story = tell({ stage, cluster, one, running, podOf, failed, waits });
      // Whether it is as it should be is for its own test to say.
      story.catch(() => undefined);
      told.set(what, story);
    }
  }, 120_000);
  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
    await stage?.[Symbol.asyncDispose]();
  }, 60_000);

  test.each<[string, Plight]>([...ALL])(
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

  test.each([...Object.keys(STORIES), ...Object.keys(RARE_STORIES)])("%s", (what) => told.get(what), 2 * END_WITHIN_MS);

  test("and no row of the tables of reasons is left that was not told here", async () => {
    const written = await stage.db.collection("delegated_ops").find({ run_state: "failed" }).toArray();
    const waited = stage.daemon.lines.filter(({ msg }) => msg === "waiting") as unknown as Waits[];
    expect(untold(written, waited)).toEqual([]);
  });
});
