// The simulated node: the life of each Pod, from waiting for a place to the end of its container, and its deletion. What the
// container does is a worker's; the node starts it, and ends it. Knows no operations.

import { imageIn } from "../storms.ts";
import type { Time } from "../time.ts";
import { isOver, type KubeObject, timestamp } from "./objects.ts";
import type { Event, KubeStore } from "./store.ts";

export type Obstacle = "Unschedulable" | "ImagePullBackOff" | "CreateContainerConfigError" | "slow-volume";

export type PodFate = {
  /** Milliseconds until a node takes it, and then until its container starts. */
  readonly schedule: number;
  readonly start: number;
  /** What is in the way, and for how long (ms; endless: FOREVER). */
  readonly obstacle: Obstacle | undefined;
  readonly obstacleMs: number;
  /** Between the deletion and the end: a worker that does not hear SIGTERM lives on so long (ms). */
  readonly graceMs: number;
  /** Taken away by the cluster so long after it was made (ms); FOREVER: never. */
  readonly evictedMs: number;
};

/** A container that runs. */
export type Running = { readonly kill: () => void };
export type Exit = (exitCode: number, log: string) => void;

export type NodeParts = {
  readonly time: Time;
  readonly store: KubeStore;
  readonly fateOf: (pod: KubeObject) => PodFate;
  /** For how long its image cannot be pulled from now on (ms); 0: it can be. */
  readonly missingFor: (pod: KubeObject) => number;
  readonly run: (pod: KubeObject, exit: Exit) => Running;
  readonly evict: (pod: KubeObject) => void;
};

type Part = Readonly<Record<string, unknown>>;

export class Node {
  readonly #parts: NodeParts;
  readonly #running = new Map<string, Running>();
  readonly #going = new Set<string>();

  constructor(parts: NodeParts) {
    this.#parts = parts;
    parts.store.onEvent((event) => this.#see(event));
  }

  #see({ type, resource, object }: Event): void {
    if (resource !== "pods") return;
    if (type === "ADDED") this.#begin(object);
    if (object.metadata.deletionTimestamp !== undefined && type === "MODIFIED") this.#endSoon(object);
  }

  #begin({ metadata: { uid } }: KubeObject): void {
    const { time } = this.#parts;
    const pod = this.#alive(uid);
    if (pod === undefined) return;
    const { schedule, obstacle, obstacleMs, evictedMs } = this.#parts.fateOf(pod);
    time.after(evictedMs, () => this.#evict(uid));
    if (obstacle === "Unschedulable") {
      time.after(schedule, () => this.#set(uid, { conditions: [this.#condition("False", "Unschedulable")] }));
      time.after(schedule + obstacleMs, () => this.#bind(uid));
    } else time.after(schedule, () => this.#bind(uid));
  }

  #bind(uid: string): void {
    const pod = this.#set(uid, { conditions: [this.#condition("True", "")] });
    if (pod === undefined) return;
    const { time } = this.#parts;
    const { start, ...fate } = this.#parts.fateOf(pod);
    const missing = this.#parts.missingFor(pod);
    const { obstacle, obstacleMs } = missing > 0 ? { obstacle: "ImagePullBackOff", obstacleMs: missing } : fate;
    const waits = obstacle === undefined || obstacle === "Unschedulable" ? 0 : obstacleMs;
    if (waits > 0 && obstacle !== "slow-volume") {
      const waiting = { reason: obstacle, message: `the node says ${obstacle}` };
      time.after(start, () => this.#container(uid, "Pending", { waiting }));
    }
    time.after(start + waits + 1, () => this.#start(uid));
  }

  #start(uid: string): void {
    const { store, run } = this.#parts;
    const startedAt = timestamp(store.now());
    const pod = this.#container(uid, "Running", { running: { startedAt } });
    if (pod === undefined) return;
    const exit: Exit = (exitCode, log) => this.#exit(uid, { exitCode, startedAt, log });
    this.#running.set(uid, run(pod, exit));
  }

  #exit(uid: string, { exitCode, startedAt, log }: { exitCode: number; startedAt: string; log: string }): void {
    this.#running.delete(uid);
    const reason = exitCode === 0 ? "Completed" : "Error";
    const terminated = { exitCode, reason, startedAt, finishedAt: timestamp(this.#parts.store.now()) };
    this.#container(uid, exitCode === 0 ? "Succeeded" : "Failed", { terminated }, { log });
    if (this.#going.has(uid)) this.#remove(uid);
  }

  /** A deleted Pod is told to end, and is gone when its worker has ended, or at the end of its grace. */
  #endSoon({ metadata: { uid } }: KubeObject): void {
    if (this.#going.has(uid)) return;
    this.#going.add(uid);
    const { time, store, fateOf } = this.#parts;
    const pod = store.byUid("pods", uid);
    if (pod === undefined) return;
    time.after(this.#running.has(uid) ? fateOf(pod).graceMs : 50, () => this.#remove(uid));
  }

  #remove(uid: string): void {
    this.#running.get(uid)?.kill();
    this.#running.delete(uid);
    const pod = this.#parts.store.byUid("pods", uid);
    if (pod) this.#parts.store.remove("pods", pod);
  }

  #evict(uid: string): void {
    const pod = this.#alive(uid);
    if (pod && !isOver(pod)) this.#parts.evict(pod);
  }

  /** A Pod that still is to live. */
  #alive(uid: string): KubeObject | undefined {
    const pod = this.#parts.store.byUid("pods", uid);
    return pod?.metadata.deletionTimestamp === undefined ? pod : undefined;
  }

  #condition(status: "True" | "False", reason: string): Part {
    const lastTransitionTime = timestamp(this.#parts.store.now());
    return { type: "PodScheduled", status, reason, message: reason, lastTransitionTime };
  }

  #container(uid: string, phase: string, state: Part, more: Part = {}): KubeObject | undefined {
    const ending = phase === "Succeeded" || phase === "Failed";
    const pod = ending ? this.#parts.store.byUid("pods", uid) : this.#alive(uid);
    if (pod === undefined) return undefined;
    const image = imageIn(pod);
    return this.#put(pod, { phase, containerStatuses: [{ name: "worker", image, state }], ...more });
  }

  #set(uid: string, status: Part): KubeObject | undefined {
    const pod = this.#alive(uid);
    return pod && this.#put(pod, status);
  }

  #put(pod: KubeObject, status: Part): KubeObject {
    return this.#parts.store.update("pods", { ...pod, status: { ...pod.status, ...status } });
  }
}
