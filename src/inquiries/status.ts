// How it stands: each orchestrator with its cluster, its queue and its Jobs, what is left alone, and what failed lately.
// Reads only; one harmless call to each cluster.
import { asOpjobError } from "../errors.ts";
import type { Shown, TargetCount } from "../operations/mongo-reads.ts";
import { isActive } from "../orchestrators/mongo-records.ts";
import type { Desk } from "./desk.ts";
import { type LeaderFact, leaderOf } from "./leader.ts";
import { targetFact } from "./target.ts";

export type Fault = { readonly code: string; readonly message: string; readonly remedy: string };

export type OrchestratorStatus = {
  readonly id: string;
  readonly active: boolean;
  readonly cluster: string | undefined;
  readonly namespace: string | undefined;
  /** How long the cluster took to answer (ms); undefined: it did not, or was not asked. */
  readonly answeredMs: number | undefined;
  readonly faults: readonly Fault[];
  readonly operators: number;
} & Queue;

export type Queue = {
  /** Not taken yet, or held. */
  readonly waiting: number;
  readonly held: number;
  /** With a Job that has not ended. */
  readonly inFlight: number;
  readonly running: number;
  readonly oldest: Date | undefined;
};

export type Status = {
  readonly database: string;
  /** Which replica leads. */
  readonly leader: LeaderFact;
  readonly orchestrators: readonly OrchestratorStatus[];
  /** Operations that opjob leaves alone, by why. */
  readonly leftAlone: readonly { readonly target: string | null; readonly why: string; readonly count: number }[];
  readonly failures: readonly Shown[];
};

/** A Job that nobody has: asking for it shows whether the cluster answers and takes the credential. */
const PROBE = "opjob-probe";

export async function statusOf(desk: Desk, failures: number): Promise<Status> {
  const counts = await desk.reads.counts();
  const ids = desk.records.filter(({ environment }) => environment === "kubernetes");
  const named = [...new Set(ids.flatMap(({ instance_id: id }) => (typeof id === "string" ? [id] : [])))].toSorted();
  return {
    database: desk.config.databaseName,
    leader: await leaderOf(desk),
    orchestrators: await Promise.all(named.map((id) => orchestratorStatus(desk, id, counts))),
    leftAlone: leftAlone(desk, counts),
    failures: await desk.reads.list({ states: ["failed"], target: undefined, limit: failures, order: "newest" }),
  };
}

async function orchestratorStatus(desk: Desk, id: string, counts: readonly TargetCount[]): Promise<OrchestratorStatus> {
  const active = desk.directory.isActive(id);
  const record = desk.records.findLast((one) => one["instance_id"] === id && isActive(one) === active);
  const operators: unknown = record?.["available_operators"];
  const probed = await probe(desk, id);
  const template = await templateFault(desk, id);
  return {
    id,
    active,
    ...probed,
    faults: [
      ...probed.faults,
      ...(template && !probed.faults.some(({ code }) => code === template.code) ? [template] : []),
    ],
    operators: Array.isArray(operators) ? operators.length : 0,
    ...queueOf(counts.filter(({ target, archived }) => target === id && !archived)),
  };
}

async function probe({ placer }: Desk, id: string) {
  let cluster: string | undefined;
  let namespace: string | undefined;
  try {
    const reached = await placer.site(id);
    cluster = reached.cluster.server;
    namespace = reached.namespace;
    const began = performance.now();
    await reached.cluster.getJob(reached.namespace, PROBE);
    return { cluster, namespace, answeredMs: Math.round(performance.now() - began), faults: [] };
  } catch (error) {
    return { cluster, namespace, answeredMs: undefined, faults: [faultOf(error)] };
  }
}

/** A template is a path in opjob's Pod: elsewhere it says nothing that the file is not there. */
async function templateFault({ placer, surroundings }: Desk, id: string): Promise<Fault | undefined> {
  try {
    await placer.recipe(id);
    return undefined;
  } catch (error) {
    const fault = faultOf(error);
    if (!fault.code.startsWith("TEMPLATE_")) return undefined; // `probe` has told it
    return fault.code === "TEMPLATE_MISSING" && !surroundings.inCluster ? undefined : fault;
  }
}

function faultOf(error: unknown): Fault {
  const { code, message, remedy } = asOpjobError(error);
  return { code, message, remedy };
}

const IN_FLIGHT = ["created", "waiting", "running", "finished"];

function queueOf(counts: readonly TargetCount[]): Queue {
  const sum = (where: (count: TargetCount) => boolean): number =>
    counts.filter(where).reduce((total, { count }) => total + count, 0);
  const flies = ({ phase }: TargetCount): boolean => IN_FLIGHT.includes(phase ?? "");
  const waits = (count: TargetCount): boolean => count.state === "queued" && !flies(count);
  const oldest = counts.filter(waits).flatMap(({ oldest: at }) => (at ? [at] : []));
  return {
    waiting: sum(waits),
    held: sum((count) => waits(count) && count.phase === "held"),
    inFlight: sum((count) => count.state !== "scheduled" && flies(count)),
    running: sum(({ state }) => state === "running"),
    oldest: oldest.toSorted((a, b) => a.getTime() - b.getTime())[0],
  };
}

function leftAlone({ records }: Desk, counts: readonly TargetCount[]): Status["leftAlone"] {
  return counts.flatMap(({ target, state, archived, count }) => {
    const why = whyAlone(targetFact(target, records).kind, state, archived);
    return why === undefined || state === "running" ? [] : [{ target, why, count }];
  });
}

function whyAlone(kind: ReturnType<typeof targetFact>["kind"], state: string, archived: boolean): string | undefined {
  if (kind !== "ours") return WHY[kind];
  if (state === "scheduled") return "scheduled, not queued";
  return archived ? "archived" : undefined;
}

const WHY = {
  none: "names no orchestrator",
  unknown: "no such orchestrator",
  elsewhere: "not on Kubernetes",
  deactivated: "deactivated",
} as const;
