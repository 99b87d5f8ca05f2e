// What the benchmark measures on: a mongod, an API server, the daemon and the floor, each a process of its own.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { type Db, MongoClient } from "mongodb";
import { accessFromText } from "../../src/clusters/kubeconfig.ts";
import { Cluster } from "../../src/clusters/kubernetes.ts";
import { followResource } from "../../src/clusters/watch.ts";
import { operationDocument } from "../../src/local/demo/cast.ts";
import { startMongod } from "../../src/local/mongod.ts";
import { createLog } from "../../src/log.ts";
import { compileTemplate } from "../../src/templates/render.ts";
import { stampJob } from "../../src/templates/stamp.ts";
import { Client } from "../kubernetes/client.ts";
import { startPlane } from "../kubernetes/plane/plane.ts";
import { startProxy } from "../kubernetes/proxy.ts";
import { ENCRYPTION_KEY, register, storeSecret } from "../local-daemon.ts";
import { until } from "../until.ts";

export const NAMESPACE = "fiftyone";
/** The floor's Jobs are where no daemon looks: it would have to list them, and is shown each of them else. */
const FLOOR_NAMESPACE = "floor";
export const TARGET = "kubernetes-cpu";
export const FLOOR = "floor";
/** Operations that only the floor touches, when it is told to. */
export const DURABLE = "floor-durable";
/** An orchestrator on the same API server, but through a proxy that counts connections. */
export const COUNTED = "kubernetes-counted";
const DATABASE = "fiftyone";
/** The bundle is measured as the image starts it. */
const IMAGE = readFileSync("Dockerfile", "utf8");
const ENTRYPOINT = JSON.parse(/^ENTRYPOINT (.*)$/m.exec(IMAGE)?.[1] ?? "[]") as string[];
const IMAGE_ENVIRONMENT = Object.fromEntries(
  [...IMAGE.matchAll(/^ENV (\w+)=(\S+)$/gm)].map(([, name, value]) => [name, value]),
);
const PROFILES = process.argv.find((argument) => argument.startsWith("--profile="))?.slice("--profile=".length);
const IMAGE_FLAGS = [
  ...ENTRYPOINT.slice(1, -1),
  ...(PROFILES === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${PROFILES}`]),
];
const TEMPLATE = readFileSync("test/templates/seed/cpu.yaml.j2", "utf8");

export type World = {
  readonly db: Db;
  /** Milliseconds (performance.now) at which the Job of an operation was first seen. */
  readonly seen: ReadonlyMap<string, number>;
  /** Makes the orchestrator known that goes through the proxy. */
  readonly registerCounted: () => Promise<void>;
  /** Stops a real API server's controllers, which work off what was made before on the same two cores, or lets them go on. */
  readonly signalControllers: (signal: "SIGSTOP" | "SIGCONT") => void;
  /** Opened to the API server through the proxy so far. */
  readonly connections: () => number;
  readonly start: (command: "daemon" | "floor") => Promise<Process>;
};

export type Process = {
  readonly child: ChildProcess;
  readonly line: (text: string) => Promise<void>;
  /** Tells the floor to drain, and waits until it has. */
  readonly ask: (text: string) => Promise<void>;
  stop(): Promise<void>;
};

/** @param where the API server: the local one, a real one that is started for it, or the one of a kubeconfig file */
export async function buildWorld(closers: AsyncDisposableStack, where: "local" | "real" | URL): Promise<World> {
  const mongod = closers.use(await startMongod({ replicaSet: true, say: console.error }));
  const client = await MongoClient.connect(mongod.uri);
  closers.defer(() => client.close());
  const db = client.db(DATABASE);
  const { kubeconfig, controllers } = await apiServer(closers, where);
  const access = accessFromText(kubeconfig, "the benchmark", { context: undefined, allowExec: true });
  const cluster = new Cluster(access, { timeoutMs: 30_000, onCall: () => undefined });
  closers.defer(() => cluster.close());
  await storeSecret(db, "KUBE", kubeconfig);
  await register(db, { id: TARGET, template: TEMPLATE, secret: "KUBE" });
  const proxy = closers.use(await startProxy(access.server));
  // Not from the beginning: a second way to the same namespace is watched as well, and would show each Job twice.
  const registerCounted = async () => {
    await storeSecret(db, "KUBE_COUNTED", kubeconfig.replaceAll(access.server, proxy.url));
    await register(db, { id: COUNTED, template: TEMPLATE, secret: "KUBE_COUNTED" });
  };
  await db.collection("delegated_ops").createIndex({ run_state: 1 }); // FiftyOne makes it
  const seen = watchJobs(closers, cluster);
  const token = access.config.getCurrentUser()?.token ?? "";
  const environments = {
    daemon: daemonEnvironment(mongod.uri),
    floor: floorEnvironment(mongod.uri, access.server, token),
  };
  const signalControllers = (signal: "SIGSTOP" | "SIGCONT") => {
    if (controllers !== undefined) process.kill(controllers, signal);
  };
  closers.defer(() => signalControllers("SIGCONT"));
  const start = async (command: "daemon" | "floor") => {
    const args = command === "daemon" ? [...IMAGE_FLAGS, "dist/main.js", "daemon"] : ["test/bench/floor.ts"];
    const started = run(args, { PATH: process.env["PATH"] ?? "", ...environments[command] });
    closers.defer(() => started.stop());
    await started.line(command === "daemon" ? "first scan done" : "ready");
    return started;
  };
  const { connections } = proxy;
  return { db, seen, registerCounted, signalControllers, connections, start };
}

/** Queues operations; returns their ids in order. */
export async function queue(db: Db, count: number, target: string): Promise<string[]> {
  const params = { fate: "succeed", seconds: 1 } as const;
  const documents = Array.from({ length: count }, (_, i) =>
    operationDocument({ label: `Operation ${i}`, target, params, ends: "completed" }, new Date()),
  );
  await db.collection("delegated_ops").insertMany(documents, { ordered: false });
  return documents.map(({ _id }) => _id.toHexString());
}

const daemonEnvironment = (uri: string) => ({
  ...IMAGE_ENVIRONMENT,
  FIFTYONE_DATABASE_URI: uri,
  FIFTYONE_DATABASE_NAME: DATABASE,
  FIFTYONE_ENCRYPTION_KEY: ENCRYPTION_KEY,
  OPJOB_HTTP_HOST: "127.0.0.1",
  OPJOB_HTTP_PORT: "0",
  // What is measured is what opjob can do, not what it spares a cluster by default.
  OPJOB_KUBERNETES_RATE: "0",
});

/** The floor POSTs the very Job that opjob makes, with the id put in as text. */
function floorEnvironment(uri: string, server: string, token: string) {
  const [id, args] = ["the-operation", ["-c", "import fiftyone", "the-operation"]];
  const values = { _id: id, _name: `op-${id}`, _image: "", _command: "python", _args: args };
  const manifest = compileTemplate(TEMPLATE, "the benchmark").manifest(values);
  const stamp = {
    operation: id,
    operator: "@demo/team/operation",
    orchestrator: TARGET,
    attempt: 1,
    queuedAt: new Date(),
    database: "bench",
    namespace: FLOOR_NAMESPACE,
  };
  const job = stampJob(manifest, stamp).manifest as Record<string, unknown>;
  return {
    BENCH_URI: uri,
    BENCH_DB: DATABASE,
    BENCH_API: server,
    BENCH_TOKEN: token,
    // Or it would launch opjob's operations as well, on the same two cores, while opjob is measured.
    BENCH_TARGET: FLOOR,
    BENCH_PATH: `/apis/batch/v1/namespaces/${FLOOR_NAMESPACE}/jobs`,
    BENCH_JOB: JSON.stringify({ ...job, metadata: { ...(job["metadata"] as object), namespace: FLOOR_NAMESPACE } }),
  };
}

type ApiServer = { readonly kubeconfig: string; readonly controllers?: number | undefined };

async function apiServer(closers: AsyncDisposableStack, where: "local" | "real" | URL): Promise<ApiServer> {
  if (where === "local") return { kubeconfig: await localApiServer(closers) };
  return where === "real" ? realApiServer(closers) : { kubeconfig: readFileSync(where, "utf8") };
}

/** No node and no scheduler: Pods are made, and stay Pending. */
async function realApiServer(closers: AsyncDisposableStack): Promise<ApiServer> {
  const plane = closers.use(await startPlane({ level: "none" }));
  const admin = closers.adopt(new Client(plane.kubeconfig()), (client) => client.close());
  for (const name of [NAMESPACE, FLOOR_NAMESPACE]) {
    await admin.send("POST", "/api/v1/namespaces", { body: { metadata: { name } } });
    const account = `/api/v1/namespaces/${name}/serviceaccounts/default`;
    await until(async () => (await admin.send("GET", account)).code === 200, 30_000);
  }
  return { kubeconfig: plane.kubeconfig(), controllers: plane.pid("kube-controller-manager") };
}

async function localApiServer(closers: AsyncDisposableStack): Promise<string> {
  const server = run(["test/bench/api-server.ts"], { PATH: process.env["PATH"] ?? "" });
  closers.defer(() => server.stop());
  const [line] = (await once(createInterface({ input: server.child.stdout ?? process.stdin }), "line")) as [string];
  return JSON.parse(line) as string;
}

/** Every Job of opjob's or the floor's, with the time at which this process first heard of it. */
function watchJobs(closers: AsyncDisposableStack, cluster: Cluster): Map<string, number> {
  const seen = new Map<string, number>();
  const note = (id: string) => {
    if (!seen.has(id)) seen.set(id, performance.now());
  };
  const stop = new AbortController();
  const log = createLog({ level: "fatal", secrets: [] });
  const follow = (namespace: string) =>
    followResource({
      cluster,
      resource: "jobs",
      namespace,
      view: (raw) => (raw["metadata"] as { labels?: Record<string, string> }).labels?.["opjob/operation"] ?? "",
      onList: (ids) => ids.forEach(note),
      onChange: note,
      onDelete: () => undefined,
      onState: () => undefined,
      signal: stop.signal,
      log,
    });
  const following = [NAMESPACE, FLOOR_NAMESPACE].map(follow);
  closers.defer(async () => {
    stop.abort();
    await Promise.all(following);
  });
  return seen;
}

function run(args: string[], env: Record<string, string>): Process {
  const child = spawn(process.execPath, args, { env, stdio: ["pipe", "pipe", "inherit"] });
  const waiting = new Set<{ text: string; resolve: () => void }>();
  child.stdout.on("data", (chunk: Buffer) => {
    for (const one of waiting) {
      if (!chunk.toString().includes(one.text)) continue;
      waiting.delete(one);
      one.resolve();
    }
  });
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGCONT");
    child.kill("SIGTERM");
    await once(child, "exit");
  };
  const line = (text: string) => new Promise<void>((resolve) => void waiting.add({ text, resolve }));
  const ask = (text: string) => {
    const answered = line("drained");
    child.stdin.write(`${text}\n`);
    return answered;
  };
  return { child, line, ask, stop };
}
