// Makes a failing plan smaller: leaves out one thing after the other, as long as the same rule is still violated.
// Knows plans; nothing of what they do.
import type { DaemonPlan, OperationPlan, Plan } from "./plan.ts";
import { FOREVER } from "./time.ts";

/** How many runs it may take at the most. */
const RUNS = 400;

/** @param fails whether a plan still violates the rule */
export async function shrink(plan: Plan, fails: (plan: Plan) => Promise<boolean>): Promise<Plan> {
  let best = plan;
  let runs = 0;
  for (let progress = true; progress; ) {
    progress = false;
    for (const smaller of candidates(best)) {
      if (++runs > RUNS) return best;
      if (!(await fails(smaller))) continue;
      best = smaller;
      progress = true;
      break;
    }
  }
  return best;
}

const LISTS = ["incidents", "hints", "troubles", "acts"] as const;

/** Everything that is one step smaller, the largest steps first. */
function* candidates(plan: Plan): Generator<Plan> {
  for (const list of LISTS) if (plan[list].length > 1) yield { ...plan, [list]: [] };
  yield* calmer(plan);
  if (plan.daemons.length > 1) for (const daemons of without(plan.daemons)) yield { ...plan, daemons };
  for (const operations of each(plan.operations, leftOut)) yield { ...plan, operations };
  for (const list of LISTS) for (const kept of without<unknown>(plan[list])) yield { ...plan, [list]: kept };
  for (const daemons of each(plan.daemons, simpler)) yield { ...plan, daemons };
  for (const operations of each(plan.operations, plain)) yield { ...plan, operations };
  yield* milder(plan);
}

function* calmer(plan: Plan): Generator<Plan> {
  for (const storms of without(plan.storms ?? [])) yield { ...plan, storms };
  for (const mishaps of without(plan.mishaps ?? [])) yield { ...plan, mishaps };
  if (plan.lease && plan.daemons.length === 1) yield { ...plan, lease: false };
  if (plan.limit) yield { ...plan, limit: 0 };
  if (plan.turnMs) yield { ...plan, turnMs: 0 };
}

/** What stays is made milder. */
function* milder(plan: Plan): Generator<Plan> {
  if (plan.clusterSkewMs.some((ms) => ms !== 0)) yield { ...plan, clusterSkewMs: plan.clusterSkewMs.map(() => 0) };
  for (const orchestrators of each(plan.orchestrators, (one) => (one.ttl ? [{ ...one, ttl: undefined }] : [])))
    yield { ...plan, orchestrators };
  for (const troubles of each(plan.troubles, (one) => (one.ms > 1_000 ? [{ ...one, ms: one.ms >> 1 }] : [])))
    yield { ...plan, troubles };
}

const without = <T>(list: readonly T[]): T[][] => list.map((_, nth) => list.toSpliced(nth, 1));

/** The list with one of its elements replaced by each of its variants. */
const each = <T>(list: readonly T[], variants: (one: T) => readonly T[]): T[][] =>
  list.flatMap((one, nth) => variants(one).map((variant) => list.with(nth, variant)));

/** Its number stays: others go by theirs. */
const leftOut = (operation: OperationPlan): OperationPlan[] => (operation.at < 0 ? [] : [{ ...operation, at: -1 }]);

function simpler(daemon: DaemonPlan): DaemonPlan[] {
  const { kills, pauses, stops, skewMs, startAt, rate = 1 } = daemon;
  return [
    ...without(kills).map((kept) => ({ ...daemon, kills: kept })),
    ...without(pauses).map((kept) => ({ ...daemon, pauses: kept })),
    ...without(stops).map((kept) => ({ ...daemon, stops: kept })),
    ...(skewMs === 0 ? [] : [{ ...daemon, skewMs: 0 }]),
    ...(startAt === 0 ? [] : [{ ...daemon, startAt: 0 }]),
    ...(rate === 1 ? [] : [{ ...daemon, rate: 1 }]),
    ...each(pauses, (one) => (one.frozen ? [{ at: one.at, ms: one.ms }] : [])).map((thawed) => ({
      ...daemon,
      pauses: thawed,
    })),
  ];
}

/** Nothing goes wrong by itself. */
function plain(operation: OperationPlan): OperationPlan[] {
  if (operation.at < 0) return [];
  const variants: OperationPlan[] = operation.oddity === undefined ? [] : [{ ...operation, oddity: undefined }];
  if (operation.rerun) variants.push({ ...operation, rerun: false });
  const [fates] = operation.fates;
  if (fates === undefined) return variants;
  const { job, pod, worker } = fates;
  const simple = {
    job: { ...job, twin: false, replaces: false, suspendedMs: 0, refused: false },
    pod: { ...pod, obstacle: undefined, evictedMs: FOREVER, goneMs: 50 },
    worker: { ...worker, ends: "completes" as const, lingerMs: 100 },
  };
  if (JSON.stringify([simple]) !== JSON.stringify(operation.fates)) variants.push({ ...operation, fates: [simple] });
  return variants;
}
