// The benchmark: opjob against the floor (a raw change-stream event and one raw HTTP POST of the same Job) in the same
// run, on the same mongod and API server. Ratios are what counts; absolute figures are this machine's.
// On the local API server; with --kubernetes on a real one (etcd, kube-apiserver, kube-controller-manager), which it starts;
// with KUBECONFIG_BENCH=FILE on another one, with the namespaces "fiftyone" and "floor" in it. With --drain only the backlog is measured, with
// --profile=DIR the daemon writes CPU profiles there.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { countCosts } from "./costs.ts";
import { renderBench } from "./render.ts";
import { buildWorld, COUNTED, DURABLE, FLOOR, NAMESPACE, type Process, queue, TARGET, type World } from "./world.ts";

const LATENCY = { rounds: 4, each: 75 };
const DRAIN = 2_000;
const WIDTH = 32;
const IDLE_SECONDS = 35;

const quantile = (values: readonly number[], q: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))] ?? Number.NaN;
const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** Waits until the Jobs of all ids were seen; returns the times. */
async function jobsOf({ seen }: World, ids: readonly string[]): Promise<number[]> {
  const end = Date.now() + 300_000;
  while (!ids.every((id) => seen.has(id))) {
    if (Date.now() > end) throw new Error(`${ids.filter((id) => !seen.has(id)).length} Jobs did not come`);
    await sleep(1);
  }
  return ids.map((id) => seen.get(id) ?? Number.NaN);
}

/** Milliseconds from the insert of a queued operation until its Job is seen, one operation after the other. */
async function latencies(world: World, target: string, count: number): Promise<number[]> {
  const measured: number[] = [];
  for (let i = 0; i < count; i++) {
    const begun = performance.now();
    const [at = Number.NaN] = await jobsOf(world, await queue(world.db, 1, target));
    measured.push(at - begun);
    await sleep(15); // the record of the launch is not part of the next one
  }
  return measured;
}

async function latency(world: World, daemon: Process, floor: Process): Promise<void> {
  const all: Record<string, number[]> = { opjob: [], floor: [] };
  await latencies(world, TARGET, 20);
  for (let round = 0; round < LATENCY.rounds; round++) {
    floor.child.kill("SIGSTOP");
    all["opjob"]?.push(...(await latencies(world, TARGET, LATENCY.each)));
    floor.child.kill("SIGCONT");
    daemon.child.kill("SIGSTOP");
    all["floor"]?.push(...(await latencies(world, FLOOR, LATENCY.each)));
    daemon.child.kill("SIGCONT");
    await sleep(500);
  }
  for (const [q, name, aim] of [
    [0.5, "p50", 1.5],
    [0.99, "p99", 3],
  ] as const) {
    const [own, base] = [quantile(all["opjob"] ?? [], q), quantile(all["floor"] ?? [], q)];
    say(
      `queued → Job, ${name}: opjob ${own.toFixed(1)} ms, floor ${base.toFixed(1)} ms, ratio ${(own / base).toFixed(2)} (aim ≤ ${aim})`,
    );
  }
}

/** Jobs per second between the first and the last of them. */
async function rate(world: World, ids: readonly string[]): Promise<number> {
  const times = (await jobsOf(world, ids)).toSorted((a, b) => a - b);
  return ((times.length - 1) / ((times.at(-1) ?? 0) - (times[0] ?? 0))) * 1_000;
}

/** Has Jobs made, and says how many a second that were, and what each cost. */
async function drained(world: World, what: string, ids: readonly string[], begin: () => unknown): Promise<number> {
  const costs = await countCosts(world.db, ids.length);
  const [reached] = await Promise.all([rate(world, ids), begin()]);
  say(`draining ${ids.length}, ${what}: ${reached.toFixed(0)} Jobs/s; ${await costs()}`);
  return reached;
}

/** All on the same two cores, with the same Job; while the floor drains, no daemon runs. A real API server's controllers rest. */
async function drain(world: World, floor: Process): Promise<Process> {
  world.signalControllers("SIGSTOP");
  const raw = Array.from({ length: DRAIN }, (_, i) => i.toString(16).padStart(24, "0"));
  const base = await drained(world, `raw POSTs, ${WIDTH} at a time`, raw, () =>
    floor.ask(`drain ${WIDTH} ${raw.join()}`),
  );
  const kept = await queue(world.db, DRAIN, DURABLE);
  const durable = await drained(world, `raw claim, POST and record, ${WIDTH} at a time`, kept, () =>
    floor.ask(`durable ${WIDTH} ${kept.join()}`),
  );
  // Claimed as by opjob, and without Jobs that it sees: it would look after them at its start and at each sweep.
  await world.db.collection("delegated_ops").deleteMany({ delegation_target: DURABLE });
  const ids = await queue(world.db, DRAIN, TARGET);
  const starting = Promise.withResolvers<Process>();
  const own = await drained(world, "opjob, just started", ids, () =>
    world.start("daemon").then(starting.resolve, starting.reject),
  );
  const ratio = (of: number): string => `${((own / of) * 100).toFixed(0)} %`;
  say(
    `draining ${DRAIN}: opjob has ${ratio(base)} of raw POSTs' rate (aim ≥ 70 %), ${ratio(durable)} of raw steps' that are as durable`,
  );
  world.signalControllers("SIGCONT");
  return starting.promise;
}

/** Again, with a daemon that has run for a while: the operations come as they are queued. */
async function drainAgain(world: World): Promise<void> {
  world.signalControllers("SIGSTOP");
  const costs = await countCosts(world.db, DRAIN);
  const ids = await queue(world.db, DRAIN, TARGET);
  say(`draining ${DRAIN}, opjob, already running: ${(await rate(world, ids)).toFixed(0)} Jobs/s; ${await costs()}`);
  world.signalControllers("SIGCONT");
}

/** A backlog over an API server that the daemon reaches through a proxy: which connections it opens, not how fast it is. */
async function connections(world: World): Promise<void> {
  await world.registerCounted();
  const ids = await queue(world.db, DRAIN, COUNTED);
  await jobsOf(world, ids);
  say(`connections for ${DRAIN} creates and their watches: ${world.connections()} (counted by a TCP proxy)`);
}

/** Resident memory in MB, from the operating system. */
const rss = ({ child }: Process): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1] ?? Number.NaN) / 1_024;

async function idle(world: World): Promise<void> {
  await world.db.command({ profile: 2 });
  const since = new Date();
  await sleep(IDLE_SECONDS * 1_000);
  await world.db.command({ profile: 0 });
  const found = await world.db
    .collection("system.profile")
    .find({ appName: "opjob", ts: { $gte: since }, op: { $ne: "getmore" } })
    .toArray();
  const byKind = Map.groupBy(found, ({ op, ns }) => `${String(op)} ${String(ns).split(".").at(-1)}`);
  const counts = [...byKind].map(([kind, all]) => `${all.length} × ${kind}`).join(", ");
  say(`idle for ${IDLE_SECONDS} s (one or two sweeps): ${counts || "no query"}`);
}

const closers = new AsyncDisposableStack();
try {
  const { KUBECONFIG_BENCH: file } = process.env;
  const where = process.argv.includes("--kubernetes") ? "real" : "local";
  const world = await buildWorld(closers, file ? pathToFileURL(file) : where);
  say(`API server: ${file ?? where}; without a limit of calls a second (OPJOB_KUBERNETES_RATE=0)`);
  const onlyDrain = process.argv.includes("--drain");
  const floor = await world.start("floor");
  if (!onlyDrain) {
    const daemon = await world.start("daemon");
    say(`memory when started: ${rss(daemon).toFixed(0)} MB`);
    await latency(world, daemon, floor);
    await daemon.stop();
  }
  const second = await drain(world, floor);
  await floor.stop();
  // A real API server's controllers make a few Pods a second; that a Job has none yet is looked into meanwhile.
  await sleep(where === "local" ? 15_000 : 40_000);
  say(`memory while following ${DRAIN}+ live Jobs in ${NAMESPACE}: ${rss(second).toFixed(0)} MB (aim < 150 MB)`);
  // On a real API server its controllers are still at work; and what opjob asks MongoDB does not depend on it.
  if (where === "local" && !onlyDrain) await idle(world);
  await drainAgain(world);
  if (!onlyDrain) await connections(world);
  if (!onlyDrain) renderBench(say);
} finally {
  await closers.disposeAsync();
}
