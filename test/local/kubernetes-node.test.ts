// The one node with simulated Pods: room, taints, images, restarts, evictions, kills, and what Jobs make of it.
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import type { Job, Pod, PodSpec } from "../../src/local/kubernetes/objects.ts";
import { type LocalKubernetes, startLocalKubernetes } from "../../src/local/kubernetes/server.ts";
import { Client, type Thing } from "../kubernetes/client.ts";
import { seen } from "../kubernetes/seen.ts";

const TIMING = { pullRetryMs: 40, configRetryMs: 20, restartBackoffMs: 30, jobBackoffMs: 20 };
const PODS = "/api/v1/namespaces/default/pods";
const JOBS = "/apis/batch/v1/namespaces/default/jobs";

let cluster: LocalKubernetes;
let client: Client;

beforeEach(async () => {
  cluster = await startLocalKubernetes({
    run: "simulated",
    timing: TIMING,
    capacity: { cpu: "4", memory: "8Gi", pods: 4, "nvidia.com/gpu": 1 },
    node: { name: "node-1", labels: { disk: "ssd" }, taints: [{ key: "gpu", value: "yes", effect: "NoSchedule" }] },
  });
  client = new Client(cluster.kubeconfig());
});
afterEach(async () => {
  await client.close();
  await cluster.stop();
});

const TOLERATIONS = [{ key: "gpu", operator: "Exists" }];

async function create(name: string, pod: Partial<PodSpec> = {}, job: object = {}, annotations = {}): Promise<void> {
  const spec = {
    tolerations: TOLERATIONS,
    restartPolicy: "Never",
    containers: [{ name: "main", image: "an/image:1" }],
    ...pod,
  };
  const body = { metadata: { name }, spec: { backoffLimit: 0, ...job, template: { metadata: { annotations }, spec } } };
  await cluster.create(JOBS, body);
}
async function podsOf(job: string): Promise<readonly Pod[]> {
  const { body } = await client.send("GET", PODS, { query: { labelSelector: `job-name=${job}` } });
  return body.items as unknown as readonly Pod[];
}
const podThat = (job: string, what: string, is: (pod: Pod) => boolean): Promise<Pod> =>
  seen(`the Pod of ${job} ${what}`, async () => (await podsOf(job)).find(is));
const inPhase = (job: string, phase: string) => podThat(job, phase, ({ status }) => status.phase === phase);
const nameOf = ({ metadata: { namespace = "", name } }: Pod) => ({ namespace, name });
const whyPending = ({ status }: Pod) => status.conditions?.find(({ type }) => type === "PodScheduled")?.message;
const waiting = ({ status }: Pod) => status.containerStatuses?.[0]?.state.waiting;
const jobThat = (name: string, type: string): Promise<Job> =>
  seen(`Job ${name} ${type}`, async () => {
    const { body } = await client.send("GET", `${JOBS}/${name}`);
    return body.status.conditions?.some((one) => one.type === type) ? (body as unknown as Job) : undefined;
  });
const eventsOf = async (name: string): Promise<readonly string[]> => {
  const query = { fieldSelector: `involvedObject.name=${name}` };
  const { body } = await client.send("GET", "/api/v1/namespaces/default/events", { query });
  return body.items.map(({ type, reason, message }: Thing & { type?: string }) => `${type} ${reason} ${message}`);
};

const gpu = { containers: [{ name: "main", image: "an/image:1", resources: { limits: { "nvidia.com/gpu": "1" } } }] };

test("a Pod without room waits, says why, and is placed when another one ends", async () => {
  await create("first", gpu);
  const first = await inPhase("first", "Running");
  await create("second", gpu);
  const second = await podThat("second", "refused", (pod) => whyPending(pod) !== undefined);
  expect(whyPending(second)).toBe(
    "0/1 nodes are available: 1 Insufficient nvidia.com/gpu. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.",
  );
  expect(await eventsOf(second.metadata.name)).toContain(`Warning FailedScheduling ${whyPending(second)}`);
  cluster.simulate.finish(nameOf(first), 0);
  await inPhase("second", "Running");
});

test("many Pods wait for one place each, and all get it in turn", async () => {
  for (let i = 0; i < 10; i++) await create(`one-of-${i}`, {}, {}, { "local/run-for-ms": "5" });
  for (let i = 0; i < 10; i++) await jobThat(`one-of-${i}`, "Complete");
});

test.each([
  [
    "a selector that the node does not match",
    { nodeSelector: { disk: "hdd" } },
    "1 node(s) didn't match Pod's node affinity/selector.",
  ],
  ["a taint that it does not tolerate", { tolerations: [] }, "1 node(s) had untolerated taint(s)."],
])("a Pod with %s waits until the node changes", async (_what, pod, why) => {
  await create("picky", pod);
  const refused = await podThat("picky", "refused", (one) => whyPending(one) !== undefined);
  expect(whyPending(refused)).toContain(`0/1 nodes are available: ${why}`);
  cluster.faults.setNode({ acceptAll: true });
  await inPhase("picky", "Running");
});

test("when room runs out and comes back, Pods wait and are placed", async () => {
  cluster.faults.setCapacity({ pods: "0" });
  await create("crowd");
  const pod = await podThat("crowd", "refused", (one) => whyPending(one) !== undefined);
  expect(whyPending(pod)).toContain("1 Too many pods.");
  cluster.faults.setCapacity({ pods: "1" });
  await inPhase("crowd", "Running");
});

test("an image that cannot be pulled alternates between ErrImagePull and ImagePullBackOff until it can", async () => {
  const undo = cluster.faults.refuseImage(/^an\//);
  await create("pulls");
  const failed = await podThat("pulls", "ErrImagePull", (pod) => waiting(pod)?.reason === "ErrImagePull");
  expect(waiting(failed)?.message).toContain('failed to resolve reference "an/image:1": an/image:1: not found');
  const backOff = await podThat("pulls", "ImagePullBackOff", (pod) => waiting(pod)?.reason === "ImagePullBackOff");
  expect(waiting(backOff)?.message).toMatch(/^Back-off pulling image "an\/image:1"/);
  const { code, body } = await client.send("GET", `${PODS}/${failed.metadata.name}/log`);
  expect([code, body.message]).toEqual([
    400,
    expect.stringMatching(/is waiting to start: (trying and failing to pull image|image can't be pulled)$/),
  ]);
  undo();
  await inPhase("pulls", "Running");
});

test("an image's name that is none is InvalidImageName", async () => {
  await create("misnamed", { containers: [{ name: "main", image: "no such:::name" }] });
  const pod = await podThat("misnamed", "waiting", (one) => waiting(one)?.reason === "InvalidImageName");
  expect(waiting(pod)?.message).toContain('couldn\'t parse image name "no such:::name": invalid reference format');
});

test("an evicted Pod is Failed with the reason, stays, and fails its Job", async () => {
  await create("evicted");
  const pod = await inPhase("evicted", "Running");
  cluster.faults.evict(nameOf(pod), "The node was low on resource: memory.");
  const gone = await inPhase("evicted", "Failed");
  expect(gone.status).toMatchObject({ reason: "Evicted", message: "The node was low on resource: memory." });
  await jobThat("evicted", "Failed");
});

test.each([
  ["from outside", {}, { exitCode: 137, reason: "Error" }],
  ["for its memory", { reason: "OOMKilled" }, { exitCode: 137, reason: "OOMKilled" }],
  ["with a signal of ours", { signal: "SIGINT" as const }, { exitCode: 130, reason: "Error" }],
])("a container that is killed %s ends so", async (_what, how, expected) => {
  await create("killed");
  const pod = await inPhase("killed", "Running");
  cluster.faults.killContainer(nameOf(pod), how);
  const failed = await inPhase("killed", "Failed");
  expect(failed.status.containerStatuses?.[0]?.state.terminated).toMatchObject(expected);
});

test("a Pod that is deleted counts as failed, and the Job tries again with a new one", async () => {
  await create("again", {}, { backoffLimit: 1 });
  const first = await inPhase("again", "Running");
  cluster.faults.deletePod(nameOf(first));
  const second = await podThat(
    "again",
    "another",
    (pod) => pod.status.phase === "Running" && pod.metadata.uid !== first.metadata.uid,
  );
  cluster.simulate.finish(nameOf(second), 0);
  expect((await jobThat("again", "Complete")).status).toMatchObject({ succeeded: 1, failed: 1 });
});

test("when the node goes its Pods go with it, and new ones wait for it", async () => {
  await create("lost", {}, { backoffLimit: 1 });
  const first = await inPhase("lost", "Running");
  cluster.faults.deleteNode();
  const second = await podThat("lost", "waiting", (pod) => whyPending(pod) === "no nodes available to schedule pods");
  expect(second.metadata.uid).not.toBe(first.metadata.uid);
  cluster.faults.addNode();
  await inPhase("lost", "Running");
});

test("annotations say how a simulated Pod ends", async () => {
  await create("planned", {}, {}, { "local/run-for-ms": "10", "local/exit-code": "3", "local/reason": "OOMKilled" });
  const pod = await inPhase("planned", "Failed");
  expect(pod.status.containerStatuses?.[0]?.state.terminated).toMatchObject({ exitCode: 3, reason: "OOMKilled" });
  const { reason, message } = (await jobThat("planned", "Failed")).status.conditions?.at(-1) ?? {};
  expect([reason, message]).toEqual(["BackoffLimitExceeded", "Job has reached the specified backoff limit"]);
});

test("a simulated Pod ends as it is told, also before it runs, and writes what it is told", async () => {
  await create("told");
  const pod = await inPhase("told", "Running");
  cluster.simulate.print(nameOf(pod), "a line\n");
  expect((await client.send("GET", `${PODS}/${pod.metadata.name}/log`)).text).toBe("a line\n");
  cluster.simulate.finish(nameOf(pod), 0);
  await jobThat("told", "Complete");
  const body = {
    metadata: { name: "bare" },
    spec: { tolerations: TOLERATIONS, restartPolicy: "Never", containers: [{ name: "m", image: "x:1" }] },
  };
  cluster.simulate.finish({ namespace: "default", name: "bare" }, 5);
  await cluster.create(PODS, body);
  const bare = await seen("its end", async () => {
    const { body: found } = await client.send("GET", `${PODS}/bare`);
    return found.status.phase === "Failed" ? found : undefined;
  });
  expect(bare.status.containerStatuses?.[0]?.state["terminated"]).toMatchObject({ exitCode: 5 });
});

test("a container that always fails backs off between its restarts until the Job's limit", async () => {
  const crashes = { "local/exit-code": "1" };
  await create("crashes", { restartPolicy: "OnFailure" }, { backoffLimit: 3 }, crashes);
  await podThat("crashes", "backing off", (pod) => waiting(pod)?.reason === "CrashLoopBackOff");
  expect((await jobThat("crashes", "Failed")).status.conditions?.at(-1)?.reason).toBe("BackoffLimitExceeded");
  await seen("the Pod gone", async () => (await podsOf("crashes")).length === 0);
});

test("a Pod over its own deadline is Failed with DeadlineExceeded and stays", async () => {
  await create("late", { activeDeadlineSeconds: 1 });
  expect((await inPhase("late", "Failed")).status.reason).toBe("DeadlineExceeded");
});

test("a Job that is suspended while it runs loses its Pod without a failure, and goes on later", async () => {
  await create("paused");
  await inPhase("paused", "Running");
  const headers = { "content-type": "application/merge-patch+json" };
  const suspend = (value: boolean) =>
    client.send("PATCH", `${JOBS}/paused`, { body: { spec: { suspend: value } }, headers });
  await suspend(true);
  await seen("no Pod", async () => (await podsOf("paused")).length === 0);
  await suspend(false);
  const pod = await inPhase("paused", "Running");
  cluster.simulate.finish(nameOf(pod), 0);
  const { status } = await jobThat("paused", "Complete");
  expect(status.succeeded).toBe(1);
  expect(status).not.toHaveProperty("failed");
});

test("a Job of three completions, two at a time, runs three Pods", async () => {
  await create("three", {}, { completions: 3, parallelism: 2 }, { "local/run-for-ms": "20" });
  await seen("two at a time", async () => (await podsOf("three")).length === 2);
  expect((await jobThat("three", "Complete")).status.succeeded).toBe(3);
  expect(await podsOf("three")).toHaveLength(3);
});

test("a namespace that is deleted takes all with it, and takes nothing new meanwhile", async () => {
  await cluster.createNamespace("short");
  const spec = {
    template: { spec: { tolerations: TOLERATIONS, restartPolicy: "Never", containers: [{ name: "m", image: "x:1" }] } },
  };
  const annotated = { ...spec.template, metadata: { annotations: { "local/ignore-sigterm": "" } } };
  const long = {
    ...spec,
    template: { ...annotated, spec: { ...spec.template.spec, terminationGracePeriodSeconds: 1 } },
  };
  await cluster.create("/apis/batch/v1/namespaces/short/jobs", { metadata: { name: "inside" }, spec: long });
  const there = async (path: string) => (await client.send("GET", path)).code === 200;
  await seen("the Pod running", async () => {
    const { body } = await client.send("GET", "/api/v1/namespaces/short/pods");
    return body.items[0]?.status.phase === "Running";
  });
  await client.send("DELETE", "/api/v1/namespaces/short");
  const { code, body } = await client.send("POST", "/apis/batch/v1/namespaces/short/jobs", {
    body: { metadata: { name: "more" }, spec },
  });
  expect([code, body.message]).toEqual([
    403,
    'jobs.batch "more" is forbidden: unable to create new content in namespace short because it is being terminated',
  ]);
  await seen("the namespace gone", async () => !(await there("/api/v1/namespaces/short")));
});
