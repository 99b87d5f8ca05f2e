// Settings of the queue: how many operations may be in flight, and what happens while a cluster has no room. Pure.
import { DAY, natural, positive, type Settings } from "./formats.ts";

const MOST = 100_000;

export const QUEUE = {
  maxInFlight: {
    doc: "How many operations may be in flight at once over all orchestrators: with a Job that has not ended, or about to get one; 0: no limit.",
    format: natural(MOST),
    default: 0,
    env: "OPJOB_MAX_IN_FLIGHT",
  },
  maxInFlightPerCluster: {
    doc: "As OPJOB_MAX_IN_FLIGHT, for each cluster (the address of its API server); 0: no limit.",
    format: natural(MOST),
    default: 0,
    env: "OPJOB_MAX_IN_FLIGHT_PER_CLUSTER",
  },
  maxInFlightPerOrchestrator: {
    doc: "As OPJOB_MAX_IN_FLIGHT, for each orchestrator whose record names no `maxInFlight` of its own; 0: no limit.",
    format: natural(MOST),
    default: 0,
    env: "OPJOB_MAX_IN_FLIGHT_PER_ORCHESTRATOR",
  },
  breakerFaults: {
    doc: "After so many launches of an orchestrator in a row that met a fault which may pass (a cluster is away, a secret is missing), one operation at a time is tried until one works; the others wait. 0: all are tried by themselves.",
    format: natural(1_000),
    default: 3,
    env: "OPJOB_BREAKER_FAULTS",
  },
  backpressure: {
    doc: "Whether an orchestrator makes no more Jobs while its cluster has no room for those that it made: `on`, `off`, or `dry-run`, which only logs what it would do.",
    format: ["on", "off", "dry-run"],
    default: "on" as "on" | "off" | "dry-run",
    env: "OPJOB_BACKPRESSURE",
  },
  backpressureEngage: {
    doc: "As many Jobs of an orchestrator without a node (Unschedulable) stop it from making more.",
    format: positive(MOST),
    default: 50,
    env: "OPJOB_BACKPRESSURE_ENGAGE",
  },
  backpressureRelease: {
    doc: "As few Jobs of an orchestrator without a node let it make more again.",
    format: natural(MOST),
    default: 25,
    env: "OPJOB_BACKPRESSURE_RELEASE",
  },
  backpressureRampSeconds: {
    doc: "How long after that until as many Jobs as before may be without a node.",
    unit: "s",
    format: positive(DAY),
    default: 30,
    env: "OPJOB_BACKPRESSURE_RAMP_SECONDS",
  },
} satisfies Settings;
