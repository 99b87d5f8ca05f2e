// An independent witness: which of opjob's Jobs live, as the API server tells it in the order in which it happened.
// Knows labels and conditions of Jobs; nothing of what opjob counts.
import { Client, type Event, type Thing } from "./kubernetes/client.ts";

export type Witness = {
  /** The most that lived at once: over all, and of each orchestrator. */
  readonly most: { readonly total: number; readonly of: ReadonlyMap<string, number> };
  /** How many live now. */
  readonly live: () => number;
  /** Names of all Jobs that ever were, in the order of their creation, by orchestrator. */
  readonly created: ReadonlyMap<string, readonly string[]>;
  /** By orchestrator, the sum over time of its Jobs that lived, in milliseconds. */
  readonly lived: () => ReadonlyMap<string, number>;
  [Symbol.asyncDispose](): Promise<void>;
};

const ORCHESTRATOR = "opjob/orchestrator";
const hasEnded = ({ status }: Thing): boolean =>
  (status?.conditions ?? []).some(
    ({ type, status: is }) => (type === "Complete" || type === "Failed") && is === "True",
  );

/** Watches the Jobs of a namespace from now on. @throws as the API server answers */
export async function witness(kubeconfig: string, namespace: string): Promise<Witness> {
  const client = new Client(kubeconfig);
  const path = `/apis/batch/v1/namespaces/${namespace}/jobs`;
  const { body: list } = await client.send("GET", path);
  const live = new Map<string, { orchestrator: string; since: number }>();
  const created = new Map<string, string[]>();
  const spent = new Map<string, number>();
  const most = { total: 0, of: new Map<string, number>() };
  const stop = new AbortController();

  const end = (uid: string): void => {
    const job = live.get(uid);
    if (job === undefined) return;
    live.delete(uid);
    spent.set(job.orchestrator, (spent.get(job.orchestrator) ?? 0) + performance.now() - job.since);
  };
  const see = (job: Thing): void => {
    const { uid, name, labels } = job.metadata;
    if (hasEnded(job)) end(uid);
    if (hasEnded(job) || live.has(uid)) return;
    const orchestrator = labels?.[ORCHESTRATOR] ?? "";
    live.set(uid, { orchestrator, since: performance.now() });
    created.set(orchestrator, [...(created.get(orchestrator) ?? []), name]);
    const own = [...live.values()].filter((other) => other.orchestrator === orchestrator).length;
    most.total = Math.max(most.total, live.size);
    most.of.set(orchestrator, Math.max(most.of.get(orchestrator) ?? 0, own));
  };
  for (const job of list.items) see(job);
  const handle = ({ type, object }: Event): string => {
    if (type === "ERROR") throw new Error(JSON.stringify(object));
    if (type === "DELETED") end(object.metadata.uid);
    else if (type !== "BOOKMARK") see(object);
    return object.metadata.resourceVersion;
  };
  const follow = async (): Promise<void> => {
    let resourceVersion = list.metadata.resourceVersion;
    while (!stop.signal.aborted) {
      const query = { resourceVersion, allowWatchBookmarks: true };
      for await (const event of client.watch(path, query, stop.signal)) resourceVersion = handle(event);
    }
  };
  const following = follow();
  following.catch(() => undefined);
  return {
    most,
    created,
    live: () => live.size,
    lived: () => {
      const all = new Map(spent);
      for (const { orchestrator, since } of live.values()) {
        all.set(orchestrator, (all.get(orchestrator) ?? 0) + performance.now() - since);
      }
      return all;
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      // A watch that broke saw less than there was: the test must fail.
      try {
        await following;
      } finally {
        await client.close();
      }
    },
  };
}
