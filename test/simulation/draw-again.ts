// Makes of a plan one in which places are taken away: from workers whose operators may run twice, and on nodes that are lost to their
// cluster, so that a Pod that was deleted stays long after. Pure.
import type { Chance } from "./chance.ts";
import type { PodFate } from "./kubernetes/node.ts";
import type { Act, OperationPlan, Plan } from "./plan.ts";
import { FOREVER } from "./time.ts";

/** How often operators may run twice, and how often nodes are lost. */
const AGAIN = 0.25;
const LOST = 0.1;

export function withReruns(plan: Plan, draw: Chance): Plan {
  const again = draw.happens(AGAIN) ? withAgain(plan, draw) : plan;
  return draw.happens(LOST) ? withLostNodes(again, draw) : again;
}

/** The other ones stay as they are: what is right for one kind is wrong for the other. */
function withAgain(plan: Plan, draw: Chance): Plan {
  const operations = plan.operations.map(
    (one): OperationPlan =>
      draw.happens(0.7) ? { ...one, rerun: true, fates: one.fates.map((fates) => takenAway(fates, draw)) } : one,
  );
  const acts = Array.from({ length: draw.below(4) }, (): Act => {
    const kind = draw.pick(["delete-job", "delete-job-foreground", "delete-pod"] as const);
    return { at: Math.round(draw.between(2_000, plan.horizonMs)), kind, operation: draw.below(operations.length) };
  });
  return { ...plan, operations, acts: [...plan.acts, ...acts] };
}

/** Half of them lose their place while they run, or end by a fault of their node. */
function takenAway({ job, pod, worker }: OperationPlan["fates"][number], draw: Chance): OperationPlan["fates"][number] {
  if (draw.happens(0.5)) return { job, pod, worker };
  const dies = draw.happens(0.4);
  return {
    job: { ...job, suspendedMs: 0, refused: false },
    pod: {
      ...pod,
      obstacle: undefined,
      evictedMs: dies ? FOREVER : draw.between(3_000, 30_000),
      graceMs: draw.happens(0.5) ? 30_000 : draw.between(10, 60_000),
    },
    worker: { ...worker, ends: dies ? "dies-amid" : worker.ends, runMs: draw.between(2_000, 40_000) },
  };
}

/** Of some operations every Pod goes only long after it was deleted, whether it runs or not. */
function withLostNodes(plan: Plan, draw: Chance): Plan {
  const lost = (pod: PodFate): PodFate => {
    const ms = draw.happens(0.2) ? draw.between(250_000, 400_000) : draw.between(10_000, 60_000);
    const evictedMs = draw.happens(0.5) ? draw.between(100, 20_000) : pod.evictedMs;
    return { ...pod, evictedMs, graceMs: ms, goneMs: ms };
  };
  const operations = plan.operations.map(
    (one): OperationPlan =>
      draw.happens(0.5) ? { ...one, fates: one.fates.map((fates) => ({ ...fates, pod: lost(fates.pod) })) } : one,
  );
  return { ...plan, operations };
}
