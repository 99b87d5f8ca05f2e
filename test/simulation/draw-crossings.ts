// Makes of a plan one in which two things cross that seldom meet: a creation that is done long after its caller gave it up, and its
// operation's end; a Pod that starts, and the end of the patience with it; what people do, and an opjob that is away. Pure.
import type { Chance } from "./chance.ts";
import type { PodFate } from "./kubernetes/node.ts";
import { type Act, type ActKind, DATABASE_SERVICE, type Incident, type OperationPlan, type Plan } from "./plan.ts";
import { FOREVER } from "./time.ts";
import type { WorkerFate } from "./worker.ts";

/** How often two things cross. */
const OFTEN = 0.4;

type With = (plan: Plan, draw: Chance) => Plan;

export const withCrossings: With = (plan, draw) => (draw.happens(OFTEN) ? draw.pick(KINDS)(plan, draw) : plan);

const KINDS: readonly With[] = [
  (plan, draw) => withLateCreation(plan, draw),
  (plan, draw) => withLateStart(plan, draw),
  (plan, draw) => withAbsence(plan, draw),
  (plan, draw) => withAbsence(plan, draw),
  (plan, draw) => withDeletedBehindLists(plan, draw),
  (plan, draw) => withFailureTakenBack(plan, draw),
];

/** Pods of some operations wait for something, for ever or for long. */
const stuck = (plan: Plan, draw: Chance, pod: () => Partial<PodFate>): OperationPlan[] =>
  plan.operations.map((one) => {
    if (draw.happens(0.4)) return one;
    const waits = pod();
    return { ...one, fates: one.fates.map((fates) => ({ ...fates, pod: { ...fates.pod, ...waits } })) };
  });

/** A second Job comes of a call that is long forgotten, when the first one is gone and nobody expects any more. */
function withLateCreation(plan: Plan, draw: Chance): Plan {
  const verb = "create jobs";
  const call = 1 + draw.below(3);
  const operations = stuck(plan, draw, () => ({
    obstacle: draw.pick(["Unschedulable", "CreateContainerConfigError", "slow-volume"] as const),
    obstacleMs: draw.happens(0.7) ? FOREVER : draw.between(5_000, 30_000),
  }));
  const acts = operations.flatMap((_, operation): Act[] => {
    const kind = draw.pick(["fail", "fail", "delete", "delete-job", "requeue"] as const);
    const at = { call, verb, afterMs: Math.round(draw.between(10_500, 30_000)) };
    return draw.happens(0.7) ? [{ at, kind, operation }] : [];
  });
  const mishaps = [...(plan.mishaps ?? []), { at: { call, verb }, kind: "late" } as const];
  return { ...plan, operations, acts: [...plan.acts, ...acts], mishaps };
}

/** After so long opjob gives up a Pod that waits for this (ms). */
const PATIENCE = { "slow-volume": 45_000, "registry-away": 90_000 } as const;

/** A container starts when its Pod has just waited as long as it may, and every call takes long; or somebody lets it go then. */
function withLateStart(plan: Plan, draw: Chance): Plan {
  const operation = draw.below(plan.operations.length);
  const obstacle = draw.pick(["slow-volume", "slow-volume", "registry-away"] as const);
  const patience = PATIENCE[obstacle];
  const mended = draw.happens(0.5);
  const obstacleMs = mended ? FOREVER : patience + draw.between(-5_000, 10_000);
  const operations = plan.operations.map((one, nth): OperationPlan => {
    if (nth !== operation) return one;
    const late = one.fates.map((fates) => ({
      ...fates,
      job: { ...fates.job, suspendedMs: 0 },
      pod: { ...fates.pod, obstacle, obstacleMs, evictedMs: FOREVER },
    }));
    return { ...one, oddity: undefined, fates: late };
  });
  const from = Math.round((plan.operations[operation]?.at ?? 0) + patience - 5_000);
  const slow = { from, ms: 30_000, kind: "slow", probability: draw.pick([0.3, 1]) } as const;
  const troubles = [{ ...slow, service: DATABASE_SERVICE, daemon: undefined }];
  const act: Act = { at: { call: 1 + draw.below(3), verb: "updateOne" }, kind: "unblock", operation };
  return {
    ...plan,
    horizonMs: Math.max(plan.horizonMs, from + 40_000),
    operations,
    acts: [...plan.acts, ...(mended ? [act] : [])],
    troubles: [...(mended ? [] : troubles), ...plan.troubles],
  };
}

const MEANWHILE: readonly ActKind[] = [
  "requeue",
  "requeue",
  "requeue",
  "fail",
  "fail",
  "schedule",
  "promote",
  "archive",
  "delete-job",
  "delete-pod",
];

/** Nobody is there for a while, and people and workers go on: of what came in between nobody ever hears. */
function withAbsence(plan: Plan, draw: Chance): Plan {
  const [first] = plan.daemons;
  if (first === undefined) return plan;
  const verb = draw.pick(["create jobs", "create jobs", "create jobs", "bulkWrite", "findOneAndUpdate"] as const);
  const call = 1 + draw.below(4);
  const downMs = Math.round(draw.between(15_000, 60_000));
  const operation = draw.below(plan.operations.length);
  const acts = Array.from({ length: draw.below(4) }, (): Act => {
    const at = { call, verb, afterMs: Math.round(draw.between(0, downMs * 0.6)) };
    return { at, kind: draw.pick(MEANWHILE), operation: draw.happens(0.8) ? operation : 0 };
  });
  const early = draw.happens(0.3);
  const operations = plan.operations.map((one): OperationPlan => {
    const lingerMs = draw.happens(0.5) ? FOREVER : 1_000;
    const worker = (fate: WorkerFate): WorkerFate => ({ ...fate, lingerMs, ...(early && { ends: "dies-early" }) });
    return { ...one, fates: one.fates.map((fates) => ({ ...fates, worker: worker(fates.worker) })) };
  });
  const kill = { call, verb, side: "after", downMs } as const;
  return {
    ...plan,
    operations,
    daemons: [{ ...first, kills: [kill, ...first.kills] }],
    acts: [...plan.acts, ...acts],
  };
}

/** Jobs are deleted whose Pods have not begun, while a server shows empty lists. */
function withDeletedBehindLists(plan: Plan, draw: Chance): Plan {
  const from = Math.round(draw.between(0, plan.horizonMs * 0.5));
  const ms = Math.round(draw.between(10_000, 30_000));
  const operations = stuck(plan, draw, () => ({
    obstacle: "slow-volume",
    obstacleMs: draw.between(10_000, 60_000),
    evictedMs: FOREVER,
  }));
  const acts = operations.map(
    (_, operation): Act => ({
      at: Math.round(draw.between(from, from + ms)),
      kind: draw.pick(["delete-job", "delete-job", "delete-pod"]),
      operation,
    }),
  );
  const again = Array.from({ length: 1 + draw.below(3) }, (): Incident => {
    const at = Math.round(draw.between(from, from + ms));
    return { at, kind: "forget-versions", ms: 0 };
  });
  const service = draw.below(plan.clusterSkewMs.length);
  const probability = draw.pick([0.3, 1]);
  return {
    ...plan,
    operations,
    acts: [...plan.acts, ...acts],
    troubles: [{ from, ms, service, daemon: undefined, kind: "empty-list", probability }, ...plan.troubles],
    incidents: [...plan.incidents, ...again],
  };
}

/** A primary is cut off just when operations fail for what their Pods wait for: no majority ever has it. */
function withFailureTakenBack(plan: Plan, draw: Chance): Plan {
  const operations = stuck(plan, draw, () => ({ obstacle: "CreateContainerConfigError", obstacleMs: FOREVER }));
  const at = Math.round((draw.pick(operations)?.at ?? 0) + draw.between(12_000, 24_000));
  const failover: Incident = { at, kind: "failover", ms: Math.round(draw.between(4_000, 9_000)) };
  return {
    ...plan,
    horizonMs: Math.max(plan.horizonMs, at + 20_000),
    operations,
    incidents: [...plan.incidents, failover],
  };
}
