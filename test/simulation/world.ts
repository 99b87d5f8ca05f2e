// The world of one simulation: time, a database, clusters, people, and daemons that come and go by the plan. It puts them
// together and lets them happen; what must hold is for the checks to say.
import { createHash } from "node:crypto";
import { ObjectId } from "mongodb";
import { type Chance, chance } from "./chance.ts";
import { type Checks, createChecks } from "./checks/checks.ts";
import { NAMESPACES } from "./draw.ts";
import { type Fates, type SimulatedCluster, simulatedCluster } from "./kubernetes/cluster.ts";
import { HOME, leaseHome } from "./kubernetes/home.ts";
import type { Served } from "./kubernetes/speaker.ts";
import type { WatchTroubles } from "./kubernetes/watch-body.ts";
import { createMoments, type Moments } from "./moments.ts";
import type { StreamTroubles } from "./mongo/parts.ts";
import { MongoServer } from "./mongo/server.ts";
import { LEASE_SERVICE, type Plan } from "./plan.ts";
import { missingFor, refusalOf } from "./storms.ts";
import { FOREVER, Time } from "./time.ts";
import { Wire } from "./wire.ts";
import type { Execution, WorkerParts } from "./worker.ts";

export type World = {
  readonly plan: Plan;
  readonly time: Time;
  readonly server: MongoServer;
  readonly clusters: readonly SimulatedCluster[];
  /** Where the Lease lies. */
  readonly home: Served;
  readonly streams: StreamTroubles;
  readonly watches: WatchTroubles;
  readonly wire: Wire;
  readonly ledger: Execution[];
  readonly checks: Checks;
  readonly trace: Trace;
  readonly draw: (purpose: string) => Chance;
  readonly moments: Moments;
};

/** What happened, line by line. */
export class Trace {
  readonly lines: string[] = [];
  readonly #time: Time;

  constructor(time: Time) {
    this.#time = time;
  }

  note(line: string): void {
    this.lines.push(`${(this.#time.elapsed / 1_000).toFixed(3)} ${line}`);
  }

  /** Two runs with the same hash were the same, line by line. */
  hash(): string {
    return createHash("sha256").update(this.lines.join("\n")).digest("hex").slice(0, 16);
  }
}

/** A text that a careless worker logs, and that must never get into a document or a log line. */
export const SECRET = "simulated-encryption-key-0000000000000000000=";

export const serverOf = (cluster: number): string => `http://cluster-${cluster}`;
export const idOf = (operation: number): string => (0x5_00_00_00 + operation).toString(16).padStart(24, "5");
export const objectIdOf = (operation: number): ObjectId => new ObjectId(idOf(operation));
const numberOf = (id: string): number => Number.parseInt(id.slice(-7), 16) - 0x5_00_00_00;
export const instanceOf = (orchestrator: number): string => `orchestrator-${orchestrator}`;

/** What a Job meets that no operation of the plan is behind: an impostor's. */
const ORDINARY: Fates = {
  job: { seen: 500, twin: false, replaces: false, suspendedMs: 0, refused: false },
  pod: {
    schedule: 100,
    start: 100,
    obstacle: undefined,
    obstacleMs: 0,
    graceMs: 100,
    evictedMs: FOREVER,
  },
  worker: { bootMs: 100, runMs: 100, ends: "hangs", lingerMs: 0 },
};

export function createWorld(plan: Plan): World {
  const time = new Time();
  const trace = new Trace(time);
  const draw = (purpose: string): Chance => chance(plan.seed, purpose);
  const servers = plan.clusterSkewMs.map((_, nth) => serverOf(nth));
  const services = new Map([[HOME, LEASE_SERVICE], ...servers.map((server, nth) => [server, nth] as const)]);
  const wire = new Wire({ time, draw: draw("wire"), plan, services });
  const ledger: Execution[] = [];
  const checks = createChecks({ plan, time, ledger, trace, secret: SECRET });
  const server = new MongoServer((change) => checks.changed(change));
  const streams = { ...wire.hints("streams"), open: new Set() } as StreamTroubles;
  const gone = draw("gone");
  const watches: WatchTroubles = {
    ...wire.hints("watches"),
    goneAsEvent: () => gone.happens(0.5),
    open: new Set(),
  };
  const work: WorkerParts = { time, server, ledger, log: `loading with ${SECRET}\nTraceback: it broke` };
  const clusters = servers.map((address, nth) =>
    simulatedCluster({
      ...work,
      name: `c${nth}`,
      address,
      namespaces: new Set(NAMESPACES),
      skewMs: plan.clusterSkewMs[nth] ?? 0,
      chance: draw(`cluster ${nth}`),
      fatesOf: (operation, nth) => fatesOf(plan, operation, nth),
      refusalOf: (name) =>
        refusalOf(
          plan,
          plan.orchestrators.findIndex((_, i) => instanceOf(i) === name),
          time.elapsed,
        ),
      missingFor: (pod) => missingFor(plan, pod, time.elapsed),
      watches,
      onSend: (by, request) => checks.sent(address, by, request),
      onCall: (done) => checks.called(address, done),
    }),
  );
  const home = leaseHome({
    now: () => time.now,
    watches,
    onSend: (by, request) => checks.sent(HOME, by, request),
    onCall: (done) => checks.called(HOME, done),
  });
  for (const cluster of clusters) cluster.store.onEvent((event) => checks.happened(event));
  checks.begin({ server, clusters });
  const moments = createMoments(time);
  return { plan, time, server, clusters, home, streams, watches, wire, ledger, checks, trace, draw, moments };
}

function fatesOf({ operations }: Plan, operation: string, nth: number): Fates {
  const fates = operations[numberOf(operation)]?.fates ?? [];
  return fates[Math.min(nth, fates.length) - 1] ?? ORDINARY;
}
