// The daemon as a process of its own, whose memory and descriptors are read from outside, and what it says of itself from its
// metrics. Knows processes and /proc; nothing of what the daemon works on.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

export type Sample = {
  readonly heapMb: number;
  readonly rssMb: number;
  readonly descriptors: number;
  readonly lanes: number;
  readonly jobs: number;
  /** Entries in memory, by what they are of. */
  readonly sizes: Readonly<Record<string, number>>;
};

export type WatchedDaemon = AsyncDisposable & {
  readonly child: ChildProcess;
  /** Milliseconds from its start to the end of its first scan. */
  readonly readyMs: number;
  /** After its garbage was collected, the least of some looks. */
  readonly sample: () => Promise<Sample>;
  /** What it has said, one JSON line a fact. */
  readonly output: () => string;
};

const LOOKS = 4;
const BETWEEN_MS = 1_000;

export async function startWatched(
  environment: Record<string, string>,
  args: readonly string[],
): Promise<WatchedDaemon> {
  const begun = performance.now();
  const child = spawn(process.execPath, [...args, "daemon"], {
    env: environment,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  const ready = new Promise<number>((resolve, reject) => {
    child.once("exit", () => reject(new Error(`the daemon ended: ${output.slice(-2_000)}`)));
    child.stdout.on("data", (chunk: Buffer) => {
      output += String(chunk);
      if (output.includes("first scan done")) resolve(performance.now() - begun);
    });
  });
  const readyMs = await ready;
  const port = /"port":(\d+)/.exec(output)?.[1];
  const look = async (): Promise<Sample> => {
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const metric = (name: string): number =>
      Number(new RegExp(`^${name} (\\S+)$`, "m").exec(metrics)?.[1] ?? Number.NaN);
    const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
    return {
      heapMb: metric("nodejs_heap_size_used_bytes") / 2 ** 20,
      rssMb: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1_024,
      descriptors: readdirSync(`/proc/${child.pid}/fd`).length,
      lanes: metric("opjob_lanes"),
      jobs: metric("opjob_observed_jobs"),
      sizes: Object.fromEntries(
        [...metrics.matchAll(/^opjob_sizes\{of="(\w+)"\} (\d+)$/gm)].map(([, of = "", size]) => [of, Number(size)]),
      ),
    };
  };
  return {
    child,
    readyMs,
    output: () => output,
    sample: async () => {
      child.kill("SIGUSR2");
      await sleep(BETWEEN_MS);
      const looks: Sample[] = [];
      for (let i = 0; i < LOOKS; i++) {
        looks.push(await look());
        await sleep(BETWEEN_MS);
      }
      const least = (field: Exclude<keyof Sample, "sizes">): number => Math.min(...looks.map((one) => one[field]));
      return {
        heapMb: least("heapMb"),
        rssMb: least("rssMb"),
        descriptors: least("descriptors"),
        lanes: least("lanes"),
        jobs: least("jobs"),
        sizes: looks.at(-1)?.sizes ?? {},
      };
    },
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGTERM");
      await once(child, "exit");
    },
  };
}
