// Makes of a plan one in which several replicas agree on a leader by a Lease, and in which that goes wrong as often as it can:
// leaders that stand still, clocks that differ, a cluster of the Lease that does not answer. Pure.
import type { Chance } from "./chance.ts";
import {
  DATABASE_SERVICE,
  type DaemonPlan,
  type Incident,
  LEASE_SERVICE,
  type Plan,
  type Trouble,
  type TroubleKind,
} from "./plan.ts";

/** How often replicas agree by a Lease. */
const OFTEN = 0.4;

export function withReplicas(plan: Plan, draw: Chance): Plan {
  if (!draw.happens(OFTEN)) return plan;
  const { horizonMs, daemons } = plan;
  const first = daemons[0] as DaemonPlan;
  const count = draw.happens(0.2) ? 1 : draw.happens(0.75) ? 2 : 3;
  const replicas = Array.from({ length: count }, (_, nth) =>
    drawReplica(draw, daemons[nth] ?? { ...first, kills: [], skewMs: skew(draw), startAt: 0 }, horizonMs),
  );
  const troubles = Array.from({ length: draw.below(4) }, () => drawTrouble(draw, horizonMs, count));
  const deletions: Incident[] = draw.happens(0.1)
    ? [{ at: Math.round(draw.between(0, horizonMs)), kind: "delete-lease", ms: 0 }]
    : [];
  const overtaken = draw.happens(0.3) ? [drawOvertaken(draw, horizonMs)] : [];
  const [leader] = replicas;
  return {
    ...plan,
    lease: true,
    daemons: replicas.with(0, {
      ...(leader as DaemonPlan),
      pauses: [...(leader?.pauses ?? []), ...overtaken.map(({ pause }) => pause)],
    }),
    troubles: [...plan.troubles, ...troubles, ...overtaken.map(({ trouble }) => trouble)],
    incidents: [...plan.incidents, ...deletions],
  };
}

const skew = (draw: Chance): number => (draw.happens(0.5) ? 0 : Math.round(draw.between(-20_000, 20_000)));

/** A clock that is off by a twentieth is a bad one. */
function drawReplica(draw: Chance, replica: DaemonPlan, horizonMs: number): DaemonPlan {
  const pauses = Array.from({ length: draw.happens(0.5) ? 1 + draw.below(2) : 0 }, () => ({
    at: Math.round(draw.between(0, horizonMs)),
    ms: Math.round(draw.happens(0.7) ? draw.between(30_000, 90_000) : draw.between(5_000, 20_000)),
    ...(draw.happens(0.25) && { frozen: true }),
  }));
  const stops = Array.from({ length: draw.happens(0.3) ? 1 : 0 }, () => ({
    at: Math.round(draw.between(1_000, horizonMs)),
    downMs: Math.round(draw.between(100, 60_000)),
  }));
  return {
    ...replica,
    rate: draw.happens(0.7) ? 1 : draw.between(0.95, 1.05),
    pauses: [...replica.pauses, ...pauses],
    stops: [...replica.stops, ...stops],
  };
}

/** Writes of a leader that are under way when it stands still, and that are done when another one leads. */
function drawOvertaken(draw: Chance, horizonMs: number) {
  const from = Math.round(draw.between(0, horizonMs * 0.6));
  const ms = Math.round(draw.between(5_000, 25_000));
  const probability = draw.pick([0.3, 0.6]);
  const trouble: Trouble = { from, ms, service: DATABASE_SERVICE, daemon: 0, kind: "late", probability };
  return { trouble, pause: { at: from + ms, ms: Math.round(draw.between(30_000, 60_000)) } };
}

const TROUBLES: readonly TroubleKind[] = [
  "slow",
  "unreachable",
  "unreachable",
  "lost-replies",
  "late",
  "throttled",
  "broken",
  "forbidden",
];

const drawTrouble = (draw: Chance, horizonMs: number, daemons: number): Trouble => ({
  from: Math.round(draw.between(0, horizonMs)),
  ms: Math.round(draw.between(2_000, 60_000)),
  service: LEASE_SERVICE,
  daemon: draw.happens(0.6) ? draw.below(daemons) : undefined,
  kind: draw.pick(TROUBLES),
  probability: draw.pick([0.3, 1, 1]),
});
