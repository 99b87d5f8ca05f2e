// Makes of a plan one in which something happens in the very middle of a call: between a look and the deletion that follows from
// it, between a claim and the Job, between a write and what a failover leaves of it. And one in which a leader is overtaken whose
// writes are under way, while nobody reaches the clusters. Pure.
import type { Chance } from "./chance.ts";
import type { Act, ActKind, DaemonPlan, Incident, Kill, OperationPlan, Pause, Plan, Trouble } from "./plan.ts";
import { DATABASE_SERVICE } from "./plan.ts";

/** How often something happens at a call, and how often a leader is overtaken while clusters are away. */
const OFTEN = 0.3;
const OVERTAKEN = 0.12;

const WRITES = ["findOneAndUpdate", "updateMany", "updateOne", "bulkWrite"] as const;
const PAUSED = [...WRITES, "create jobs", "settle", ...Array.from({ length: 6 }, () => "get jobs" as const)] as const;
const KILLED = [...WRITES, "create jobs", "delete jobs"] as const;

export function withMoments(plan: Plan, draw: Chance): Plan {
  const leased = plan.lease === true;
  if (leased && plan.daemons.length > 1 && draw.happens(OVERTAKEN)) return withOvertaken(plan, draw);
  return draw.happens(OFTEN) ? draw.pick(leased ? [...KINDS, withPause, withPause] : KINDS)(plan, draw) : plan;
}

type With = (plan: Plan, draw: Chance) => Plan;

const withFailover: With = (plan, draw) => ({ ...plan, incidents: [...plan.incidents, drawFailover(draw)] });
const withActs: With = (plan, draw) => ({ ...plan, acts: [...plan.acts, drawAct(draw, plan), drawAct(draw, plan)] });
const withKill: With = (plan, draw) =>
  ofOne(plan, draw, (one) => ({ ...one, kills: [drawKill(draw, KILLED), ...one.kills] }));
/** A look at a Job is taken before a deletion, above all: somebody gives up what runs, so that there is one. */
const withPause: With = (plan, draw) => {
  const acts = [1, 2].map(
    (): Act => ({
      at: Math.round(draw.between(5_000, 40_000)),
      kind: draw.pick(["fail", "delete"]),
      operation: draw.below(plan.operations.length),
    }),
  );
  const paused = ofOne(plan, draw, (one) => ({ ...one, pauses: [drawPause(draw), ...one.pauses] }));
  return { ...paused, acts: [...plan.acts, ...acts] };
};

/** It dies when it has claimed, or just before. */
export const killedClaiming = (draw: Chance): Kill => ({
  ...drawKill(draw, ["findOneAndUpdate", "updateMany"]),
  downMs: Math.round(draw.between(100, 3_000)),
});

function ofOne(plan: Plan, draw: Chance, change: (daemon: DaemonPlan) => DaemonPlan): Plan {
  const nth = draw.below(plan.daemons.length);
  return { ...plan, daemons: plan.daemons.map((one, i) => (i === nth ? change(one) : one)) };
}

const ACTS: readonly ActKind[] = ["archive", "delete", "fail", "impostor", "impostor", "requeue", "schedule"];

function drawAct(draw: Chance, { operations }: Plan): Act {
  const kind = draw.pick(ACTS);
  const verb = kind === "impostor" ? "create jobs" : draw.pick([...WRITES, "create jobs"]);
  return { at: { call: 1 + draw.below(6), verb }, kind, operation: draw.below(operations.length) };
}

const KINDS: readonly With[] = [withFailover, withKill, withActs, withActs, (plan, draw) => withLostWorker(plan, draw)];

/** An operation's Pod is taken away before it starts; and while it is launched again a worker of it begins. */
function withLostWorker(plan: Plan, draw: Chance): Plan {
  const operation = draw.below(plan.operations.length);
  const operations = plan.operations.map((one, nth): OperationPlan => {
    const [first, ...more] = one.fates;
    if (nth !== operation || first === undefined) return one;
    const pod = { ...first.pod, start: 4_000, evictedMs: draw.between(100, 3_000) };
    return { ...one, oddity: undefined, fates: [{ ...first, pod }, ...more] };
  });
  const acts = [1, 2, 3].map((call): Act => ({ at: { call, verb: "updateOne" }, kind: "lost-worker", operation }));
  return { ...plan, operations, acts: [...plan.acts, draw.pick(acts)] };
}

const drawFailover = (draw: Chance): Incident => ({
  at: { call: 1 + draw.below(4), verb: draw.pick(WRITES) },
  kind: "failover",
  ms: Math.round(draw.between(200, 8_000)),
});

const drawKill = (draw: Chance, verbs: readonly string[]): Kill => ({
  call: 1 + draw.below(4),
  verb: draw.pick(verbs),
  side: draw.happens(0.7) ? "after" : "before",
  downMs: Math.round(draw.happens(0.7) ? draw.between(100, 5_000) : draw.between(5_000, 60_000)),
});

const drawPause = (draw: Chance): Pause => ({
  at: { call: 1 + draw.below(3), verb: draw.pick(PAUSED) },
  ms: Math.round(draw.between(12_000, 60_000)),
});

/** The first one leads, writes late, and stands still; whoever leads next sees no cluster for a while, and has new work. */
function withOvertaken(plan: Plan, draw: Chance): Plan {
  const from = Math.round(draw.between(0, 20_000));
  const late = Math.round(draw.between(8_000, 20_000));
  const at = from + late;
  const away = Math.round(draw.between(40_000, 60_000));
  const troubles: Trouble[] = [
    { from, ms: late, service: DATABASE_SERVICE, daemon: 0, kind: "late", probability: draw.pick([0.3, 0.6]) },
    ...plan.clusterSkewMs.map(
      (_, service): Trouble => ({
        from: at,
        ms: away,
        service,
        daemon: undefined,
        kind: "unreachable",
        probability: 1,
      }),
    ),
  ];
  const [first] = plan.operations;
  const fates = first?.fates ?? [];
  const more = (least: number, most: number): OperationPlan => {
    const orchestrator = draw.below(plan.orchestrators.length);
    return { at: Math.round(draw.between(least, most)), orchestrator, oddity: undefined, fates };
  };
  const pause: Pause = { at, ms: Math.round(draw.between(30_000, 60_000)) };
  return {
    ...plan,
    horizonMs: Math.max(plan.horizonMs, at + away + 10_000),
    troubles: [...troubles, ...plan.troubles],
    operations: [...plan.operations, more(from, at), more(from, at), more(from, at), more(at + 12_000, at + 30_000)],
    daemons: plan.daemons.map((one, nth) => (nth === 0 ? { ...one, pauses: [...one.pauses, pause] } : one)),
  };
}
