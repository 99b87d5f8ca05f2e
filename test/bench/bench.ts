// The benchmark: opjob against the floor (a raw change-stream event and one raw HTTP POST of the same Job) in the same
// run, on the same mongod and API server. Ratios are what counts; absolute figures are this machine's.
// On the local API server; with --kubernetes on a real one (etcd, kube-apiserver, kube-controller-manager), which it starts;
// with KUBECONFIG_BENCH=FILE on another one, with a namespace "fiftyone" in it.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { renderBench } from "./render.ts";
import { buildWorld, COUNTED, FLOOR, NAMESPACE, type Process, queue, TARGET, type World } from "./world.ts";

const LATENCY = { rounds: 4, each: 75 };
const DRAIN = 2_000;
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

async function drain(world: World, floor: Process): Promise<Process> {
  const raw = Array.from({ length: DRAIN }, (_, i) => i.toString(16).padStart(24, "0"));
  const drained = floor.line("drained");
  floor.child.stdin?.write(`drain ${raw.join(",")} 32\n`);
  const base = await rate(world, raw);
  await drained;
  const ids = await queue(world.db, DRAIN, TARGET);
  const daemon = await world.start("daemon");
  const own = await rate(world, ids);
  say(
    `draining ${DRAIN}: opjob ${own.toFixed(0)} Jobs/s, raw POSTs ${base.toFixed(0)} Jobs/s, ${((own / base) * 100).toFixed(0)} % (aim ≥ 70 %)`,
  );
  return daemon;
}

/** A backlog over an API server that the daemon reaches through a proxy: which connections it opens, not how fast it is. */
async function connections(world: World): Promise<void> {
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
  const floor = await world.start("floor");
  const daemon = await world.start("daemon");
  say(`memory when started: ${rss(daemon).toFixed(0)} MB`);
  await latency(world, daemon, floor);
  await daemon.stop();
  const second = await drain(world, floor);
  await floor.stop();
  await sleep(15_000);
  say(`memory while following ${DRAIN}+ live Jobs in ${NAMESPACE}: ${rss(second).toFixed(0)} MB (aim < 150 MB)`);
  // On a real API server its controllers are still at work; and what opjob asks MongoDB does not depend on it.
  if (where === "local") await idle(world);
  await connections(world);
  renderBench(say);
} finally {
  await closers.disposeAsync();
}
