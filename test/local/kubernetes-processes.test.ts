// Jobs whose Pods are processes of this machine: environment, ends, signals, memory, logs, and that nothing is left over.
import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Container, Pod } from "../../src/local/kubernetes/objects.ts";
import { type LocalKubernetes, startLocalKubernetes } from "../../src/local/kubernetes/server.ts";
import { Client } from "../kubernetes/client.ts";
import { seen } from "../kubernetes/seen.ts";

const TIMING = { pullRetryMs: 40, configRetryMs: 20, restartBackoffMs: 20, jobBackoffMs: 20 };
const PODS = "/api/v1/namespaces/default/pods";
const JOBS = "/apis/batch/v1/namespaces/default/jobs";

let cluster: LocalKubernetes;
let client: Client;
let names = 0;

beforeAll(async () => {
  cluster = await startLocalKubernetes({
    timing: TIMING,
    env: { SHARED: "everywhere" },
    entrypoints: { "with-entrypoint:1": ["/bin/echo", "entry"] },
  });
  client = new Client(cluster.kubeconfig());
  process.env["HOST_SECRET"] = "must not be seen";
});
afterAll(async () => {
  delete process.env["HOST_SECRET"];
  await client.close();
  await cluster.stop();
});

const sh = (script: string, more: Partial<Container> = {}): Partial<Container> => ({
  command: ["/bin/sh", "-c", script],
  ...more,
});
type Shape = { readonly init?: readonly Partial<Container>[]; readonly pod?: object; readonly job?: object };

async function run(container: Partial<Container>, { init = [], pod, job }: Shape = {}): Promise<string> {
  const name = `job-${++names}`;
  const spec = {
    backoffLimit: 0,
    ...job,
    template: {
      spec: {
        restartPolicy: "Never",
        terminationGracePeriodSeconds: 1,
        containers: [{ name: "main", image: "any/image:1", ...container }],
        ...(init.length > 0 && { initContainers: init.map((one) => ({ image: "any/image:1", ...one })) }),
        ...pod,
      },
    },
  };
  await cluster.create(JOBS, { metadata: { name }, spec });
  return name;
}

async function podOf(job: string): Promise<Pod | undefined> {
  const { body } = await client.send("GET", PODS, { query: { labelSelector: `job-name=${job}` } });
  return body.items[0] as unknown as Pod | undefined;
}
const podThat = (job: string, what: string, is: (pod: Pod) => boolean): Promise<Pod> =>
  seen(`the Pod of ${job} ${what}`, async () => {
    const pod = await podOf(job);
    return pod && is(pod) ? pod : undefined;
  });
const ended = (job: string) => podThat(job, "ended", ({ status }) => ["Succeeded", "Failed"].includes(status.phase));
const running = (job: string) => podThat(job, "running", ({ status }) => status.phase === "Running");
const terminated = ({ status }: Pod) => status.containerStatuses?.[0]?.state.terminated;
const waiting = ({ status }: Pod) => status.containerStatuses?.[0]?.state.waiting;
const logOf = async (pod: Pod, query = {}) =>
  (await client.send("GET", `${PODS}/${pod.metadata.name}/log`, { query })).text;

/** The live processes whose environment holds a text, whoever is their parent. */
function processesWith(text: string): string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      const state = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]?.[0];
      return /^\d+$/.test(pid) && state !== "Z" && readFileSync(`/proc/${pid}/environ`, "latin1").includes(text);
    } catch {
      return false;
    }
  });
}

test("a container gets its own environment and not that of the host", async () => {
  await cluster.createSecret("default", "keys", { token: "s3cret" });
  await cluster.create("/api/v1/namespaces/default/configmaps", {
    metadata: { name: "conf" },
    data: { a: "1", b: "2" },
  });
  const script =
    'echo "$TOKEN $FROM $POD $NS $SHARED [$HOST_SECRET] $CONF_a $CONF_b $MEM"; echo "$0 $1"; pwd; echo $HOME';
  const job = await run({
    command: ["/bin/sh", "-c", script, "$(POD)"],
    args: ["$$(POD)"],
    resources: { limits: { memory: "64Mi" } },
    envFrom: [{ prefix: "CONF_", configMapRef: { name: "conf" } }],
    env: [
      { name: "TOKEN", valueFrom: { secretKeyRef: { name: "keys", key: "token" } } },
      { name: "POD", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
      { name: "NS", valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } } },
      { name: "MEM", valueFrom: { resourceFieldRef: { resource: "limits.memory" } } },
      { name: "FROM", value: "token=$(TOKEN) $(NOPE)" },
    ],
  });
  const pod = await ended(job);
  const { name } = pod.metadata;
  const [first, second, cwd, home] = (await logOf(pod)).split("\n");
  expect(first).toBe(`s3cret token=s3cret $(NOPE) ${name} default everywhere [] 1 2 67108864`);
  expect(second).toBe(`${name} $(POD)`);
  expect(cwd).toBe(home);
  expect(cwd).toContain(name);
});

test("a container without a command runs its image's entrypoint with its arguments", async () => {
  const pod = await ended(await run({ image: "with-entrypoint:1", args: ["and", "arguments"] }));
  expect(await logOf(pod)).toBe("entry and arguments\n");
});

// In a command the kubelet makes one "$" of two.
test.each([
  ["exits with 7", sh("exit 7"), { exitCode: 7, reason: "Error" }],
  ["ends well", sh("true"), { exitCode: 0, reason: "Completed" }],
  ["kills itself with SIGTERM", sh("kill -TERM $$$$"), { exitCode: 143, reason: "Error" }],
  ["kills itself with SIGKILL", sh("kill -KILL $$$$"), { exitCode: 137, reason: "Error" }],
  [
    "has a command that is not there",
    { command: ["no-such-command"] },
    {
      exitCode: 128,
      reason: "StartError",
      message: expect.stringContaining('exec: "no-such-command": executable file not found in $PATH'),
    },
  ],
  [
    "has a path that is not there",
    { command: ["/no/such/file"] },
    {
      exitCode: 128,
      reason: "StartError",
      message: expect.stringContaining("stat /no/such/file: no such file or directory"),
    },
  ],
])("a container that %s is terminated so", async (_what, container, expected) => {
  const pod = await ended(await run(container));
  expect(terminated(pod)).toMatchObject(expected);
  expect(pod.status.phase).toBe(expected.exitCode === 0 ? "Succeeded" : "Failed");
});

test("a container that grows over its memory limit is OOMKilled, also if a child does it", async () => {
  const grow = "tail /dev/zero & wait; exit 0";
  const pod = await ended(await run(sh(grow, { resources: { limits: { memory: "48Mi" } } })));
  expect(terminated(pod)).toMatchObject({ exitCode: 137, reason: "OOMKilled" });
});

test("a container waits for a Secret that is missing, says so, and starts when it is there", async () => {
  const env = [{ name: "LATE", valueFrom: { secretKeyRef: { name: "late", key: "value" } } }];
  const job = await run(sh("echo $LATE", { env }));
  const pod = await podThat(job, "waiting", (one) => waiting(one)?.reason === "CreateContainerConfigError");
  expect(waiting(pod)?.message).toBe('secret "late" not found');
  const { code, body } = await client.send("GET", `${PODS}/${pod.metadata.name}/log`);
  expect(code).toBe(400);
  expect(body.message).toBe(
    `container "main" in pod "${pod.metadata.name}" is waiting to start: CreateContainerConfigError`,
  );
  await cluster.createSecret("default", "late", { other: "x" });
  await podThat(
    job,
    "waiting for the key",
    (one) => waiting(one)?.message === "couldn't find key value in Secret default/late",
  );
  const headers = { "content-type": "application/merge-patch+json" };
  await client.send("PATCH", "/api/v1/namespaces/default/secrets/late", {
    body: { stringData: { value: "here" } },
    headers,
  });
  expect(await logOf(await ended(job))).toBe("here\n");
});

test("init containers run in order, a sidecar beside the rest, and it ends with the Pod", async () => {
  const job = await run(sh("echo main; sleep 0.1"), {
    init: [
      { name: "first", ...sh("sleep 0.05; echo first") },
      {
        name: "side",
        restartPolicy: "Always",
        ...sh("trap 'echo side ends; exit 0' TERM; echo side; while :; do sleep 0.02; done"),
      },
      { name: "second", ...sh("echo second") },
    ],
  });
  const pod = await ended(job);
  expect(pod.status.phase).toBe("Succeeded");
  const init = pod.status.initContainerStatuses ?? [];
  expect(init.map(({ name, state }) => [name, state.terminated?.exitCode])).toEqual([
    ["first", 0],
    ["side", 0],
    ["second", 0],
  ]);
  expect(await logOf(pod, { container: "side" })).toBe("side\nside ends\n");
  expect(await logOf(pod, { container: "second" })).toBe("second\n");
});

test("a failed init container fails the Pod before its containers start", async () => {
  const pod = await ended(await run(sh("echo never"), { init: [{ name: "setup", ...sh("exit 4") }] }));
  expect(pod.status.initContainerStatuses?.[0]?.state.terminated?.exitCode).toBe(4);
  expect(waiting(pod)?.reason).toBe("PodInitializing");
});

test("restartPolicy OnFailure restarts the container, and the log of the run before can be read", async () => {
  const job = await run(sh('test -f "$HOME/again" && echo second || { touch "$HOME/again"; echo first; exit 1; }'), {
    pod: { restartPolicy: "OnFailure" },
    job: { backoffLimit: 3 },
  });
  const pod = await ended(job);
  expect(pod.status.containerStatuses?.[0]).toMatchObject({
    restartCount: 1,
    lastState: { terminated: { exitCode: 1 } },
    state: { terminated: { exitCode: 0 } },
  });
  expect(await logOf(pod)).toBe("second\n");
  expect(await logOf(pod, { previous: true })).toBe("first\n");
});

test("follow gives the lines as they come, until the container ends", async () => {
  const job = await run(sh("echo one; sleep 0.1; echo two"));
  const pod = await running(job);
  expect(await logOf(pod, { follow: true })).toBe("one\ntwo\n");
});

test("a deleted Job's container is asked to end first", async () => {
  const script = "trap 'sleep 0.05; echo bye; exit 0' TERM; echo up; while :; do sleep 0.02; done";
  const job = await run(sh(script));
  const pod = await running(job);
  await seen("the trap is set", async () => (await logOf(pod)) === "up\n");
  const log = logOf(pod, { follow: true });
  await client.send("DELETE", `${JOBS}/${job}`, { query: { propagationPolicy: "Background" } });
  expect(await log).toBe("up\nbye\n");
  await seen("the Pod gone", async () => (await podOf(job)) === undefined);
});

test("a container that ignores SIGTERM is killed after its grace, with children that left its session", async () => {
  const env = [{ name: "MARKER", value: "left-the-session" }];
  const job = await run(sh("setsid sleep 600 & trap '' TERM; while :; do sleep 0.05; done", { env }));
  await running(job);
  await seen("the child", () => processesWith("MARKER=left-the-session").length >= 2);
  const begun = performance.now();
  await client.send("DELETE", `${JOBS}/${job}`, { query: { propagationPolicy: "Background" } });
  await seen("the Pod gone", async () => (await podOf(job)) === undefined);
  expect(performance.now() - begun).toBeGreaterThan(900);
  await seen("no process left", () => processesWith("MARKER=left-the-session").length === 0);
});

test("stop leaves no process, no directory and no connection", async () => {
  await using other = await startLocalKubernetes();
  const spec = {
    template: {
      spec: {
        restartPolicy: "Never",
        containers: [
          { name: "m", image: "x:1", ...sh("setsid sleep 600 & sleep 600"), env: [{ name: "MARKER", value: "stop" }] },
        ],
      },
    },
  };
  await other.create(JOBS, { metadata: { name: "stays" }, spec });
  await seen("its processes", () => processesWith("MARKER=stop").length >= 3);
  const watch = await fetch(`${other.url}${JOBS}?watch=true`);
  const end = watch.text().catch(() => "cut");
  await other.stop();
  expect(processesWith("MARKER=stop")).toEqual([]);
  expect(readdirSync("/tmp").filter((name) => name.startsWith("pod-stays-"))).toEqual([]);
  await end;
  await expect(fetch(other.url)).rejects.toThrow("fetch failed");
});
