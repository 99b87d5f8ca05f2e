// The simulated Job controller, the TTL controller and the garbage collector: a Pod for each Job, the Job's end from its Pods'
// ends, finished Jobs away after their time, Pods away after their Job. All of it later, not at once. Knows no operations.
import type { Chance } from "../chance.ts";
import type { Time } from "../time.ts";
import type { Api } from "./api.ts";
import { hasEnded, isOver, isOwnedBy, type KubeObject, type Meta, type Part, phaseOf, timestamp } from "./objects.ts";
import type { Event, KubeStore } from "./store.ts";

export type JobFate = {
  /** Milliseconds until the controller sees a change. */
  readonly seen: number;
  /** It makes a second Pod at once: the answer to the first one's creation was lost. */
  readonly twin: boolean;
  /** A Pod that is being deleted is replaced before it is gone. */
  readonly replaces: boolean;
  /** Suspended for so long; 0: not. */
  readonly suspendedMs: number;
  /** What the API server does with it at creation. */
  readonly refused: boolean;
};

export type ControllerParts = {
  readonly time: Time;
  readonly chance: Chance;
  readonly store: KubeStore;
  readonly api: Api;
  readonly fateOf: (job: KubeObject) => JobFate;
};

const COLLECT = { least: 100, most: 5_000 };

export class JobController {
  readonly #parts: ControllerParts;
  readonly #pods = new Map<string, number>();
  /** Jobs of which a Pod failed, or went without having ended by itself. */
  readonly #lost = new Set<string>();
  readonly #won = new Set<string>();
  readonly #suspended = new Set<string>();

  constructor(parts: ControllerParts) {
    this.#parts = parts;
    parts.store.onEvent((event) => this.#see(event));
  }

  #see({ type, resource, object }: Event): void {
    if (resource === "jobs") this.#seeJob(type, object);
    else if (resource === "pods") this.#seePod(type, object);
  }

  #seeJob(type: Event["type"], job: KubeObject): void {
    if (type === "ADDED") this.#begin(job);
    if (type === "DELETED") this.#collect(job);
    if (job.metadata.deletionTimestamp !== undefined) this.#later(job.metadata.uid);
  }

  #seePod(type: Event["type"], object: KubeObject): void {
    const owner = object.metadata.ownerReferences?.[0]?.uid;
    if (owner === undefined) return;
    // As by the finalizer on a real Pod: how it ended is counted also when it is gone at once.
    if (phaseOf(object) === "Succeeded") this.#won.add(owner);
    else if (type === "DELETED" || phaseOf(object) === "Failed") this.#lost.add(owner);
    if (type !== "ADDED") this.#later(owner);
  }

  #begin(job: KubeObject): void {
    const { time, fateOf } = this.#parts;
    const { uid } = job.metadata;
    const { suspendedMs } = fateOf(job);
    if (suspendedMs > 0) {
      this.#suspended.add(uid);
      time.after(suspendedMs, () => this.#release(uid));
    }
    this.#later(uid);
  }

  #release(uid: string): void {
    this.#suspended.delete(uid);
    const { store } = this.#parts;
    const job = store.byUid("jobs", uid);
    if (job === undefined) return;
    store.update("jobs", { ...job, spec: { ...job.spec, suspend: false } });
    this.#later(uid);
  }

  #later(uid: string): void {
    const { time, chance, store, fateOf } = this.#parts;
    const job = store.byUid("jobs", uid);
    if (job !== undefined) time.after(chance.between(10, fateOf(job).seen), () => this.#sync(uid));
  }

  /** Brings one Job to where its Pods are. */
  #sync(uid: string): void {
    const { store } = this.#parts;
    const job = store.byUid("jobs", uid);
    if (job === undefined) return;
    const pods = store.all("pods").filter((pod) => isOwnedBy(pod, job));
    if (job.metadata.deletionTimestamp !== undefined) this.#finishDeletion(job, pods);
    else if (hasEnded(job)) this.#endPods(pods);
    else if (this.#suspended.has(uid)) this.#suspend(job);
    else if (this.#won.has(uid)) this.#end(job, "Complete", pods);
    else if (this.#lost.has(uid)) this.#end(job, "Failed", pods);
    else this.#makePods(job, pods);
  }

  #makePods(job: KubeObject, pods: readonly KubeObject[]): void {
    const active = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    const { twin, replaces } = this.#parts.fateOf(job);
    if (active.length > 0 || (pods.length > 0 && !replaces)) return;
    this.#makePod(job);
    if (twin && pods.length === 0) this.#makePod(job);
  }

  #suspend(job: KubeObject): void {
    if (job.spec?.["suspend"] !== true)
      this.#parts.store.update("jobs", { ...job, spec: { ...job.spec, suspend: true } });
  }

  /** In the foreground a Job goes when its Pods are gone. */
  #finishDeletion(job: KubeObject, pods: readonly KubeObject[]): void {
    const { api, store } = this.#parts;
    if (pods.length === 0) store.remove("jobs", job);
    for (const pod of pods) api.delete("pods", pod, false);
  }

  #endPods(pods: readonly KubeObject[]): void {
    for (const pod of pods) if (!isOver(pod)) this.#parts.api.delete("pods", pod, false);
  }

  #makePod(job: KubeObject): void {
    const { store } = this.#parts;
    const { uid, name, namespace } = job.metadata;
    const nth = (this.#pods.get(uid) ?? 0) + 1;
    this.#pods.set(uid, nth);
    const template = (job.spec?.["template"] ?? {}) as { metadata?: Partial<Meta>; spec?: Part };
    store.create("pods", {
      metadata: {
        name: `${name}-${nth}`,
        namespace,
        ownerReferences: [{ uid }],
        annotations: template.metadata?.annotations ?? {},
        labels: { ...template.metadata?.labels, "batch.kubernetes.io/job-name": name },
      },
      spec: template.spec ?? {},
      status: { phase: "Pending" },
    });
  }

  #end(job: KubeObject, type: "Complete" | "Failed", pods: readonly KubeObject[]): void {
    const { store, time } = this.#parts;
    const reason = type === "Failed" ? { reason: "BackoffLimitExceeded", message: "Job has reached the limit" } : {};
    const condition = { type, status: "True", ...reason, lastTransitionTime: timestamp(store.now()) };
    store.update("jobs", { ...job, status: { conditions: [condition] } });
    this.#endPods(pods);
    const seconds = job.spec?.["ttlSecondsAfterFinished"];
    if (typeof seconds === "number") time.after(seconds * 1_000, () => this.#tidy(job.metadata.uid));
  }

  #tidy(uid: string): void {
    const { store, api } = this.#parts;
    const job = store.byUid("jobs", uid);
    if (job) api.delete("jobs", job, false);
  }

  /** Pods whose Job is gone. */
  #collect(job: KubeObject): void {
    const { time, chance, store, api } = this.#parts;
    time.after(chance.between(COLLECT.least, COLLECT.most), () => {
      for (const pod of store.all("pods")) if (isOwnedBy(pod, job)) api.delete("pods", pod, false);
    });
  }
}
