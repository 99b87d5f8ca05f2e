// Daemons in the world: each is started, killed, stopped and paused by the plan, and started again. Knows how the real daemon is
// given another outside; must not know what is expected of it.
import { type Config, readConfig } from "../../src/config.ts";
import { startDaemon } from "../../src/daemon.ts";
import type { Log } from "../../src/log.ts";
import { createMetrics } from "../../src/metrics.ts";
import type { Outside } from "../../src/outside.ts";
import { accessToHome, HOME } from "./kubernetes/home.ts";
import { simulatedConnect, type Turns } from "./kubernetes/speaker.ts";
import { Life } from "./life.ts";
import { simulatedClient } from "./mongo/driver.ts";
import { type DaemonPlan, type Plan, RERUN_OPERATORS } from "./plan.ts";
import { SECRET, type World } from "./world.ts";

/** The settings of every simulated daemon: short, so that much happens in little time. */
export const SETTINGS = {
  FIFTYONE_DATABASE_URI: "mongodb://simulated/",
  FIFTYONE_ENCRYPTION_KEY: SECRET,
  OPJOB_INSTANCE: "simulated",
  OPJOB_HTTP_PORT: "0",
  OPJOB_IMAGE_GRACE_SECONDS: "15",
  OPJOB_PENDING_TIMEOUT_SECONDS: "45",
  OPJOB_RESULT_GRACE_SECONDS: "5",
  OPJOB_RETRY_MAX_SECONDS: "20",
  OPJOB_RETRY_PAUSE_SECONDS: "3",
  OPJOB_RERUN_OPERATORS: JSON.stringify(RERUN_OPERATORS),
  OPJOB_CLEANUP_AFTER_SECONDS: "40",
  OPJOB_CLEANUP_MOST: "3",
  OPJOB_LAUNCH_CONCURRENCY: "3",
  OPJOB_LOG_LEVEL: "debug",
} as const;

const configs = new Map<string, Config>();

/** The settings that a plan wants; read once for each. */
function configOf({ limit = 0, lease = false }: Pick<Plan, "limit" | "lease">): Config {
  const wanted = { OPJOB_MAX_IN_FLIGHT: String(limit), OPJOB_LEADERSHIP: lease ? "lease" : "off" };
  const key = Object.values(wanted).join();
  const known = configs.get(key) ?? readConfig({ ...SETTINGS, ...wanted });
  configs.set(key, known);
  return known;
}

/** Between two sweeps (ms), as the default cron expression says. */
export const SWEEP = 30_000;
/** The command ends itself when it has not stopped for so long (ms). */
const STOP_TIMEOUT = configOf({}).stopTimeoutSeconds * 1_000;

export type Daemons = {
  /** The lives that live now. */
  readonly living: () => readonly Life[];
};

/** Lets the plan's daemons come and go. @param environment variables that hold the clusters' kubeconfigs */
export function runDaemons(world: World, environment: Readonly<Record<string, string>>): Daemons {
  const lives = new Map<number, Life>();
  const { plan, time, moments } = world;
  plan.daemons.forEach((daemon, nth) => {
    const reigns = { nth, lives, daemon, environment };
    time.after(daemon.startAt, () => begin(world, reigns, 0));
    for (const { at, ms, frozen } of daemon.pauses) {
      const stands = (): void => lives.get(nth)?.pause(ms, frozen);
      if (typeof at === "number") time.after(at, stands);
      else moments.at(at, nth, () => time.elapsed <= plan.horizonMs && stands());
    }
    for (const { at, downMs } of daemon.stops) time.after(at, () => stop(world, lives.get(nth), downMs));
  });
  return { living: () => [...lives.values()].filter(({ dead }) => !dead) };
}

type Reign = {
  readonly nth: number;
  readonly lives: Map<number, Life>;
  readonly daemon: DaemonPlan;
  readonly environment: Readonly<Record<string, string>>;
};

/** How long a life that was stopped in order is followed by none; kept with the life, for its death is told later. */
const downTimes = new WeakMap<Life, number>();

function begin(world: World, reign: Reign, generation: number): void {
  const { time, plan, trace, checks } = world;
  const { nth, daemon, lives } = reign;
  const kill = time.elapsed < plan.horizonMs ? daemon.kills[generation] : undefined;
  const life: Life = new Life({
    name: `d${nth}.${generation}`,
    time,
    draw: world.draw(`daemon ${nth} ${generation}`),
    skewMs: daemon.skewMs,
    rate: daemon.rate ?? 1,
    kill,
    horizonMs: plan.horizonMs,
    fateOf: (asked) => {
      const mishap = world.moments.made(asked, nth);
      checks.asked(life, asked);
      return world.wire.fateOf(asked, nth, mishap);
    },
    note: (line) => trace.note(line),
    onDeath: () => {
      const down = downTimes.get(life) ?? kill?.downMs ?? 1_000;
      time.after(down, () => begin(world, reign, generation + 1));
    },
  });
  lives.set(nth, life);
  checks.born(life);
  trace.note(`${life.name} starts`);
  const surroundings = { inCluster: false, serviceAccountNamespace: undefined };
  const log = simulatedLog(world, life);
  const outside = outsideOf(world, life);
  startDaemon({ config: configOf(plan), environment: reign.environment, surroundings, log, outside }).then(
    (started) => {
      life.daemon = started;
    },
    (error: unknown) => checks.violated("a daemon starts", `${life.name}: ${String(error)}`),
  );
}

/** As by SIGTERM: it stops in order, or is ended when that takes too long. */
function stop({ time, trace, checks }: World, life: Life | undefined, downMs: number): void {
  if (life?.daemon === undefined || life.dead) return;
  trace.note(`${life.name} is told to stop`);
  downTimes.set(life, downMs);
  const late = time.after(STOP_TIMEOUT, () => life.die());
  life.stop().then(
    () => {
      late.cancel();
      life.die();
    },
    (error: unknown) => checks.violated("a daemon stops", `${life.name}: ${String(error)}`),
  );
}

function outsideOf(world: World, life: Life): Outside {
  const { server, streams, clusters, home, checks } = world;
  const author = { kind: "daemon", name: life.name } as const;
  return {
    clock: life.clock,
    openDatabase: () =>
      simulatedClient({
        server,
        line: life,
        author,
        streams,
        onRead: (collection) => collection === "orchestrators" && checks.readOrchestrators(life.name),
      }),
    connect: simulatedConnect(
      new Map([[HOME, home], ...clusters.map((one) => [one.server, one] as const)]),
      life,
      turnsOf(world, life),
    ),
    ownAccess: accessToHome,
    timetable: (_, tick) => timetable(life, tick),
    serve: () => Promise.resolve({ port: 0, close: () => Promise.resolve() }),
    createMetrics: () => createMetrics({ defaults: false }),
    heap: undefined,
  };
}

/** Only what makes or deletes a Job waits: what looks goes before it. */
function turnsOf({ plan: { turnMs = 0 }, draw }: World, { name }: Life): Turns {
  const chance = draw(`turns ${name}`);
  return (verb) => (turnMs > 0 && /^(?:create|delete) jobs$/.test(verb) ? chance.between(0, turnMs) : 0);
}

function timetable(life: Life, tick: () => Promise<void>): { stop(): Promise<void> } {
  let running = false;
  let stopped = false;
  const next = (): void => {
    life.tell(SWEEP, () => {
      if (stopped) return;
      next();
      if (running) return;
      running = true;
      void tick().finally(() => {
        running = false;
      });
    });
  };
  next();
  return {
    stop: () => {
      stopped = true;
      return Promise.resolve();
    },
  };
}

/** Keeps what is said in the trace, and looks at it: a log line is told to strangers. */
function simulatedLog({ trace, checks }: World, life: Life): Log {
  const say = (fields: unknown, message?: string): void => {
    const { operation, code, error, err } = (typeof fields === "object" && fields ? fields : {}) as LogFields;
    const about = operation === undefined ? "" : ` ${operation.slice(-4)}`;
    trace.note(`${life.name} says${about}: ${message ?? String(fields)}${code ? ` (${code}: ${error})` : ""}`);
    checks.said(life, { text: `${message ?? ""} ${JSON.stringify(fields)}`, err });
  };
  const levels = ["trace", "debug", "info", "warn", "error", "fatal"];
  return Object.fromEntries(levels.map((level) => [level, say])) as unknown as Log;
}

type LogFields = {
  readonly operation?: string;
  readonly code?: string;
  readonly error?: string;
  readonly err?: unknown;
};
