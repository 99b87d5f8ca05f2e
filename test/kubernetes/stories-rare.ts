// What befalls a Job less often, or only where others than Kubernetes' own controllers have a say: stories that need more than a
// template. Knows the words that opjob finds for them; nothing of how a test runs them.
import { expect } from "@jest/globals";
import type { Document, ObjectId } from "mongodb";
import type { Client, Thing } from "./client.ts";
import { UNHAPPY } from "./plights.ts";
import { ELSEWHERE, RARE } from "./plights-rare.ts";
import type { Cluster } from "./real-cluster.ts";
import { seen } from "./seen.ts";
import { type Fate, NAMESPACE, type Stage } from "./stage.ts";

export type Teller = {
  readonly stage: Stage;
  readonly cluster: Cluster;
  /** Queues an operation that meets this fate. */
  readonly one: (name: string, fate: Fate) => Promise<ObjectId>;
  /** As `one`, and waits until its worker runs. */
  readonly running: (name: string, fate: Fate) => Promise<ObjectId>;
  readonly podOf: (id: ObjectId) => Promise<Thing>;
  readonly failed: (id: ObjectId) => Promise<Document>;
  readonly waits: (id: ObjectId, reason: string) => Promise<Document>;
};

const ROOTS = { jobs: "/apis/batch/v1", pods: "/api/v1" };
const STARTING = { annotations: { "plane/waiting": "ContainerCreating" } };

async function patch(admin: Client, kind: keyof typeof ROOTS, name: string, body: object): Promise<void> {
  const path = `${ROOTS[kind]}/namespaces/${NAMESPACE}/${kind}/${name}`;
  const headers = { "content-type": "application/strategic-merge-patch+json" };
  const { code, text } = await admin.send("PATCH", path, { body, headers });
  if (code !== 200) throw new Error(text);
}

const at = (): string => new Date().toISOString().replace(/\.\d+/, "");
const held = (type: string, reason: string, message: string): object => ({
  ...{ type, status: "True", reason, message },
  lastTransitionTime: at(),
});

async function ends(teller: Teller, name: string, said: readonly [string, string], reason: string): Promise<void> {
  const { stage, one, failed } = teller;
  const id = await one(name, ELSEWHERE);
  const { metadata } = await seen("its Job", () => stage.jobOf(id));
  const conditions = ["FailureTarget", "Failed"].map((type) => held(type, ...said));
  await patch(stage.admin, "jobs", `${metadata.name}/status`, { status: { startTime: at(), conditions } });
  const { result, opjob } = await failed(id);
  expect(opjob).toMatchObject({ reason });
  expect(result.error).toContain(`Kubernetes reports: ${said[1]}; its Pod is gone.`);
}

/** The node says something about a Pod that it prepares. */
async function hears(teller: Teller, name: string, said: readonly [string, string], reason: string): Promise<void> {
  const id = await teller.one(name, STARTING);
  await teller.cluster.say((await teller.podOf(id)).metadata, ...said);
  const { opjob, result } = await teller.failed(id);
  expect(opjob).toMatchObject({ reason, fault: "cluster" });
  expect(result.error).toContain("it is not your fault");
}

/** Those to whom it makes a difference which nodes there are. */
const FOR_NODES = [...UNHAPPY, ...RARE]
  .filter(([, { reason }]) => reason === "Unschedulable" || reason === "DeadlineExceeded")
  .map(([what]) => what);

export const RARE_STORIES: Readonly<Record<string, (teller: Teller) => Promise<void>>> = {
  "a Job that is suspended, which is no failure: it runs when somebody lets it": async ({ stage, one, waits }) => {
    const id = await one("suspended", { job: { suspend: true }, annotations: { "plane/hang": "" } });
    expect((await waits(id, "Suspended"))["opjob"]).toMatchObject({ message: expect.stringMatching(/is suspended/) });
    await patch(stage.admin, "jobs", (await stage.jobOf(id))?.metadata.name ?? "", { spec: { suspend: false } });
    await seen("it runs", async () => (await stage.podsOf(id)).some(({ status }) => status.phase === "Running"));
  },

  "a node that is cordoned, and may be the one that fits": async ({ stage, cluster, one, failed }) => {
    const others = { delegation_target: { $in: FOR_NODES }, run_state: "failed" };
    const count = async () => stage.db.collection("delegated_ops").countDocuments(others);
    await seen("the others have ended", async () => (await count()) === FOR_NODES.length, 90_000);
    await cluster.cordon("cordoned");
    const { opjob, result } = await failed(await one("cordoned", { pod: { nodeSelector: { plane: "cordoned" } } }));
    expect(opjob).toMatchObject({ reason: "Unschedulable", fault: "cluster" });
    expect(result.error).toMatch(/were unschedulable.*\nWhat to do: Look at the nodes' health/);
  },

  "a Job that is deleted and held by a finalizer: the operation fails when it is gone": async (teller) => {
    const { stage, cluster, running, waits, failed } = teller;
    const id = await running("held", { metadata: { finalizers: ["plane.test/hold"] } });
    const name = (await stage.jobOf(id))?.metadata.name ?? "";
    await cluster.remove("jobs", name);
    expect(await waits(id, "JobDeleting")).toMatchObject({ run_state: "queued" });
    await patch(stage.admin, "jobs", name, {
      metadata: { "$deleteFromPrimitiveList/finalizers": ["plane.test/hold"] },
    });
    expect((await failed(id))["opjob"]).toMatchObject({ reason: "JobDeleted" });
  },

  "a Pod that is taken for a reason that nobody knows": async ({ stage, cluster, running, podOf, failed }) => {
    const id = await running("disrupted", { annotations: { "plane/linger": "2s" } });
    const { metadata } = await podOf(id);
    const conditions = [held("DisruptionTarget", "Whatever", "somebody wants its place")];
    await patch(stage.admin, "pods", `${metadata.name}/status`, { status: { conditions } });
    await cluster.remove("pods", metadata.name);
    const { opjob, result } = await failed(id);
    expect(opjob).toMatchObject({ reason: "Disrupted", fault: "cluster" });
    expect(result.error).toMatch(/somebody wants its place/);
  },

  "a Job of another cluster's, of whose Pod nothing is known": (teller) =>
    ends(teller, "elsewhere", ["BackoffLimitExceeded", "Job has reached the limit"], "PodGone"),

  "a policy that ends a Job of whose Pod nothing is known": (teller) =>
    ends(teller, "policed", ["PodFailurePolicy", "its rule 0 matched"], "PodFailurePolicy"),

  "a volume that does not come in time": (teller) =>
    hears(teller, "slow-volume", ["FailedMount", 'MountVolume.SetUp failed for volume "d" : timed out'], "MountFailed"),

  "an image that takes too long": (teller) =>
    hears(teller, "large", ["Pulling", 'Pulling image "test/worker:1"'], "PullingImage"),

  "a Pod that does not start, and nobody says why": async ({ one, failed }) => {
    const { opjob } = await failed(await one("silent", STARTING));
    expect(opjob).toMatchObject({ reason: "NotStarted", fault: "cluster" });
  },
};
