// Another attempt on a real control plane: Pods that are drained, preempted, deleted, or lose their node before they have begun.
// Each operation runs as a second attempt, exactly once, and its two Jobs never had a Pod at the same time.
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Document, ObjectId } from "mongodb";
import { LABELS } from "../../src/clusters/observation.ts";
import { type Cluster, openCluster } from "./real-cluster.ts";
import { seen } from "./seen.ts";
import { type Fate, NAMESPACE, type Stage, setStage } from "./stage.ts";
import { playWorkers, type Workers } from "./worker.ts";

const WITHIN_MS = 120_000;
/** A node has taken the Pod, and its container does not start. */
const STARTING = { "plane/waiting": "ContainerCreating" };
const onNode = (plane: string): Fate => ({
  annotations: STARTING,
  pod: { nodeSelector: { plane }, tolerations: [{ key: "plane/own", operator: "Exists" }] },
});

describe("on a real control plane", () => {
  let stage: Stage;
  let cluster: Cluster;
  let workers: Workers;
  let watched: NodeJS.Timeout;
  /** Operations that had Pods of two attempts at once, neither of which had ended. */
  const doubled = new Set<string>();

  beforeAll(async () => {
    stage = await setStage({
      OPJOB_RETRIES: "2",
      OPJOB_RETRY_PAUSE_SECONDS: "1",
      OPJOB_PENDING_TIMEOUT_SECONDS: "600",
    });
    cluster = await openCluster(stage);
    const path = `/api/v1/namespaces/${NAMESPACE}/pods`;
    workers = playWorkers(stage.admin, path, stage.db);
    watched = setInterval(() => void look(path).catch(() => undefined), 100);
  }, 300_000);
  afterAll(async () => {
    clearInterval(watched);
    await workers?.[Symbol.asyncDispose]();
    await cluster?.[Symbol.asyncDispose]();
    await stage?.[Symbol.asyncDispose]();
  }, 60_000);

  const look = async (path: string): Promise<void> => {
    const answer = await stage.admin.send("GET", path, { query: { labelSelector: LABELS.operation } });
    if (answer.code !== 200) return;
    const alive = answer.body.items.filter(({ status: { phase } }) => phase !== "Succeeded" && phase !== "Failed");
    const labels = alive.map(({ metadata }) => metadata.labels);
    for (const [id, ofOne] of Map.groupBy(labels, (one) => one[LABELS.operation] ?? ""))
      if (new Set(ofOne.map((one) => one[LABELS.attempt])).size > 1) doubled.add(id);
  };
  const reaches = (_id: ObjectId, what: string, holds: (document: Document) => boolean): Promise<Document> =>
    seen(
      what,
      async () => {
        const document = await stage.db.collection("delegated_ops").findOne({ _id });
        return document !== null && holds(document) && document;
      },
      WITHIN_MS,
    );
  const podOf = (id: ObjectId, attempt: number) =>
    seen(
      `a Pod of attempt ${attempt} on a node`,
      async () =>
        (await stage.podsOf(id)).find(
          ({ metadata, spec }) => metadata.labels[LABELS.attempt] === String(attempt) && spec["nodeName"] !== undefined,
        ),
      WITHIN_MS,
    );

  const STORIES: Readonly<Record<string, readonly [string, Fate, (pod: string) => Promise<unknown>]>> = {
    "a drained node": ["Drained", { annotations: STARTING }, (pod) => cluster.evict(pod)],
    "a Pod that is deleted": ["PodDeleted", { annotations: STARTING }, (pod) => cluster.remove("pods", pod)],
    "a node that gets a taint": ["NodeTainted", onNode("tainted"), () => cluster.taint("tainted")],
    "a node that is removed": ["NodeGone", onNode("removed"), () => cluster.removeNode("removed")],
    "a Pod of a higher priority": [
      "Preempted",
      { annotations: STARTING, container: { resources: { requests: { cpu: "600" } } } },
      () => cluster.preempt("600"),
    ],
  };

  test.each(Object.keys(STORIES))(
    "%s before the worker began: the second attempt runs, and is the only one that does",
    async (name) => {
      const [reason, fate, befall] = STORIES[name] ?? ["", {}, async () => undefined];
      const target = name.replaceAll(" ", "-");
      await stage.orchestrate(target, fate);
      const [id] = await stage.queue(target);
      if (id === undefined) throw new Error("nothing was queued");
      const first = await podOf(id, 1);
      // What hinders the first attempt must not hinder the second one.
      const healthy = { ...fate, annotations: { "plane/run-for": "1s" }, pod: {}, container: {} };
      const records = stage.db.collection("orchestrators");
      const old = await records.findOne({ instance_id: target });
      await stage.orchestrate(target, healthy);
      await records.deleteOne({ _id: old?._id as ObjectId });
      await befall(first.metadata.name);
      const { opjob, result } = await reaches(id, "it is completed", (one) => one["run_state"] === "completed");
      expect(opjob).toMatchObject({ attempt: 2, earlier: [{ attempt: 1, reason, fault: "cluster" }] });
      expect(result.error).toBeNull();
      const key = id.toHexString();
      expect(workers.executions.get(key)).toBe(1);
      expect([...(workers.pods.get(key) ?? [])]).not.toContain(first.metadata.uid);
      expect([...doubled]).toEqual([]);
    },
    WITHIN_MS * 2,
  );
});
