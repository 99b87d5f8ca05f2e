// The numbers of opjob, for Prometheus. One registry for each daemon; names and units follow Prometheus' conventions.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

export type Metrics = ReturnType<typeof createMetrics>;

/** Read at each scrape, so that they are observed and never only counted. */
export type Sizes = {
  readonly lanes: () => { readonly known: number; readonly waiting: number; readonly busy: number };
  readonly observed: () => { readonly jobs: number; readonly pods: number; readonly live: number };
  readonly watches: () => { readonly total: number; readonly following: number };
  /** Templates that are used although their store is away, and how long ago it last confirmed them. */
  readonly stale: () => readonly { readonly template: string; readonly ageMs: number }[];
  readonly queue: () => Promise<Queue>;
  /** Whether this replica works on operations. */
  readonly leads: () => boolean;
  /** What of the queue is in memory. */
  readonly line: () => { readonly waiting: number; readonly places: number };
  /** Everything that lives as long as the daemon and grows. */
  readonly all: () => Readonly<Record<string, number>>;
  /** Orchestrators for which somebody waits at a closed gate. */
  readonly closed: () => ReadonlyMap<string, { readonly gate: string }>;
  /** Orchestrators whose operations wait for a fault to pass, with its code; and images that cannot be pulled. */
  readonly faults: () => { readonly tripped: ReadonlyMap<string, string>; readonly images: readonly string[] };
};

type Queue = { readonly count: number; readonly oldest: Date | undefined };

const LATENCY = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

export function createMetrics(options: { defaults: boolean } = { defaults: true }) {
  const registry = new Registry();
  const registers = [registry];
  if (options.defaults) collectDefaultMetrics({ register: registry });
  return {
    registry,
    launches: new Counter({
      name: "opjob_launches_total",
      help: "Operations whose Job was created or found again, by orchestrator and outcome (created, adopted).",
      labelNames: ["orchestrator", "outcome"],
      registers,
    }),
    stages: new Histogram({
      name: "opjob_stage_seconds",
      help: "Time from the queueing of an operation to a stage of its way (claimed, created, started, finished).",
      labelNames: ["stage"],
      buckets: LATENCY,
      registers,
    }),
    failures: new Counter({
      name: "opjob_failures_total",
      help: "Operations that opjob failed, by reason.",
      labelNames: ["orchestrator", "reason"],
      registers,
    }),
    held: new Counter({
      name: "opjob_held_total",
      help: "Launches put off by a fault that may pass, by error code.",
      labelNames: ["orchestrator", "code"],
      registers,
    }),
    deletions: new Counter({
      name: "opjob_job_deletions_total",
      help: "Jobs that opjob deleted.",
      registers,
    }),
    calls: new Histogram({
      name: "opjob_kubernetes_request_seconds",
      help: "Calls to clusters' API servers, by verb, resource and code (none: no answer).",
      labelNames: ["verb", "resource", "code"],
      buckets: LATENCY,
      registers,
    }),
    waits: new Histogram({
      name: "opjob_kubernetes_wait_seconds",
      help: "Time that calls to clusters waited for OPJOB_KUBERNETES_RATE or a Retry-After before they were sent, by verb.",
      labelNames: ["verb"],
      buckets: LATENCY,
      registers,
    }),
    changes: new Gauge({
      name: "opjob_changes_following",
      help: "1 while the changes of a collection are followed, 0 while they are cut off.",
      labelNames: ["collection"],
      registers,
    }),
    ...orchestratorNumbers(registers),
    sweeps: new Counter({ name: "opjob_sweeps_total", help: "Sweeps, by result.", labelNames: ["result"], registers }),
  };
}

const refreshCounter = (registers: Registry[]) =>
  new Counter({
    name: "opjob_refreshes_total",
    help: "Refreshes of orchestrators' operators, by outcome (reported, failed).",
    labelNames: ["orchestrator", "outcome"],
    registers,
  });

const retryCounter = (registers: Registry[]) =>
  new Counter({
    name: "opjob_retries_total",
    help: "Operations that are launched again as a new attempt, by the reason for which the last one was given up.",
    labelNames: ["orchestrator", "reason"],
    registers,
  });

/** What the last check of each active orchestrator found, how often it was refreshed, and what was launched again. */
const orchestratorNumbers = (registers: Registry[]) => ({
  refreshes: refreshCounter(registers),
  retries: retryCounter(registers),
  cleanups: new Counter({
    name: "opjob_cleanup_total",
    help: "Finished Jobs without a TTL, by what was done (deleted, skipped after a live look, dry-run).",
    labelNames: ["outcome"],
    registers,
  }),
  orchestratorHealthy: new Gauge({
    name: "opjob_orchestrator_healthy",
    help: "1: the last check of an active orchestrator found no error; 0: it cannot launch, or its Jobs would fail.",
    labelNames: ["orchestrator"],
    registers,
  }),
  orchestratorFindings: new Gauge({
    name: "opjob_orchestrator_findings",
    help: "What the last check of an active orchestrator found, by severity (error, warning, hint).",
    labelNames: ["orchestrator", "severity"],
    registers,
  }),
});

/** Adds the gauges that are observed at the moment of a scrape. */
export function observeSizes({ registry }: Metrics, sizes: Sizes): void {
  const registers = [registry];
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  gauge(
    "opjob_lanes",
    "Operations in memory: worked on, waiting for a place, or with a timer.",
    () => sizes.lanes().known,
  );
  gauge("opjob_lanes_waiting", "Operations that wait for a free place.", () => sizes.lanes().waiting);
  gauge("opjob_lanes_busy", "Operations that are worked on at this moment.", () => sizes.lanes().busy);
  gauge("opjob_observed_jobs", "Jobs of ours that exist in the clusters.", () => sizes.observed().jobs);
  gauge("opjob_observed_pods", "Pods of ours that exist in the clusters.", () => sizes.observed().pods);
  gauge("opjob_in_flight", "Jobs of ours that have not ended.", () => sizes.observed().live);
  gauge("opjob_is_leader", "1 for the replica that works on operations, 0 for a standby.", () => Number(sizes.leads()));
  gauge("opjob_watches", "Watches on clusters.", () => sizes.watches().total);
  gauge("opjob_watches_following", "Watches on clusters that follow.", () => sizes.watches().following);
  new Gauge({
    name: "opjob_template_stale_seconds",
    help: "Age of a template's last good text while its store is away; absent while its store answers.",
    labelNames: ["template"],
    registers,
    collect() {
      this.reset();
      for (const { template, ageMs } of sizes.stale()) this.set({ template }, ageMs / 1_000);
    },
  });
  new Gauge({
    name: "opjob_sizes",
    help: "Entries of each map, queue and cache in memory, by what they are of.",
    labelNames: ["of"],
    registers,
    collect() {
      for (const [of, size] of Object.entries(sizes.all())) this.set({ of }, size);
    },
  });
  observeQueue(registers, sizes);
}

/** What waits: all of it by the database, and what of it is in memory. */
function observeQueue(registers: Registry[], sizes: Sizes): void {
  const queueGauge = (name: string, help: string, read: (queue: Queue) => number) =>
    new Gauge({
      name,
      help,
      registers,
      async collect() {
        const queue = await sizes.queue().catch(() => undefined);
        this.set(queue === undefined ? Number.NaN : read(queue));
      },
    });
  queueGauge("opjob_queued", "Queued operations of our orchestrators.", ({ count }) => count);
  queueGauge("opjob_queue_age_seconds", "Age of the oldest queued operation of our orchestrators.", ({ oldest }) =>
    oldest === undefined ? 0 : (Date.now() - oldest.getTime()) / 1_000,
  );
  new Gauge({
    name: "opjob_line",
    help: "Ids of waiting operations in memory; the queue itself is in the database.",
    registers,
    collect() {
      this.set(sizes.line().waiting);
    },
  });
  new Gauge({
    name: "opjob_places",
    help: "Operations in memory for which a Job may exist that is not seen, or is about to.",
    registers,
    collect() {
      this.set(sizes.line().places);
    },
  });
  new Gauge({
    name: "opjob_gate_closed",
    help: "1 for an orchestrator whose operations wait, by what they wait for (limit, backpressure, breaker, image).",
    labelNames: ["orchestrator", "gate"],
    registers,
    collect() {
      this.reset();
      for (const [orchestrator, { gate }] of sizes.closed()) this.set({ orchestrator, gate }, 1);
    },
  });
  new Gauge({
    name: "opjob_breaker_open",
    help: "1 for an orchestrator whose launches met the same fault again and again, by the fault's code: one operation at a time is tried.",
    labelNames: ["orchestrator", "code"],
    registers,
    collect() {
      this.reset();
      for (const [orchestrator, code] of sizes.faults().tripped) this.set({ orchestrator, code }, 1);
    },
  });
  new Gauge({
    name: "opjob_images_absent",
    help: "Images that cannot be pulled: one operation at a time is tried for each.",
    registers,
    collect() {
      this.set(sizes.faults().images.length);
    },
  });
}
