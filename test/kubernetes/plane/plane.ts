// A throw-away Kubernetes control plane: started, hurt by its component's name, stopped. Nothing is left of it.
// Knows the order of starting and when it is of use; the arguments are in settings.ts, where binaries come from in components.ts.
import { mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { until } from "../../until.ts";
import { Client } from "../client.ts";
import { Child } from "./child.ts";
import { type Command, type Component, type FindOptions, findComponents, sayOnStderr } from "./components.ts";
import { freePorts } from "./free-ports.ts";
import { Guard } from "./guard.ts";
import { kwokConfiguration, LOG_FILE, NODE } from "./kwok.ts";
import { type Node, openNode } from "./node.ts";
import { binariesOf, componentsOf, type Facts, KUBECONFIG_FILES, type Level, PORTS, settingsOf } from "./settings.ts";
import { kubeconfigText, newPrivateKey, newTokens, tokenFile, type Users } from "./users.ts";

export type PlaneOptions = FindOptions & {
  readonly level: Level;
  /** Users without any right, beside "admin". */
  readonly users?: readonly string[];
};

export type Plane = {
  readonly server: string;
  readonly directory: string;
  /** Text of a kubeconfig with everything in it. @param user default: admin */
  readonly kubeconfig: (user?: string) => string;
  /** Undefined while the component does not run. */
  readonly pid: (component: Component) => number | undefined;
  readonly kill: (component: Component, signal?: NodeJS.Signals) => Promise<void>;
  /** Starts a killed component on the same port with the same data, and waits until it is ready. */
  readonly start: (component: Component) => Promise<void>;
  /** Throws away etcd's old revisions: from now on nothing of the past can be listed. */
  readonly compact: () => Promise<void>;
  /** May be called again. */
  readonly stop: () => Promise<void>;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

/**
 * Starts a control plane and waits until a Job could be created and, with a node, scheduled: about 5 s.
 * @throws Error with the reason and the end of the output of what did not start
 */
export async function startPlane(options: PlaneOptions): Promise<Plane> {
  const { level, users = [], env = process.env, say = sayOnStderr } = options;
  const found = await findComponents(binariesOf(level), { env, say });
  const directory = await mkdtemp(join(tmpdir(), "opjob-plane-"));
  const facts: Facts = { level, directory, cgroup: basename(directory), ports: await portsOf() };
  const guard = new Guard(directory, facts.cgroup);
  const closers = new AsyncDisposableStack();
  closers.defer(() => guard.end());
  try {
    const tokens = newTokens([...Object.keys(KUBECONFIG_FILES), ...users]);
    await writeFiles(facts, tokens);
    const kubelet = found.get("kubelet");
    const node = kubelet && (await openNode(facts, { env, say, guard, kubelet }));
    if (node) closers.defer(node.close);
    const children = childrenOf(facts, new Map([...found, ...(node?.commands ?? [])]), guard);
    for (const child of children.values()) closers.defer(() => child.kill());
    return await bringUp({ facts, children, tokens, node, closers });
  } catch (error) {
    await closers.disposeAsync();
    throw error;
  }
}

type Parts = {
  readonly facts: Facts;
  readonly children: ReadonlyMap<Component, Child>;
  readonly tokens: Users;
  readonly node: Node | undefined;
  readonly closers: AsyncDisposableStack;
};

async function bringUp(parts: Parts): Promise<Plane> {
  const { facts, children, node } = parts;
  const start = async (...names: Component[]): Promise<void> => {
    for (const name of names) await children.get(name)?.start();
  };
  await start("etcd", "kube-apiserver");
  const plane = planeOf(parts, await readFile(join(facts.directory, "keys/apiserver.crt"), "utf8"));
  const client = new Client(plane.kubeconfig());
  const startNode = async (): Promise<void> => {
    await start("containerd");
    await node?.furnish();
    await start("kubelet", "kwok");
  };
  try {
    const controllers = [start("kube-controller-manager"), start("kube-scheduler")];
    await Promise.all([...controllers, startNode(), furnish(client, facts.level)]);
  } finally {
    await client.close();
  }
  return plane;
}

function childrenOf(facts: Facts, commands: Map<Component, Command>, guard: Guard): Map<Component, Child> {
  const children = new Map<Component, Child>();
  for (const name of componentsOf(facts.level)) {
    const command = commands.get(name);
    if (command === undefined) throw new Error(`${name} was not looked for`);
    const log = join(facts.directory, `${name}.log`);
    children.set(name, new Child({ name, command, log, guard, ...settingsOf(name, facts) }));
  }
  return children;
}

async function portsOf(): Promise<Facts["ports"]> {
  const free = await freePorts(PORTS.length);
  return Object.fromEntries(PORTS.map((name, i) => [name, free[i]])) as Facts["ports"];
}

const serverOf = ({ ports }: Facts): string => `https://127.0.0.1:${ports.api}`;

async function writeFiles(facts: Facts, tokens: Users): Promise<void> {
  const { directory } = facts;
  const secret = { mode: 0o600 };
  await mkdir(join(directory, "keys"), { mode: 0o700 });
  await writeFile(join(directory, "keys/tokens.csv"), tokenFile(tokens), secret);
  await writeFile(join(directory, "keys/accounts.key"), newPrivateKey(), secret);
  for (const [user, file] of Object.entries(KUBECONFIG_FILES)) {
    // Components start before anybody has read the certificate; they are on loopback.
    await writeFile(join(directory, file), kubeconfigText(serverOf(facts), undefined, tokens.get(user) ?? ""), secret);
  }
  const log = join(directory, "pod.log");
  await writeFile(log, LOG_FILE);
  await writeFile(join(directory, "kwok.yaml"), kwokConfiguration(log));
}

/** What must be there before a Job can run: the node, ready and without taint, and the default service account. */
async function furnish(client: Client, level: Level): Promise<void> {
  if (level === "kwok") {
    const { code, text } = await client.send("POST", "/api/v1/nodes", { body: NODE });
    if (code !== 201) throw new Error(`the node could not be created: ${text}`);
  }
  const isUsable = async (): Promise<boolean> => {
    const { body } = await client.send("GET", "/api/v1/nodes");
    const usable = body.items.filter(
      ({ spec, status }) =>
        spec["taints"] === undefined &&
        status.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True"),
    );
    return usable.length > 0;
  };
  if (level !== "none") await until(isUsable, 60_000);
  const account = "/api/v1/namespaces/default/serviceaccounts/default";
  await until(async () => (await client.send("GET", account)).code === 200, 60_000);
}

function planeOf({ facts, children, tokens, closers }: Parts, authority: string): Plane {
  const childOf = (component: Component): Child => {
    const child = children.get(component);
    if (child === undefined) throw new Error(`a plane of level ${facts.level} has no ${component}`);
    return child;
  };
  const kubeconfig = (user = "admin"): string => {
    const token = tokens.get(user);
    if (token === undefined) throw new Error(`the plane knows no user ${user}`);
    return kubeconfigText(serverOf(facts), authority, token);
  };
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopped ??= closers.disposeAsync();
    return stopped;
  };
  return {
    server: serverOf(facts),
    directory: facts.directory,
    kubeconfig,
    pid: (component) => childOf(component).pid,
    kill: (component, signal) => childOf(component).kill(signal),
    start: (component) => childOf(component).start(),
    compact: () => compact(facts),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Through etcd's JSON gateway: the API server itself compacts every five minutes only. */
async function compact({ ports }: Facts): Promise<void> {
  const ask = async (path: string, body: object): Promise<Record<string, unknown>> => {
    const response = await fetch(`http://127.0.0.1:${ports.etcd}/v3/kv/${path}`, {
      method: "POST",
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(10_000),
    });
    if (!response.ok) throw new Error(`etcd refused ${path}: ${await response.text()}`);
    return (await response.json()) as Record<string, unknown>;
  };
  // What was read at the newest revision can still be read if that one is kept: a newer one is made first.
  const { header } = await ask("put", { key: Buffer.from("/compacted").toString("base64"), value: "" });
  await ask("compaction", { revision: (header as { revision: string }).revision, physical: true });
}
