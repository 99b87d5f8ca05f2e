// The election: replicas agree on a leader where a Lease is used. Joins the Lease, the leadership and the term; decides nothing.
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { DaemonOptions } from "./daemon.ts";
import { databaseError } from "./database.ts";
import type { FeedState } from "./feeds.ts";
import type { Lanes } from "./lanes.ts";
import { Leadership } from "./leadership.ts";
import type { Metrics } from "./metrics.ts";
import { REAL } from "./outside.ts";
import { openOwnLease, usesLease } from "./own-lease.ts";
import type { Queue } from "./queue/queue.ts";
import type { Rooms } from "./rooms.ts";
import type { Sweep } from "./sweep.ts";
import type { Term } from "./term.ts";

type Elected = {
  readonly lanes: Lanes;
  readonly queue: Queue;
  readonly sweep: Sweep;
  readonly state: FeedState;
  readonly metrics: Metrics;
  readonly term: Term;
};

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
  if (!usesLease(options)) return undefined;
  const { config, surroundings, log, outside = REAL } = options;
  const { metrics, term } = elected;
  const { door } = openOwnLease({
    config,
    surroundings,
    outside,
    onCall: ({ verb, resource }, code, seconds) => metrics.calls.observe({ verb, resource, code }, seconds),
  });
  const parts = { ...elected, operations: rooms.operations };
  const leadership = new Leadership({
    door,
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
