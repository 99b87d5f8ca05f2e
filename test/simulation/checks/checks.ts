// The checks: after each step of a simulation, and at its end, what must always hold. The first violation ends the run.
// The numbers in the rules are those of ARCHITECTURE.md, "What must always hold".
import { MongoError } from "mongodb";
import type { Registry } from "prom-client";
import type { Daemon } from "../../../src/daemon.ts";
import type { Asked, Line } from "../calls.ts";
import type { Request } from "../kubernetes/api.ts";
import type { SimulatedCluster } from "../kubernetes/cluster.ts";
import { HOME } from "../kubernetes/home.ts";
import { hasEnded, type KubeObject } from "../kubernetes/objects.ts";
import type { Done } from "../kubernetes/speaker.ts";
import type { Event } from "../kubernetes/store.ts";
import type { Life } from "../life.ts";
import type { Change, MongoServer } from "../mongo/server.ts";
import type { Plan } from "../plan.ts";
import type { Time } from "../time.ts";
import { type Execution, OPERATIONS } from "../worker.ts";
import { createCallJudge } from "./calls.ts";
import { RACE } from "./failures.ts";
import { createLeadershipJudge } from "./leadership.ts";
import { createPromptnessJudge } from "./promptness.ts";
import { complaints } from "./rest.ts";
import { claimOf, isEnded, isOurs, operationOf, type Scene } from "./scene.ts";
import { createStormJudge } from "./storms.ts";
import { judgeWrite } from "./writes.ts";

export type Violation = { readonly rule: string; readonly detail: string };
export type Said = { readonly text: string; readonly err: unknown };
export type Checks = ReturnType<typeof createChecks>;

type Parts = {
  readonly plan: Plan;
  readonly time: Time;
  readonly ledger: readonly Execution[];
  readonly trace: { note(line: string): void };
  /** A text that must never be told. */
  readonly secret: string;
};

export function createChecks({ plan, time, ledger, trace, secret }: Parts) {
  let first: Violation | undefined;
  const known = {
    retaken: new Map(),
    restored: new Map<string, number>(),
    ends: new Map<string, number>(),
    stale: new Set<string>(),
  };
  let scene: Scene = { plan, time, ledger, server: undefined as never, clusters: [], ...known };
  let executions = 0;
  const lives = new Map<string, Life>();
  const readRecords = new Map<string, number>();
  const births = new Map<string, number>();

  const violated = (rule: string, detail: string): void => {
    trace.note(`VIOLATED ${rule}: ${detail}`);
    first ??= { rule, detail };
  };
  const told = (text: string, where: string): void => {
    if (text.includes(secret)) violated("8: no secret is told", where);
  };
  const calls = createCallJudge(() => scene, violated);
  const storms = createStormJudge(() => scene, violated);
  const promptness = createPromptnessJudge(() => scene, violated);
  const leadership = createLeadershipJudge(() => scene, violated);

  return {
    violated,
    get first(): Violation | undefined {
      return first;
    },
    begin(parts: { readonly server: MongoServer; readonly clusters: readonly SimulatedCluster[] }): void {
      scene = { ...scene, ...parts };
    },
    scene: (): Scene => scene,
    born(life: Life): void {
      lives.set(life.name, life);
      births.set(life.name, time.now);
    },
    readOrchestrators: (life: string): void => void readRecords.set(life, time.now),
    /** A daemon makes a call, of whatever kind. */
    asked: (life: Life, asked: Asked): void => leadership.asked(life, asked),
    leaseDeleted: (): void => leadership.deleted(),
    /** A call to a cluster is sent, and then done. */
    sent(server: string, by: Line, request: Request): void {
      if (server === HOME) leadership.sent(lives.get(by.name), request);
      else calls.sent(server, by, request);
    },
    called(server: string, done: Done): void {
      if (server === HOME) leadership.done(lives.get(done.by.name), done);
      else {
        calls.done(server, done);
        storms.done(done);
      }
    },
    /** A document was changed. */
    changed(change: Change): void {
      const { author, after } = change;
      if (author.kind !== "daemon") return;
      const life = lives.get(author.name);
      const wasPaused = life !== undefined && time.now - life.lastPaused < RACE;
      leadership.changed(change);
      // Who stood still asked long ago.
      const asked = (job: KubeObject): number =>
        wasPaused ? time.now : (calls.askedFor(author.name, job) ?? Number.NEGATIVE_INFINITY);
      const bornAt = births.get(author.name) ?? time.now;
      const readAt = readRecords.get(author.name);
      judgeWrite(scene, change, { readRecords: readAt, wasPaused, asked, bornAt }, violated);
      if (after === undefined) return;
      calls.claimed(String(after["_id"]), Number(claimOf(after)?.["attempt"]));
      told(JSON.stringify([claimOf(after), after["result"]]), `${author.name} wrote it to ${String(after["_id"])}`);
    },
    /** An object of a cluster changed. */
    happened({ type, resource, object }: Event): void {
      if (resource !== "jobs" || !isOurs(object)) return;
      trace.note(`Job ${object.metadata.uid} of ${operationOf(object).slice(-4)} ${type}`);
      const { uid } = object.metadata;
      if (hasEnded(object) && !scene.ends.has(uid)) scene.ends.set(uid, time.now);
      if (type !== "ADDED") return;
      calls.added(object);
      storms.added(object);
    },
    said(life: Life, { text, err }: Said): void {
      told(text, `${life.name} logged it`);
      if (err === undefined || err instanceof MongoError) return;
      const stack = err instanceof Error ? err.stack : JSON.stringify(err);
      violated("opjob meets no fault of its own", `${life.name}: ${stack}`);
    },
    /** After each step. */
    step(): void {
      for (; executions < ledger.length; executions++) {
        const { operation, queuedAt, pod } = ledger[executions] as Execution;
        trace.note(`${pod} executes ${operation.slice(-4)}`);
        const same = ledger.filter((one) => one.operation === operation && Object.is(one.queuedAt, queuedAt));
        if (same.length > 1) violated("1: a queueing is executed at most once", same.map((one) => one.pod).join());
      }
    },
    /** From time to time. */
    look(): void {
      storms.look();
      promptness.look();
    },
    /** Why the world is not at rest (yet); none: it is. */
    async complaints(daemons: readonly Daemon[]): Promise<string[]> {
      const found = complaints(scene);
      if (found.length > 0) return found;
      const each = async (daemon: Daemon) => [...(await memory(scene, daemon)), ...(await following(daemon))];
      return [...(await Promise.all(daemons.map(each))).flat(), ...(await leaders(plan, daemons))];
    },
  };
}

/** Whatever was cut off is followed again. */
async function following({ metrics: { registry } }: Daemon): Promise<string[]> {
  const changes = (await registry.getSingleMetric("opjob_changes_following")?.get())?.values ?? [];
  const cut = changes.filter(({ value }) => value !== 1).map(({ labels }) => String(labels["collection"]));
  const [all, live] = [await size(registry, "opjob_watches"), await size(registry, "opjob_watches_following")];
  return [
    ...cut.map((collection) => `the changes of ${collection} are not followed`),
    ...(live < all ? [`${all - live} watches do not follow`] : []),
  ];
}

/** Of replicas that agree by a Lease one leads. */
async function leaders({ lease = false }: Plan, daemons: readonly Daemon[]): Promise<string[]> {
  if (!lease) return [];
  const all = await Promise.all(daemons.map(({ metrics: { registry } }) => size(registry, "opjob_is_leader")));
  const count = all.reduce((sum, one) => sum + one, 0);
  return count === 1 || daemons.length === 0 ? [] : [`3: ${count} of ${daemons.length} replicas lead`];
}

const size = async (registry: Registry, metric: string): Promise<number> =>
  (await registry.getSingleMetric(metric)?.get())?.values[0]?.value ?? 0;

/** 9: memory grows with live operations and with the Jobs that exist, not with history. */
async function memory({ server, clusters }: Scene, { metrics: { registry } }: Daemon): Promise<string[]> {
  const operations = server.all(OPERATIONS).filter((doc) => !isEnded(doc)).length;
  const jobs = clusters.reduce((sum, { store }) => sum + store.all("jobs").length, 0);
  const [lanes, observed] = [await size(registry, "opjob_lanes"), await size(registry, "opjob_observed_jobs")];
  return [
    ...(lanes > operations ? [`9: ${lanes} lanes for ${operations} operations`] : []),
    ...(observed > jobs ? [`9: ${observed} Jobs are observed, of ${jobs}`] : []),
  ];
}
