// What a stretch of the benchmark costs besides time: CPU of each process that takes part, and commands that MongoDB was sent.
// Reads /proc and MongoDB's own counters; knows nothing of what is measured.
import { readdirSync, readFileSync } from "node:fs";
import type { Db } from "mongodb";

/** Seconds since the processes began, by name. */
type Seconds = ReadonlyMap<string, number>;
type Commands = Readonly<Record<string, number>>;

/** Ticks of /proc per second: fixed in Linux' interface to programs. */
const TICKS = 100;
const COUNTED = ["find", "aggregate", "findAndModify", "update", "getMore", "count"];

const NAMES: readonly (readonly [RegExp, string])[] = [
  [/dist\/main\.js/, "opjob"],
  [/bench\/floor\.ts/, "floor"],
  [/bench\/api-server\.ts/, "API server"],
  [/bench\/bench\.ts/, "benchmark"],
  [/mongod/, "mongod"],
  [/kube-apiserver/, "API server"],
  [/kube-controller-manager/, "controllers"],
  [/etcd/, "etcd"],
];

function cpu(): Seconds {
  const all = new Map<string, number>();
  for (const pid of descendants(process.pid)) {
    const seconds = secondsOf(pid);
    const name = NAMES.find(([pattern]) => pattern.test(commandOf(pid)))?.[1];
    if (name !== undefined) all.set(name, (all.get(name) ?? 0) + seconds);
  }
  return all;
}

function descendants(root: number): number[] {
  const children = Map.groupBy(
    readdirSync("/proc").filter((name) => /^\d+$/.test(name)),
    (pid) => Number(statOf(Number(pid))[1] ?? 0),
  );
  const found = [root];
  for (const pid of found) found.push(...(children.get(pid) ?? []).map(Number));
  return found;
}

/** The fields of /proc/PID/stat from the state on; empty: it has ended. */
const statOf = (pid: number): string[] => read(pid, "stat").split(") ").at(-1)?.split(" ") ?? [];
const secondsOf = (pid: number): number => (Number(statOf(pid)[11] ?? 0) + Number(statOf(pid)[12] ?? 0)) / TICKS;
const commandOf = (pid: number): string => read(pid, "cmdline").replaceAll("\0", " ");

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}

async function commands(db: Db): Promise<Commands> {
  const { metrics } = (await db.admin().serverStatus()) as { metrics: { commands: Record<string, { total: number }> } };
  return Object.fromEntries(COUNTED.map((name) => [name, Number(metrics.commands[name]?.total ?? 0)]));
}

/** Begins to count; the answer tells, in words, what `count` Jobs cost each. */
export async function countCosts(db: Db, count: number): Promise<() => Promise<string>> {
  const [before, asked] = [cpu(), await commands(db)];
  return async () => {
    const [after, then] = [cpu(), await commands(db)];
    const each = [...after].map(
      ([name, seconds]) => [name, ((seconds - (before.get(name) ?? 0)) * 1_000) / count] as const,
    );
    const spent = each.filter(([, ms]) => ms > 0.005).map(([name, ms]) => `${name} ${ms.toFixed(2)}`);
    const sent = COUNTED.map((name) => [name, ((then[name] ?? 0) - (asked[name] ?? 0)) / count] as const);
    const said = sent.filter(([, n]) => n >= 0.005).map(([name, n]) => `${n.toFixed(2)} ${name}`);
    return `ms of CPU for each Job: ${spent.join(", ")}; commands to MongoDB for each: ${said.join(", ") || "none"}`;
  };
}
