// All clusters in use: one client for each cluster and credential, one pair of watches for each namespace with Jobs of ours.
// Opens clients through the door; knows nothing of operations but their ids.
import { type Clock, systemClock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Access } from "./kubeconfig.ts";
import { Cluster, type ClusterOptions } from "./kubernetes.ts";
import type { Scope } from "./live-job.ts";
import type { Observed } from "./observed.ts";
import { Traffic, type TrafficOptions } from "./traffic.ts";
import { followResource, type WatchOptions } from "./watch.ts";

export type PoolOptions = Omit<ClusterOptions, "traffic"> & {
  readonly observed: Observed;
  /** What each cluster is spared, over all its credentials together. */
  readonly traffic: TrafficOptions;
  /** Something is followed (again) by the access of this key: its API server answers. */
  readonly onAnswer?: (key: string) => void;
  readonly log: Log;
};

/** `askedAt`: when somebody last wanted it watched. */
type Watched = {
  readonly stop: AbortController;
  readonly done: Promise<unknown>;
  readonly following: Set<string>;
  askedAt: number;
};
type Entry = { readonly cluster: Cluster; readonly namespaces: Map<string, Watched> };

/** A namespace without live Jobs that nobody asked for in so long is not watched any more: records and templates name others (ms). */
const IDLE = 600_000;

export class Pool {
  readonly #options: PoolOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** The client for an access; made at its first use. */
  cluster(access: Access): Cluster {
    const known = this.#entries.get(access.key);
    if (known) return known.cluster;
    const cluster = new Cluster(access, { ...this.#options, traffic: this.#trafficTo(access.server) });
    this.#entries.set(access.key, { cluster, namespaces: new Map() });
    return cluster;
  }

  #trafficTo(server: string): Traffic {
    const known = [...this.#entries.values()].find(({ cluster }) => cluster.server === server)?.cluster.traffic;
    return known ?? new Traffic(server, this.#options.traffic, this.#options.clock);
  }

  /** A client that watches this namespace of this server, or at least reaches the server. */
  find(server: string, namespace: string): Cluster | undefined {
    const entries = [...this.#entries.values()].filter(({ cluster }) => cluster.server === server);
    return (entries.find(({ namespaces }) => namespaces.has(namespace)) ?? entries.at(-1))?.cluster;
  }

  /** The client whose watch shows a scope. */
  ofScope(scope: Scope): Cluster | undefined {
    const shows = ({ cluster, namespaces }: Entry): boolean =>
      [...namespaces.keys()].some((namespace) => scopeOf(cluster, namespace) === scope);
    return [...this.#entries.values()].find(shows)?.cluster;
  }

  /** Follows our Jobs and Pods of a namespace from now on; asking again changes nothing. */
  watch(cluster: Cluster, namespace: string): void {
    const entry = this.#entries.get(cluster.key);
    if (entry === undefined) return;
    const { observed, onAnswer, log, clock } = this.#options;
    const askedAt = this.#clock.elapsed();
    const known = entry.namespaces.get(namespace);
    if (known) known.askedAt = askedAt;
    if (known) return;
    const scope = scopeOf(cluster, namespace);
    const handlers = observed.handlers(scope);
    const stop = new AbortController();
    const following = new Set<string>();
    const onState = (resource: string, state: "following" | "cut"): void => {
      if (state === "cut") following.delete(resource);
      else following.add(resource);
      if (state === "following") onAnswer?.(cluster.key);
    };
    const follow = <V>(
      resource: "jobs" | "pods",
      handling: Pick<WatchOptions<V>, "view" | "onList" | "onChange" | "onDelete">,
    ) =>
      followResource({
        cluster,
        resource,
        namespace,
        ...handling,
        onState: (state) => onState(resource, state),
        signal: stop.signal,
        log,
        ...(clock && { clock }),
      });
    const both = [follow("jobs", handlers.jobs), follow("pods", handlers.pods)];
    const done = Promise.all(both).finally(() => observed.forget(scope));
    entry.namespaces.set(namespace, { stop, done, following, askedAt });
  }

  /** Closes the clients that no orchestrator uses any more, once no live Job is left that they alone follow; and idle watches. */
  async retain(keys: ReadonlySet<string>): Promise<void> {
    for (const [key, entry] of this.#entries) {
      if (keys.has(key) || this.#isNeeded(key, entry)) await this.#closeIdle(entry);
      else {
        this.#entries.delete(key);
        await closeEntry(entry);
      }
    }
  }

  async #closeIdle({ cluster, namespaces }: Entry): Promise<void> {
    for (const [namespace, watched] of namespaces) {
      const { askedAt, stop, done } = watched;
      const idle =
        this.#clock.elapsed() - askedAt > IDLE && !this.#options.observed.hasLive(scopeOf(cluster, namespace));
      if (!idle) continue;
      stop.abort();
      // What it showed is forgotten when it ends: a new one for the same namespace must not begin before.
      await done;
      namespaces.delete(namespace);
      if (watched.askedAt !== askedAt) this.watch(cluster, namespace);
    }
  }

  get #clock(): Clock {
    return this.#options.clock ?? systemClock;
  }

  #isNeeded(key: string, { cluster, namespaces }: Entry): boolean {
    const others = [...this.#entries].filter(
      ([other, entry]) => other !== key && entry.cluster.server === cluster.server,
    );
    return [...namespaces.keys()].some((namespace) => {
      const alone = !others.some(([, entry]) => entry.namespaces.has(namespace));
      return alone && this.#options.observed.hasLive(scopeOf(cluster, namespace));
    });
  }

  /** For metrics: how many watches there are, and how many of them follow. */
  get watches(): { readonly total: number; readonly following: number } {
    const all = [...this.#entries.values()].flatMap(({ namespaces }) => [...namespaces.values()]);
    return { total: all.length * 2, following: all.reduce((sum, { following }) => sum + following.size, 0) };
  }

  /** In memory: proportional to the clusters and credentials in use, and to the calls that wait. */
  get sizes() {
    const clusters = [...this.#entries.values()].map(({ cluster }) => cluster);
    const traffics = new Set(clusters.map(({ traffic }) => traffic));
    const sum = (all: Iterable<number>): number => [...all].reduce((one, other) => one + other, 0);
    return {
      clusters: clusters.length,
      connections: sum(clusters.map(({ links }) => links)),
      calls: sum([...traffics].map(({ waiting }) => waiting)),
    };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#entries.values()].map(closeEntry));
    this.#entries.clear();
  }
}

const scopeOf = (cluster: Cluster, namespace: string): Scope => `${cluster.key}/${namespace}`;

async function closeEntry({ cluster, namespaces }: Entry): Promise<void> {
  for (const { stop } of namespaces.values()) stop.abort();
  await Promise.all([...namespaces.values()].map(({ done }) => done));
  await cluster.close();
}
