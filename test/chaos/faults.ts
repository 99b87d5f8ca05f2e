// What strikes in a storm: faults of the daemons, of the database, and of the cluster with the ways to it. Each begins, lasts, and is
// over when its promise resolves; nothing of it is left. Knows how to hurt; nothing of what should come of it.
import { setTimeout as sleep } from "node:timers/promises";
import type { Client, Thing } from "../kubernetes/client.ts";
import type { Component } from "../kubernetes/plane/components.ts";
import type { Plane } from "../kubernetes/plane/plane.ts";
import { type Fleet, NAMESPACE, type Replica } from "./fleet.ts";
import type { ReplicaSet } from "./replica-set.ts";

export type Struck = {
  readonly plane: Plane;
  readonly admin: Pick<Client, "send">;
  readonly set: ReplicaSet;
  readonly fleet: Fleet;
  readonly draw: () => number;
};

/** @returns "missed" if there was nothing to strike: it does not count */
export type Fault = (struck: Struck) => Promise<unknown>;

const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`;

const between = ({ draw }: Struck, least: number, most: number): number => least + draw() * (most - least);

/** Mostly the one that leads: a standby has little to lose. */
function victim({ fleet, draw }: Struck): Replica {
  const { replicas } = fleet;
  const any = replicas[Math.floor(draw() * replicas.length)] as Replica;
  return draw() < 0.7 ? (fleet.leader() ?? any) : any;
}

const endReplica =
  (signal: "SIGKILL" | "SIGTERM"): Fault =>
  async (struck) => {
    const replica = victim(struck);
    await replica.end(signal);
    await sleep(between(struck, 0, 2_000));
    replica.start();
  };

/** As long as a machine that is moved stands still. */
const freezeReplica =
  (least: number, most: number): Fault =>
  async (struck) => {
    const process = victim(struck).process();
    process.signal("SIGSTOP");
    await sleep(between(struck, least, most));
    process.signal("SIGCONT");
  };

const cutOff: Fault = async (struck) => {
  const { pid } = victim(struck).process();
  struck.fleet.ways.cut(({ from }) => from === pid);
  await sleep(between(struck, 2_000, 15_000));
  struck.fleet.ways.mend();
};

const killPart =
  (part: Component): Fault =>
  async (struck) => {
    await struck.plane.kill(part);
    await sleep(between(struck, 0, 2_000));
    await struck.plane.start(part);
  };

const freezePart =
  (part: Component): Fault =>
  async (struck) => {
    const pid = struck.plane.pid(part);
    if (pid === undefined) return "missed";
    process.kill(pid, "SIGSTOP");
    await sleep(between(struck, 2_000, 12_000));
    process.kill(pid, "SIGCONT");
    return undefined;
  };

/** Pods for which no node was found yet are deleted: what the cluster takes away before it begins must be launched again. */
const losePods: Fault = async (struck) => {
  const { plane, admin } = struck;
  await plane.kill("kube-scheduler");
  await sleep(between(struck, 1_500, 3_000));
  const seen = await admin.send("GET", PODS, { query: { fieldSelector: "spec.nodeName=" } }).catch(() => undefined);
  const waiting = seen?.code === 200 ? seen.body.items.slice(0, 10) : [];
  const lose = async ({ metadata: { name, uid } }: Thing): Promise<boolean> => {
    const body = { gracePeriodSeconds: 0, preconditions: { uid } };
    return (await admin.send("DELETE", `${PODS}/${name}`, { body })).code === 200;
  };
  const lost = await Promise.all(waiting.map((pod) => lose(pod).catch(() => false)));
  await plane.start("kube-scheduler");
  return lost.includes(true) || "missed";
};

/** By what they strike: faults of two of these may go on at once. */
export const FAULTS: readonly Readonly<Record<string, Fault>>[] = [
  {
    "daemon killed": endReplica("SIGKILL"),
    "daemon stopped": endReplica("SIGTERM"),
    "daemon frozen": freezeReplica(2_000, 12_000),
    "daemon frozen for 30 s": freezeReplica(30_000, 30_000),
  },
  {
    "primary stepped down": async ({ set }) => (await (await set.primary()).stepDown(5)) || "missed",
    "primary killed": async (struck) => (await struck.set.primary()).crash(between(struck, 500, 4_000)),
    "primary frozen": async (struck) => (await struck.set.primary()).freeze(between(struck, 4_000, 10_000)),
    "primary parted": async (struck) => (await struck.set.primary()).part(between(struck, 4_000, 10_000)),
    "secondary frozen": async (struck) => (await struck.set.secondary()).freeze(between(struck, 2_000, 6_000)),
  },
  {
    "API server killed": killPart("kube-apiserver"),
    "API server frozen": freezePart("kube-apiserver"),
    "etcd killed": killPart("etcd"),
    "etcd frozen": freezePart("etcd"),
    "controllers killed": killPart("kube-controller-manager"),
    "scheduler killed": killPart("kube-scheduler"),
    "history forgotten": ({ plane }) => plane.compact().catch(() => "missed" as const),
    "cluster cut off": cutOff,
    "Pods lost before they had a node": losePods,
    "connections deaf": async ({ fleet }) => fleet.ways.deafen(({ from }) => from !== undefined),
  },
];
