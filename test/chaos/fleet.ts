// The daemons of a storm: replicas that agree by a Lease, each started again whenever it is gone, and each with a way of its own to the
// API server that can be cut. Knows how they are started and which one leads; nothing of what strikes them.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Db } from "mongodb";
import { type DaemonProcess, startDaemonProcess } from "../kubernetes/daemons.ts";
import type { Plane } from "../kubernetes/plane/plane.ts";
import { createDoors, type Doors } from "./doors.ts";

export const NAMESPACE = "fiftyone";

export type Replica = {
  readonly process: () => DaemonProcess;
  readonly start: () => void;
  /** Resolves when it is gone; only `start` brings it back. */
  readonly end: (signal: "SIGKILL" | "SIGTERM") => Promise<void>;
};

export type Fleet = AsyncDisposable & {
  readonly replicas: readonly Replica[];
  /** The one that leads, as it says itself; undefined: none does, or it stands still. */
  readonly leader: () => Replica | undefined;
  /** How often a leadership began. */
  readonly terms: () => number;
  /** How those ended that nobody had ended: exit codes and signals. Each was started again, as a kubelet does. */
  readonly fallen: () => readonly (number | string)[];
  /** The ways of all to the API server. */
  readonly ways: Doors;
  /** A kubeconfig that leads through the doors. */
  readonly kubeconfig: string;
};

export type FleetOptions = {
  readonly plane: Plane;
  readonly uri: string;
  readonly db: Db;
  readonly replicas: number;
  readonly environment?: Readonly<Record<string, string>>;
};

/** Until a daemon that fell is started again (ms). */
const RESTART_MS = 1_000;

const leads = (process: DaemonProcess): boolean =>
  process.said("leads from now on").length > process.said("leads no more").length;

/** Starts nothing yet: the kubeconfig is wanted first. */
export async function openFleet({ plane, uri, db, replicas: count, environment }: FleetOptions): Promise<Fleet> {
  const lives: DaemonProcess[] = [];
  /** Those that a fault has ended. */
  const ended = new Set<DaemonProcess>();
  const fallen: (number | string)[] = [];
  const closing = new AbortController();
  const ways = createDoors(() => lives.map(({ pid }) => pid));
  const door = await ways.open(Number(new URL(plane.server).port));
  const kubeconfig = plane.kubeconfig("opjob").replaceAll(plane.server, `https://127.0.0.1:${door}`);
  const KUBECONFIG = join(plane.directory, "storm.kubeconfig");
  await writeFile(KUBECONFIG, kubeconfig, { mode: 0o600 });
  const start = (): DaemonProcess => {
    const process = startDaemonProcess(
      { uri, db },
      {
        KUBECONFIG,
        OPJOB_LEADERSHIP: "lease",
        OPJOB_LEASE_NAMESPACE: NAMESPACE,
        OPJOB_INSTANCE: "storm",
        OPJOB_KUBERNETES_TIMEOUT_SECONDS: "10",
        OPJOB_RESULT_GRACE_SECONDS: "15",
        OPJOB_SWEEP_CRON: "*/10 * * * * *",
        ...environment,
      },
    );
    lives.push(process);
    return process;
  };
  const replicas = Array.from({ length: count }, (): Replica => {
    let process: DaemonProcess | undefined;
    const begin = (): void => {
      const life = start();
      process = life;
      void life.exited.then(async (how) => {
        if (ended.has(life) || closing.signal.aborted) return;
        fallen.push(how);
        await sleep(RESTART_MS);
        if (!ended.has(life) && !closing.signal.aborted) begin();
      });
    };
    return {
      process: () => {
        if (process === undefined) throw new Error("the replica was not started");
        return process;
      },
      start: begin,
      end: async (signal) => {
        const life = process;
        if (life === undefined) return;
        ended.add(life);
        life.signal(signal);
        await life.exited;
      },
    };
  });
  return {
    replicas,
    leader: () => replicas.find((replica) => leads(replica.process())),
    terms: () => lives.reduce((sum, life) => sum + life.said("leads from now on").length, 0),
    fallen: () => fallen,
    ways,
    kubeconfig,
    [Symbol.asyncDispose]: async () => {
      closing.abort();
      await Promise.all(lives.map((life) => life[Symbol.asyncDispose]()));
      await ways[Symbol.asyncDispose]();
    },
  };
}
