// Makes of a plan one with a storm: a fault that many operations of an orchestrator meet, and that passes by itself, maybe long
// after all else has gone right again. Pure.
import type { Chance } from "./chance.ts";
import { killedClaiming } from "./draw-moments.ts";
import type { DaemonPlan, OperationPlan, OrchestratorPlan, Plan, Storm } from "./plan.ts";

/** How often there is one. */
const OFTEN = 0.2;

export function withStorms(plan: Plan, draw: Chance): Plan {
  if (!draw.happens(OFTEN)) return plan;
  const { horizonMs, orchestrators, operations } = plan;
  const calm = draw.happens(0.5);
  const storms = Array.from({ length: draw.happens(0.8) ? 1 : 2 }, (): Storm => {
    const from = Math.round(draw.happens(0.3) ? 0 : draw.between(0, horizonMs * 0.7));
    const ms = draw.happens(0.5) ? draw.between(10_000, 60_000) : draw.between(60_000, horizonMs + 200_000);
    const kind = draw.pick(["quota", "forbidden", "secret", "image", "image"] as const);
    return { from, ms: Math.round(ms), orchestrator: draw.below(orchestrators.length), kind };
  });
  const [first = { orchestrator: 0, from: 0, ms: 0 }] = storms;
  const more = Array.from({ length: 3 + draw.below(6) }, (_, nth): OperationPlan => {
    const { fates } = operations[nth % operations.length] as OperationPlan;
    const orchestrator = draw.happens(0.8) ? first.orchestrator : draw.below(orchestrators.length);
    const at = Math.round(draw.happens(0.7) ? first.from + draw.between(0, 20_000) : draw.between(0, horizonMs));
    return { at, orchestrator, oddity: undefined, fates };
  });
  const images = orchestrators.map((one): OrchestratorPlan => ({ ...one, image: draw.happens(0.5) ? 1 : 2 }));
  return {
    ...plan,
    // Whoever a storm held comes all at once when it is over.
    ...(draw.happens(0.4) && { limit: 1 + draw.below(3) }),
    storms,
    orchestrators: images,
    operations: [...operations, ...more],
    // Half of the storms are all that goes wrong: then how they are met can be told from all else.
    ...(calm && { troubles: [], mishaps: [], acts: [], hints: [], incidents: [], daemons: calmed(plan, draw) }),
  };
}

/** What was claimed and has no Job when its daemon dies meets the storm as everybody else. */
function calmed({ daemons }: Plan, draw: Chance): DaemonPlan[] {
  const calm = daemons.map(undisturbed);
  const [first] = calm;
  return first && draw.happens(0.4) ? calm.with(0, { ...first, kills: [killedClaiming(draw)] }) : calm;
}

const undisturbed = (daemon: DaemonPlan): DaemonPlan => ({ ...daemon, kills: [], pauses: [], stops: [] });
