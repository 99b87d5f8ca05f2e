// The election: whether replicas agree on a leader, and by which Lease, as the settings and the surroundings want it.
// Joins the Lease, the leadership and the term; decides nothing else.
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { openLease } from "./clusters/lease.ts";
import { Traffic, UNLIMITED } from "./clusters/traffic.ts";
import type { DaemonOptions } from "./daemon.ts";
import { databaseError } from "./database.ts";
import type { FeedState } from "./feeds.ts";
import type { Lanes } from "./lanes.ts";
import { Leadership } from "./leadership.ts";
import type { Metrics } from "./metrics.ts";
import { REAL } from "./outside.ts";
import type { Queue } from "./queue/queue.ts";
import type { Rooms } from "./rooms.ts";
import type { Sweep } from "./sweep.ts";
import type { Term } from "./term.ts";

/** An answer of the Lease's API server is worth nothing when the next renewal is due (ms). */
const ANSWERS_WITHIN = 4_000;

type Elected = {
  readonly lanes: Lanes;
  readonly queue: Queue;
  readonly sweep: Sweep;
  readonly state: FeedState;
  readonly metrics: Metrics;
  readonly term: Term;
};

export const isElected = ({ config, surroundings }: Pick<DaemonOptions, "config" | "surroundings">): boolean =>
  config.leadership === "lease" || (config.leadership === "auto" && surroundings.inCluster);

/** What the Lease's own history need not tell: it may have been deleted. */
const latestEpoch = ({ operations }: Rooms): Promise<number> =>
  operations.latestEpoch().catch((thrown: unknown) => {
    throw databaseError(thrown);
  });

/**
 * undefined: this daemon is alone.
 * @throws OpjobError KUBECONFIG_… where a Lease is wanted and no cluster is known to hold it
 */
export function openElection(options: DaemonOptions, rooms: Rooms, elected: Elected): Leadership | undefined {
  if (!isElected(options)) return undefined;
  const { config, surroundings, log, outside = REAL } = options;
  const { metrics, term } = elected;
  const access = outside.ownAccess(surroundings.inCluster, surroundings.serviceAccountNamespace, {
    context: undefined,
    allowExec: config.allowExecCredentials,
  });
  const speaker = outside.connect(access, {
    timeoutMs: ANSWERS_WITHIN,
    // What operations do to a cluster must not keep its Lease waiting.
    traffic: new Traffic(access.server, UNLIMITED),
    onCall: ({ verb, resource }, code, seconds) => metrics.calls.observe({ verb, resource, code }, seconds),
  });
  const namespace = config.leaseNamespace || access.namespace || "default";
  const parts = { ...elected, operations: rooms.operations };
  const leadership = new Leadership({
    door: openLease(speaker, access.server, { namespace, name: config.leaseName }, outside.clock),
    identity: `${hostname()}_${randomUUID()}`,
    instance: rooms.instance,
    latestEpoch: () => latestEpoch(rooms),
    begin: (epoch) => term.begin(epoch, parts),
    end: () => term.end(parts),
    clock: outside.clock,
    log,
  });
  term.heldBy(() => leadership.holds());
  return leadership;
}
