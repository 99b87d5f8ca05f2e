// The local API as clients meet it: the official client for JavaScript, what kubectl asks for, tokens, and faults on the way.

import { Writable } from "node:stream";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { BatchV1Api, CoreV1Api, KubeConfig, Log, VersionApi, Watch } from "@kubernetes/client-node";
import { type LocalKubernetes, startLocalKubernetes } from "../../src/local/kubernetes/server.ts";
import { Client, type Event, type Thing } from "../kubernetes/client.ts";
import { seen } from "../kubernetes/seen.ts";

const JOBS = "/apis/batch/v1/namespaces/default/jobs";
const PODS = "/api/v1/namespaces/default/pods";
const TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

let cluster: LocalKubernetes;
let client: Client;

beforeEach(async () => {
  cluster = await startLocalKubernetes({ run: "simulated", historySize: 20 });
  client = new Client(cluster.kubeconfig());
});
afterEach(async () => {
  await client.close();
  await cluster.stop();
});

const job = (name: string, metadata = {}) => ({
  apiVersion: "batch/v1",
  kind: "Job",
  metadata: { name, ...metadata },
  spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "main", image: "x:1" }] } } },
});
const create = (name: string, metadata = {}) => client.send("POST", JOBS, { body: job(name, metadata) });

/** Watches in the background; resolves once the server has answered. */
async function watch(path: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${cluster.url}${path}${path.includes("?") ? "&" : "?"}watch=true`, { headers });
  const events: Event[] = [];
  const ended = (async () => {
    let rest = "";
    for await (const chunk of response.body ?? []) {
      const lines = (rest + Buffer.from(chunk).toString()).split("\n");
      rest = lines.pop() ?? "";
      events.push(...lines.map((line) => JSON.parse(line) as Event));
    }
  })().then(
    () => "ended",
    () => "cut",
  );
  return { events, ended };
}

test("the official client creates, lists, watches, reads logs and deletes", async () => {
  const config = new KubeConfig();
  config.loadFromString(cluster.kubeconfig({ namespace: "default", context: "here" }));
  expect(config.getCurrentContext()).toBe("here");
  const batch = config.makeApiClient(BatchV1Api);
  const core = config.makeApiClient(CoreV1Api);
  expect((await config.makeApiClient(VersionApi).getCode()).gitVersion).toMatch(/^v1\.\d+/);

  const told: string[] = [];
  const abort = await new Watch(config).watch(
    "/api/v1/namespaces/default/pods",
    {},
    (type: string, pod: Thing) => told.push(`${type} ${pod.status.phase}`),
    () => undefined,
  );
  const created = await batch.createNamespacedJob({ namespace: "default", body: job("official") });
  expect(created.metadata?.creationTimestamp).toBeInstanceOf(Date);
  await seen("the Pod running", () => told.at(-1) === "MODIFIED Running");
  expect(told[0]).toBe("ADDED Pending");

  const labelSelector = "batch.kubernetes.io/job-name=official";
  const [pod] = (await core.listNamespacedPod({ namespace: "default", labelSelector })).items;
  const name = pod?.metadata?.name ?? "";
  cluster.simulate.print({ namespace: "default", name }, "hello\n");
  expect(await core.readNamespacedPodLog({ namespace: "default", name })).toBe("hello\n");
  let streamed = "";
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      streamed += chunk.toString();
      done();
    },
  });
  await new Log(config).log("default", name, "main", sink, { follow: true });
  cluster.simulate.print({ namespace: "default", name }, "more\n");
  await seen("the whole log", () => streamed === "hello\nmore\n");

  await expect(batch.createNamespacedJob({ namespace: "default", body: job("official") })).rejects.toMatchObject({
    code: 409,
  });
  await batch.deleteNamespacedJob({ namespace: "default", name: "official", propagationPolicy: "Background" });
  await seen("the Pod gone", () => told.at(-1)?.startsWith("DELETED") === true);
  abort.abort();
});

test.each([
  ["/healthz", 200],
  ["/readyz", 200],
  ["/version", 200],
  ["/api", 200],
  ["/api/v1", 200],
  ["/apis", 200],
  ["/apis/batch", 200],
  ["/apis/batch/v1", 200],
  ["/openapi/v3", 200],
  ["/openapi/v3/apis/batch/v1", 200],
  ["/openapi/v2", 404],
  ["/apis/apps/v1", 404],
])("%s is answered %i, as kubectl expects", async (path, code) => {
  expect((await client.send("GET", path)).code).toBe(code);
});

test("a Table of Jobs and of Pods has kubectl's columns, also in a watch", async () => {
  const watching = await watch(PODS, { accept: TABLE });
  await create("shown");
  const pods = await seen("the Pod running", async () => {
    const { text } = await client.send("GET", PODS, { headers: { accept: TABLE } });
    const table = JSON.parse(text) as Table;
    return table.rows[0]?.cells[2] === "Running" ? table : undefined;
  });
  expect(namesOf(pods)).toEqual(["Name", "Ready", "Status", "Restarts", "Age"]);
  expect(pods.rows[0]?.cells.slice(1, 4)).toEqual(["1/1", "Running", "0"]);
  const { text } = await client.send("GET", JOBS, { headers: { accept: TABLE } });
  const jobs = JSON.parse(text) as Table;
  expect(namesOf(jobs)).toEqual(["Name", "Status", "Completions", "Duration", "Age"]);
  expect(jobs.rows[0]?.cells.slice(0, 3)).toEqual(["shown", "Running", "0/1"]);
  await seen("the same in the watch", () => cellsOf(watching.events.at(-1))[2] === "Running");
  expect(cellsOf(watching.events[0]).slice(1, 4)).toEqual(["0/1", "Pending", "0"]);
});

type Table = {
  readonly columnDefinitions: readonly { readonly name: string; readonly priority: number }[];
  readonly rows: readonly { readonly cells: readonly unknown[] }[];
};
const namesOf = ({ columnDefinitions }: Table) =>
  columnDefinitions.filter(({ priority }) => priority === 0).map(({ name }) => name);
const cellsOf = (event: Event | undefined): readonly unknown[] =>
  (event?.object as unknown as Table | undefined)?.rows[0]?.cells ?? [];

test("a kubeconfig names the token, and a token can come and go", async () => {
  await using guarded = await startLocalKubernetes({ run: "simulated", tokens: { "t-1": { user: "ann" } } });
  const asked = async (token?: string) => {
    const asking = new Client(guarded.kubeconfig(token === undefined ? {} : { token }));
    try {
      return await asking.send("GET", JOBS);
    } finally {
      await asking.close();
    }
  };
  expect((await asked("t-1")).code).toBe(200);
  expect((await asked("t-2")).code).toBe(401);
  const anonymous = await asked();
  expect([anonymous.code, anonymous.body.message]).toEqual([
    403,
    'jobs.batch is forbidden: User "system:anonymous" cannot list resource "jobs" in API group "batch" in the namespace "default"',
  ]);
  guarded.access.grant("t-2", { user: "bea", allow: (verb, resource) => verb === "list" && resource === "jobs" });
  expect((await asked("t-2")).code).toBe(200);
  guarded.access.revoke("t-1");
  expect((await asked("t-1")).code).toBe(401);
});

test("a PUT from an old version conflicts, one without a version does not, and nothing new writes nothing", async () => {
  const { body: first } = await create("put");
  const { body: current } = await seen("it settled", async () => {
    const reply = await client.send("GET", `${JOBS}/put`);
    return reply.body.status["ready"] === 1 ? reply : undefined;
  });
  const stale = await client.send("PUT", `${JOBS}/put`, {
    body: { ...first, metadata: { ...first.metadata, labels: { a: "b" } } },
  });
  expect([stale.code, stale.body.message]).toEqual([
    409,
    'Operation cannot be fulfilled on jobs.batch "put": the object has been modified; please apply your changes to the latest version and try again',
  ]);
  const same = await client.send("PUT", `${JOBS}/put`, { body: current });
  expect(same.body.metadata.resourceVersion).toBe(current.metadata.resourceVersion);
  const { resourceVersion: _version, ...metadata } = current.metadata;
  const labels = { ...metadata.labels, a: "b" };
  const forced = await client.send("PUT", `${JOBS}/put`, { body: { ...current, metadata: { ...metadata, labels } } });
  expect(forced.body.metadata).toMatchObject({ labels: { a: "b" }, uid: first.metadata.uid, generation: 1 });
});

test("YAML is read, protobuf is 415", async () => {
  const yaml = { body: JSON.stringify(job("yaml")), headers: { "content-type": "application/yaml" } };
  expect((await client.send("POST", JOBS, yaml)).code).toBe(201);
  const protobuf = { body: "k8s", headers: { "content-type": "application/vnd.kubernetes.protobuf" } };
  expect(await client.send("POST", JOBS, protobuf)).toMatchObject({
    code: 415,
    body: { reason: "UnsupportedMediaType" },
  });
});

test("what is selected can be deleted at once", async () => {
  await create("a1", { labels: { group: "a" } });
  await create("b1", { labels: { group: "b" } });
  const query = { labelSelector: "group=a", propagationPolicy: "Background" };
  expect((await client.send("DELETE", JOBS, { query })).code).toBe(200);
  expect((await client.send("GET", JOBS)).body.items.map(({ metadata }) => metadata.name)).toEqual(["b1"]);
});

test("the next requests that match are refused, with Retry-After, and only they", async () => {
  cluster.faults.answerNext(2, { code: 429, retryAfter: 3 }, { verb: "create", resource: "jobs" });
  expect((await client.send("GET", JOBS)).code).toBe(200);
  const refused = await create("once");
  expect(refused).toMatchObject({ code: 429, body: { reason: "TooManyRequests", details: { retryAfterSeconds: 3 } } });
  expect(refused.headers["retry-after"]).toBe("3");
  expect((await create("once")).code).toBe(429);
  expect((await create("once")).code).toBe(201);
  cluster.faults.answerNext(1, { code: 503 }, { name: "once" });
  expect((await client.send("GET", `${JOBS}/other`)).code).toBe(404);
  expect((await client.send("GET", `${JOBS}/once`)).code).toBe(503);
  expect(cluster.counts().requests).toMatchObject({ "create jobs 429": 2, "create jobs 201": 1, "get jobs 503": 1 });
});

test("a lost reply means that it was done", async () => {
  cluster.faults.loseReplies(1, { verb: "create", resource: "jobs" });
  await expect(create("lost")).rejects.toThrow(/other side closed|socket|reset/i);
  expect((await client.send("GET", `${JOBS}/lost`)).code).toBe(200);
  expect((await create("lost")).code).toBe(409);
});

test("a slow server answers late, a frozen one when it thaws", async () => {
  const undo = cluster.faults.slow(60, { resource: "jobs" });
  const begun = performance.now();
  await client.send("GET", JOBS);
  expect(performance.now() - begun).toBeGreaterThan(55);
  undo();
  const watching = await watch(JOBS);
  cluster.faults.freeze();
  let answered = false;
  const late = create("frozen").finally(() => {
    answered = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 50)); // nothing can be waited for: nothing must come
  expect(answered).toBe(false);
  cluster.faults.thaw();
  expect((await late).code).toBe(201);
  await seen("the event", () => watching.events.length > 0);
});

test("watches are cut, and go on from where they were", async () => {
  const first = await watch(JOBS);
  await create("one");
  await seen("the event", () => first.events.length > 0);
  cluster.faults.cutWatches();
  expect(await first.ended).toBe("cut");
  await seen("no watch left", () => cluster.counts().watches === 0);
  const second = await watch(`${JOBS}?resourceVersion=${first.events[0]?.object.metadata.resourceVersion}`);
  await create("two");
  await seen("the other", () => second.events.some(({ object }) => object.metadata.name === "two"));
});

test("a watch from before the kept changes is told 410, and open ones if they shall be", async () => {
  const { body } = await client.send("GET", JOBS);
  const before = `${JOBS}?resourceVersion=${body.metadata.resourceVersion}`;
  for (let i = 0; i < 15; i++) await create(`many-${i}`);
  await seen("the changes dropped", async () => {
    const { events, ended } = await watch(before);
    return (await Promise.race([ended, seen("an event", () => events.length > 0)])) && events[0]?.type === "ERROR";
  });
  const open = await watch(JOBS);
  cluster.faults.expireHistory(true);
  expect(await open.ended).toBe("ended");
  expect(open.events.at(-1)).toMatchObject({ type: "ERROR", object: { code: 410, reason: "Expired" } });
});

test("a watch-list sends what is there, then a bookmark that says so", async () => {
  await create("there");
  const query = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
  const { events } = await watch(`${JOBS}?${query}`);
  await seen("the bookmark", () => events.some(({ type }) => type === "BOOKMARK"));
  expect(events[0]).toMatchObject({ type: "ADDED", object: { metadata: { name: "there" } } });
  const bookmark = events.find(({ type }) => type === "BOOKMARK");
  expect(bookmark?.object.metadata.annotations).toEqual({ "k8s.io/initial-events-end": "true" });
});

test("a list of a version to come is 504, and of no version 400", async () => {
  const ahead = await client.send("GET", JOBS, { query: { resourceVersion: 999_999 } });
  expect(ahead).toMatchObject({ code: 504, body: { reason: "Timeout" } });
  expect(ahead.body.message).toMatch(/^Timeout: Too large resource version: 999999, current: \d+$/);
  expect((await client.send("GET", JOBS, { query: { resourceVersion: "x" } })).code).toBe(400);
});
