// What a daemon reaches the outside by: time, MongoDB, API servers, its own port, its cron. These are the real ones;
// a simulation gives others, and runs all the rest as it is. Knows none of what is done with them.
import { getHeapStatistics } from "node:v8";
import { MongoClient, type MongoClientOptions } from "mongodb";
import { type Clock, systemClock } from "./clock.ts";
import { defaultAccess } from "./clusters/kubeconfig.ts";
import { type Connect, connect } from "./clusters/kubernetes.ts";
import { serveHealth } from "./health.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import type { Heap } from "./slack.ts";
import { cronTimetable, type Timetable } from "./timetable.ts";

export type Outside = {
  readonly clock: Clock;
  readonly openDatabase: (uri: string, options: MongoClientOptions) => MongoClient;
  readonly connect: Connect;
  /** To the cluster in which the Lease lies. */
  readonly ownAccess: typeof defaultAccess;
  readonly timetable: Timetable;
  readonly serve: typeof serveHealth;
  readonly createMetrics: () => Metrics;
  /** Undefined: it is left to itself. */
  readonly heap: Heap | undefined;
};

/** Node shows its collector only with --expose-gc, as the image starts it. */
const { gc } = globalThis;
const heap: Heap | undefined = gc && {
  taken: () => getHeapStatistics().total_heap_size,
  collect: () => gc({ type: "major", execution: "sync", flavor: "last-resort" }),
};

export const REAL: Outside = {
  clock: systemClock,
  openDatabase: (uri, options) => new MongoClient(uri, options),
  connect,
  ownAccess: defaultAccess,
  timetable: cronTimetable,
  serve: serveHealth,
  createMetrics,
  heap,
};
