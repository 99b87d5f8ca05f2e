// Draws a plan from a seed: most of it ordinary, some of it as bad as it gets. Pure.
import { type Chance, chance } from "./chance.ts";
import { withReruns } from "./draw-again.ts";
import { withCrossings } from "./draw-crossings.ts";
import { withMoments } from "./draw-moments.ts";
import { withReplicas } from "./draw-replicas.ts";
import { withStorms } from "./draw-storms.ts";
import type { Fates } from "./kubernetes/cluster.ts";
import type {
  Act,
  ActKind,
  DaemonPlan,
  HintTrouble,
  Incident,
  Oddity,
  OperationPlan,
  OrchestratorPlan,
  Plan,
  Trouble,
  TroubleKind,
} from "./plan.ts";
import { FOREVER } from "./time.ts";
import type { WorkerFate } from "./worker.ts";

export const NAMESPACES = ["team-a", "team-b"] as const;

/**
 * What a plan is about: half of them are about everything, a little; the others about few things that meet again and again.
 * What is not given is as in all plans.
 */
type Theme = {
  readonly acts?: readonly ActKind[];
  readonly incidents?: readonly Incident["kind"][];
  readonly troubles?: readonly TroubleKind[];
  readonly hints?: readonly HintTrouble["kind"][];
  /** How many of each there are at the most, and how often two daemons work at once. */
  readonly most?: number;
  readonly twoDaemons?: number;
  readonly lingers?: number;
};

const THEMES: readonly Theme[] = [
  { incidents: ["failover"], most: 7, lingers: 0.4 },
  { acts: ["requeue", "requeue", "requeue", "fail", "schedule", "promote"], most: 7, twoDaemons: 0.7 },
  { acts: ["replace-job", "delete-job", "impostor", "fail", "delete"], hints: ["late"], most: 6 },
  { troubles: ["empty-list"], incidents: ["forget-versions", "silence-watches", "cut-watches"], most: 4, lingers: 0.4 },
  { troubles: ["late", "lost-replies"], most: 5, twoDaemons: 0.5 },
  { troubles: ["slow"], acts: ["requeue", "requeue", "schedule", "promote"], most: 6, twoDaemons: 1 },
];

export function drawPlan(seed: number): Plan {
  const draw = chance(seed, "plan");
  const theme = draw.happens(0.5) ? {} : draw.pick(THEMES);
  const horizonMs = Math.round(draw.between(40_000, 150_000));
  const clusters = draw.happens(0.3) ? 2 : 1;
  const orchestrators = times(
    draw.happens(0.5) ? 2 : 1,
    (i): OrchestratorPlan => ({
      cluster: i % clusters,
      namespace: draw.pick(NAMESPACES),
      ttl: draw.pick([undefined, 5, 30]),
    }),
  );
  const operations = times(1 + draw.below(5), () => drawOperation(draw, theme, orchestrators.length, horizonMs));
  const scene = { draw, theme, horizonMs, clusters, operations: operations.length };
  const daemons = times(draw.happens(theme.twoDaemons ?? 0.35) ? 2 : 1, (i) => drawDaemon(scene, i));
  const troubles = times(many(scene, "troubles", 5), () => drawTrouble(scene, daemons.length));
  const plain: Plan = {
    seed,
    horizonMs,
    limit: drawLimit(chance(seed, "limit")),
    ...drawTurns(chance(seed, "turns")),
    clusterSkewMs: times(clusters, () => skew(draw)),
    orchestrators,
    operations,
    daemons,
    acts: times(many(scene, "acts", 4), () => drawAct(scene)),
    troubles,
    hints: times(many(scene, "hints", 3), () => drawHint(scene)),
    incidents: [...times(many(scene, "incidents", 4), () => drawIncident(scene)), ...troubles.flatMap(relisting)],
  };
  const replicated = withReplicas(plain, chance(seed, "lease"));
  const again = withReruns(replicated, chance(seed, "reruns"));
  const crossed = withCrossings(withMoments(again, chance(seed, "moments")), chance(seed, "crossings"));
  return withStorms(crossed, chance(seed, "storm"));
}

/** A cluster's rate limit, or its wish for a pause, may hold up what has been decided. */
const drawTurns = (draw: Chance): Pick<Plan, "turnMs"> =>
  draw.happens(0.2) ? { turnMs: draw.pick([2_000, 12_000]) } : {};

const drawLimit = (draw: Chance): number => (draw.happens(0.25) ? 1 + draw.below(3) : 0);

type Scene = {
  readonly draw: Chance;
  readonly theme: Theme;
  readonly horizonMs: number;
  readonly clusters: number;
  readonly operations: number;
};

/** How many there are of a kind: more of what the plan is about, and at least one. */
const many = ({ draw, theme }: Scene, kind: "acts" | "incidents" | "troubles" | "hints", usual: number): number =>
  theme[kind] === undefined ? draw.below(usual) : 1 + draw.below(theme.most ?? usual);

const times = <T>(count: number, make: (nth: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));
const skew = (draw: Chance): number => (draw.happens(0.7) ? 0 : Math.round(draw.between(-20_000, 20_000)));

const ODDITIES: readonly Oddity[] = [
  "no-target",
  "unknown-target",
  "other-environment",
  "archived",
  "scheduled",
  "running",
  "no-date",
];

function drawOperation(draw: Chance, theme: Theme, orchestrators: number, horizonMs: number): OperationPlan {
  return {
    at: Math.round(draw.happens(0.4) ? 0 : draw.between(0, horizonMs * 0.6)),
    orchestrator: draw.below(orchestrators),
    oddity: draw.happens(0.15) ? draw.pick(ODDITIES) : undefined,
    fates: times(2, () => drawFates(draw, theme)),
  };
}

/** Mostly in order: each of the ways to go wrong is seldom, so that they meet one another one by one. */
function drawFates(draw: Chance, { lingers = 0.08 }: Theme): Fates {
  const obstacle = draw.happens(0.15)
    ? draw.pick(["Unschedulable", "ImagePullBackOff", "CreateContainerConfigError", "slow-volume"] as const)
    : undefined;
  return {
    job: {
      seen: draw.happens(0.1) ? 8_000 : 500,
      twin: draw.happens(0.03),
      replaces: draw.happens(0.5),
      suspendedMs: draw.happens(0.04) ? draw.between(1_000, 90_000) : 0,
      refused: draw.happens(0.03),
    },
    pod: {
      schedule: draw.between(10, 2_000),
      start: draw.between(50, 4_000),
      obstacle,
      obstacleMs: draw.happens(0.5) ? FOREVER : draw.between(1_000, 60_000),
      graceMs: draw.happens(0.3) ? 30_000 : draw.between(10, 1_000),
      evictedMs: draw.happens(0.05) ? draw.between(100, 40_000) : FOREVER,
    },
    worker: drawWorker(draw, lingers),
  };
}

const drawWorker = (draw: Chance, lingers: number): WorkerFate => ({
  bootMs: draw.between(50, 3_000),
  runMs: draw.happens(0.2) ? draw.between(20_000, 90_000) : draw.between(10, 10_000),
  ends: draw.happens(0.3)
    ? draw.pick(["fails", "dies-early", "dies-amid", "dies-late", "forgets", "hangs"] as const)
    : "completes",
  lingerMs: draw.happens(lingers) ? FOREVER : draw.between(10, 2_000),
});

function drawDaemon({ draw, horizonMs }: Scene, nth: number): DaemonPlan {
  const kills = draw.happens(0.6) ? draw.below(4) : 0;
  return {
    startAt: nth === 0 ? 0 : Math.round(draw.between(0, horizonMs / 2)),
    skewMs: skew(draw),
    kills: times(kills, () => ({
      call: 1 + draw.below(draw.happens(0.5) ? 30 : 120),
      side: draw.pick(["before", "after"] as const),
      downMs: Math.round(draw.happens(0.7) ? draw.between(100, 5_000) : draw.between(5_000, 60_000)),
    })),
    pauses: times(draw.happens(0.25) ? 1 + draw.below(2) : 0, () => ({
      at: Math.round(draw.between(0, horizonMs)),
      ms: Math.round(draw.between(1_000, 60_000)),
    })),
    stops: times(draw.happens(0.15) ? 1 : 0, () => ({
      at: Math.round(draw.between(1_000, horizonMs)),
      downMs: Math.round(draw.between(100, 20_000)),
    })),
  };
}

const ACTS: readonly ActKind[] = [
  "fail",
  "fail",
  "delete",
  "delete",
  "archive",
  "requeue",
  "requeue",
  "schedule",
  "promote",
  "delete-job",
  "delete-job-foreground",
  "delete-pod",
  "replace-job",
  "impostor",
  "deactivate",
  "reactivate",
];

const drawAct = ({ draw, theme, horizonMs, operations }: Scene): Act => ({
  at: draw.happens(0.5) ? Math.round(draw.between(0, horizonMs)) : { call: 15 + draw.below(100) },
  kind: draw.pick(theme.acts ?? ACTS),
  operation: draw.below(operations),
});

const DATABASE_TROUBLES: readonly TroubleKind[] = ["slow", "unreachable", "lost-replies", "late", "not-primary"];
const CLUSTER_TROUBLES: readonly TroubleKind[] = [
  "slow",
  "unreachable",
  "lost-replies",
  "late",
  "throttled",
  "broken",
  "overloaded",
  "forbidden",
  "empty-list",
];

function drawTrouble({ draw, theme, horizonMs, clusters }: Scene, daemons: number): Trouble {
  const kind = draw.pick(theme.troubles ?? [...DATABASE_TROUBLES, ...CLUSTER_TROUBLES]);
  const database = DATABASE_TROUBLES.includes(kind) && (!CLUSTER_TROUBLES.includes(kind) || draw.happens(0.4));
  return {
    from: Math.round(draw.between(0, horizonMs)),
    ms: Math.round(draw.between(500, 45_000)),
    service: database ? -1 : draw.below(clusters),
    daemon: draw.happens(0.5) ? draw.below(daemons) : undefined,
    kind,
    probability: draw.pick([0.05, 0.3, 1]),
  };
}

function drawHint({ draw, theme, horizonMs }: Scene): HintTrouble {
  const kind = draw.pick(theme.hints ?? (["dropped", "doubled", "late"] as const));
  const of = kind === "dropped" ? "streams" : draw.pick(["streams", "watches"] as const);
  return {
    from: Math.round(draw.between(0, horizonMs)),
    ms: Math.round(draw.between(1_000, 60_000)),
    kind,
    of,
  };
}

/** A list that is wrong does harm only when somebody lists. */
const relisting = ({ kind, from, ms }: Trouble): Incident[] =>
  kind === "empty-list" ? [{ at: from + (ms >> 2), kind: "forget-versions", ms: 0 }] : [];

const INCIDENTS: readonly Incident["kind"][] = [
  "cut-streams",
  "cut-watches",
  "silence-watches",
  "forget-oplog",
  "forget-versions",
  "failover",
  "partition",
];

const drawIncident = ({ draw, theme, horizonMs }: Scene): Incident => ({
  at: Math.round(draw.between(0, horizonMs)),
  kind: draw.pick(theme.incidents ?? INCIDENTS),
  ms: Math.round(draw.between(200, 8_000)),
});
