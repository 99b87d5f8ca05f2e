// The simulated node: the life of each Pod, from waiting for a place to the end of its container, and its deletion. What the
// container does is a worker's; the node starts it, and ends it. Knows no operations.

import { imageIn } from "../storms.ts";
import type { Time } from "../time.ts";
import { isOver, type KubeObject, timestamp } from "./objects.ts";
import type { Event, KubeStore } from "./store.ts";

export type Obstacle =
  | "Unschedulable"
  | "ImagePullBackOff"
  | "CreateContainerConfigError"
  | "slow-volume"
  | "registry-away";

/** What a node says of a container that waits; undefined: nothing. */
const WORDS: Readonly<Record<Obstacle, { readonly reason: string; readonly message: string } | undefined>> = {
  Unschedulable: undefined,
  ImagePullBackOff: { reason: "ImagePullBackOff", message: "the node says ImagePullBackOff" },
  CreateContainerConfigError: { reason: "CreateContainerConfigError", message: "the node says so" },
  "slow-volume": undefined,
  "registry-away": { reason: "ErrImagePull", message: "dial tcp 10.0.0.1:443: i/o timeout" },
};

export type PodFate = {
  /** Milliseconds until a node takes it, and then until its container starts. */
  readonly schedule: number;
  readonly start: number;
  /** What is in the way, and for how long (ms; endless: FOREVER). */
  readonly obstacle: Obstacle | undefined;
  readonly obstacleMs: number;
  /** Between the deletion and the end: a worker that does not hear SIGTERM lives on so long (ms). */
  readonly graceMs: number;
  /** The same where no container runs; absent: as good as none. A node that is lost to its cluster lets go of nothing. */
  readonly goneMs?: number;
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
  /** Pods that wait for something, and how each goes on without it. */
  readonly #blocked = new Map<string, () => void>();

  constructor(parts: NodeParts) {
    this.#parts = parts;
    parts.store.onEvent((event) => this.#see(event));
  }

  /** What a Pod waits for, if anything, is there now. */
  unblock(uid: string): void {
    const goOn = this.#blocked.get(uid);
    this.#blocked.delete(uid);
    goOn?.();
  }

  /** It goes on by itself after so long, unless it was let go before. */
  #block(uid: string, ms: number, goOn: () => void): void {
    this.#blocked.set(uid, goOn);
    this.#parts.time.after(ms, () => this.#blocked.get(uid) === goOn && this.unblock(uid));
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
      this.#block(uid, schedule + obstacleMs, () => this.#bind(uid));
    } else time.after(schedule, () => this.#bind(uid));
  }

  #bind(uid: string): void {
    const pod = this.#set(uid, { conditions: [this.#condition("True", "")] });
    if (pod === undefined) return;
    const { time } = this.#parts;
    const { start, ...fate } = this.#parts.fateOf(pod);
    const missing = this.#parts.missingFor(pod);
    const { obstacle, obstacleMs } =
      missing > 0 ? { obstacle: "ImagePullBackOff" as const, obstacleMs: missing } : fate;
    const waits = obstacle === undefined || obstacle === "Unschedulable" ? 0 : obstacleMs;
    const waiting = obstacle && WORDS[obstacle];
    if (waits > 0 && waiting)
      time.after(start, () => this.#blocked.has(uid) && this.#container(uid, "Pending", { waiting }));
    this.#block(uid, start + waits + 1, () => this.#start(uid));
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
    const { graceMs, goneMs = 50 } = fateOf(pod);
    time.after(this.#running.has(uid) ? graceMs : goneMs, () => this.#remove(uid));
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
