// The whole local cluster, put together: store, API server, controllers, one node. Started and stopped as one.
// For demos and tests: no persistence, no isolation, one node; what it answers is meant to be what a real cluster answers.
import { stringify } from "yaml";
import { Access, type Grant } from "./access.ts";
import { Api, type Counts } from "./api.ts";
import { routeOf } from "./call.ts";
import { Clock } from "./clock.ts";
import { type ClusterFaults, clusterFaults } from "./cluster-faults.ts";
import { type Core, EventLog } from "./core.ts";
import { withDefaults } from "./defaults.ts";
import { RequestFaults } from "./faults.ts";
import { collectGarbage } from "./garbage.ts";
import { ApiServer } from "./http-server.ts";
import { Images } from "./images.ts";
import { JobController } from "./job-controller.ts";
import { Kubelet } from "./kubelet.ts";
import { Logs } from "./logs.ts";
import type { NodeOptions } from "./node.ts";
import { NodeFaults } from "./node-faults.ts";
import { birth, type KubeObject } from "./objects.ts";
import { Owned } from "./owned.ts";
import type { KubeletTiming } from "./pod-worker.ts";
import { ProcessRuntime } from "./process-runtime.ts";
import { NAMESPACES } from "./resources.ts";
import { Scheduler } from "./scheduler.ts";
import { SimulatedRuntime } from "./simulated-runtime.ts";
import { Store } from "./store.ts";
import { Watches } from "./watching.ts";
import { create } from "./writing.ts";

export type Timing = KubeletTiming & {
  /** The Job controller's wait after a first failed Pod, in ms; doubled each time. */
  readonly jobBackoffMs: number;
};

export type LocalKubernetesOptions = {
  /** 0, the default, takes any free port of 127.0.0.1. */
  readonly port?: number;
  /** Whether containers are local processes (the default) or only simulated. */
  readonly run?: "process" | "simulated";
  /** Beside default, kube-system and kube-public. */
  readonly namespaces?: readonly string[];
  /** Who may ask; without it everybody is the administrator. */
  readonly tokens?: Readonly<Record<string, Grant>>;
  /** What the node offers: cpu, memory, pods, and extended resources such as `nvidia.com/gpu`. Plenty where it is silent. */
  readonly capacity?: Readonly<Record<string, string | number>>;
  /** The node's name, labels and taints. */
  readonly node?: Omit<NodeOptions, "capacity">;
  /** The images that can be pulled, by their whole names; any image if not given. */
  readonly images?: readonly string[];
  /** Variables that every container gets. */
  readonly env?: Readonly<Record<string, string>>;
  /** The PATH of containers; by default this process's. */
  readonly path?: string;
  /** What an image runs when its container names no command. */
  readonly entrypoints?: Readonly<Record<string, readonly string[]>>;
  readonly timing?: Partial<Timing>;
  /** How many changes of each resource are kept for watches that begin in the past. */
  readonly historySize?: number;
  readonly bookmarkMs?: number;
  /** How long a watch lives that names no timeoutSeconds. */
  readonly watchMs?: number;
  /** Bytes of output that are kept of each run of a container. */
  readonly logBytes?: number;
};

export type KubeconfigOptions = { readonly token?: string; readonly namespace?: string; readonly context?: string };

export type LocalKubernetes = AsyncDisposable & {
  readonly url: string;
  /** A kubeconfig as YAML text. */
  readonly kubeconfig: (options?: KubeconfigOptions) => string;
  readonly faults: ClusterFaults;
  /** What simulated containers do; without effect where containers are processes. */
  readonly simulate: Pick<SimulatedRuntime, "finish" | "print">;
  readonly access: Access;
  /** Creates an object as the administrator. @throws Error if the cluster refuses it */
  readonly create: (path: string, object: object) => Promise<void>;
  readonly createNamespace: (name: string) => Promise<void>;
  /** @param data plain texts */
  readonly createSecret: (namespace: string, name: string, data: Readonly<Record<string, string>>) => Promise<void>;
  readonly counts: () => { readonly requests: Counts; readonly connections: number; readonly watches: number };
  /** Leaves no process, timer or socket. */
  readonly stop: () => Promise<void>;
};

const TIMING: Timing = {
  startMs: 0,
  pullRetryMs: 10_000,
  configRetryMs: 1_000,
  restartBackoffMs: 10_000,
  jobBackoffMs: 10_000,
};
const HISTORY = 10_000;
const MINUTE = 60_000;
const MIB = 2 ** 20;

/** Starts a cluster. @throws Error if the port is taken */
export async function startLocalKubernetes(options: LocalKubernetesOptions = {}): Promise<LocalKubernetes> {
  const clock = new Clock();
  const store = new Store(options.historySize ?? HISTORY);
  const core: Core = { store, clock, owned: new Owned(store), events: new EventLog(store, clock) };
  const access = new Access(options.tokens);
  const requests = new RequestFaults(clock);
  const watches = new Watches(core, {
    longestMs: options.watchMs ?? 30 * MINUTE,
    bookmarkMs: options.bookmarkMs ?? MINUTE,
  });
  const logs = new Logs(options.logBytes ?? MIB);
  const { node, kubelet, simulated } = startNode(core, options, logs);
  furnish(core, options.namespaces ?? []);
  node.addNode();
  const api = new Api({ core, access, faults: requests, watches, logs });
  const server = new ApiServer(
    (arrival) => api.handle(arrival),
    (call) => requests.whenThawed(call),
  );
  const url = await server.listen(options.port ?? 0);
  const faults = clusterFaults({ requests, node, watches, store });
  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= stopAll({ kubelet, clock, watches, requests, server });
    return stopping;
  };
  return {
    url,
    kubeconfig: (wanted) => kubeconfig(url, wanted),
    faults,
    simulate: simulated,
    access,
    ...furnishing(core),
    counts: () => ({ requests: api.counts(), connections: server.connections, watches: watches.size }),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function startNode(core: Core, options: LocalKubernetesOptions, logs: Logs) {
  const timing: Timing = { ...TIMING, ...options.timing };
  const images = new Images(options.images);
  const simulated = new SimulatedRuntime(core.clock);
  const { env = {}, entrypoints = {}, path = process.env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin" } = options;
  const simulates = options.run === "simulated";
  const runtime = simulates ? simulated : new ProcessRuntime(core.clock, { env, entrypoints, path });
  const capacity = Object.entries(options.capacity ?? {}).map(([name, amount]) => [name, String(amount)]);
  collectGarbage(core);
  new JobController(core, { backoffMs: timing.jobBackoffMs });
  const scheduler = new Scheduler(core, {
    name: "local-node",
    ...options.node,
    capacity: Object.fromEntries(capacity),
  });
  const kubelet = new Kubelet({ core, runtime, images, logs, timing });
  const node = new NodeFaults({ core, kubelet, scheduler, images, simulated: simulates ? simulated : undefined });
  return { kubelet, simulated, node };
}

function furnish({ store, clock }: Core, more: readonly string[]): void {
  for (const name of new Set(["default", "kube-system", "kube-public", ...more])) {
    const object: KubeObject = { kind: "Namespace", apiVersion: "v1", metadata: { name, ...birth(clock.now()) } };
    store.create(NAMESPACES, withDefaults(object, NAMESPACES));
  }
}

const ADMIN = { subresource: undefined, query: new URLSearchParams(), accept: "", contentType: "", user: "admin" };

/** Creates as a request would, with the same defaults and refusals. */
function furnishing(core: Core): Pick<LocalKubernetes, "create" | "createNamespace" | "createSecret"> {
  const make = async (path: string, body: object) => {
    const route = routeOf("POST", path, ADMIN.query);
    if (route === undefined || route === "method") throw new Error(`nothing is created at ${path}`);
    await Promise.resolve(create(core, { ...ADMIN, ...route, body, duplicates: [], warnings: [] }));
  };
  return {
    create: make,
    createNamespace: (name) => make("/api/v1/namespaces", { metadata: { name } }),
    createSecret: (namespace, name, stringData) =>
      make(`/api/v1/namespaces/${namespace}/secrets`, { metadata: { name }, stringData }),
  };
}

type Stoppable = { kubelet: Kubelet; clock: Clock; watches: Watches; requests: RequestFaults; server: ApiServer };

/** The clock stops before anything is waited for: else the controllers would answer the end of the Pods with new ones. */
async function stopAll({ kubelet, clock, watches, requests, server }: Stoppable): Promise<void> {
  const killed = kubelet.stop();
  clock.stop();
  requests.clear();
  watches.close();
  await Promise.all([killed, server.close()]);
}

function kubeconfig(server: string, { token, namespace, context = "local" }: KubeconfigOptions = {}): string {
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "local", cluster: { server, "insecure-skip-tls-verify": true } }],
    users: [{ name: "local", user: token === undefined ? {} : { token } }],
    contexts: [{ name: context, context: { cluster: "local", user: "local", ...(namespace && { namespace }) } }],
    "current-context": context,
  });
}
