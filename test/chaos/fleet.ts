// The daemons of a storm: replicas that agree by a Lease, each started again whenever it is gone, and each with a way of its own to the
// API server that can be cut. Knows how they are started and which one leads; nothing of what strikes them.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Db } from "mongodb";
import { type DaemonProcess, startDaemonProcess } from "../kubernetes/daemons.ts";
import type { Plane } from "../kubernetes/plane/plane.ts";
import { createDoors, type Doors } from "./doors.ts";

export const NAMESPACE = "fiftyone";

export type Replica = {
  readonly process: () => DaemonProcess;
  readonly start: () => void;
};

export type Fleet = AsyncDisposable & {
  readonly replicas: readonly Replica[];
  /** The one that leads, as it says itself; undefined: none does, or it stands still. */
  readonly leader: () => Replica | undefined;
  /** How often a leadership began. */
  readonly terms: () => number;
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

const leads = (process: DaemonProcess): boolean =>
  process.said("leads from now on").length > process.said("leads no more").length;

/** Starts nothing yet: the kubeconfig is wanted first. */
export async function openFleet({ plane, uri, db, replicas: count, environment }: FleetOptions): Promise<Fleet> {
  const lives: DaemonProcess[] = [];
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
    return {
      process: () => (process ??= start()),
      start: () => {
        process = start();
      },
    };
  });
  return {
    replicas,
    leader: () => replicas.find((replica) => leads(replica.process())),
    terms: () => lives.reduce((sum, life) => sum + life.said("leads from now on").length, 0),
    ways,
    kubeconfig,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(lives.map((life) => life[Symbol.asyncDispose]()));
      await ways[Symbol.asyncDispose]();
    },
  };
}
