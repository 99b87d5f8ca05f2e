// The Job controller: brings each Job's Pods and status nearer to its spec whenever it or one of its Pods changes.
// It writes Jobs, makes and deletes Pods; it knows nothing of how Pods run.
import { isDeepStrictEqual } from "node:util";
import { admitPod } from "./admission.ts";
import type { Core } from "./core.ts";
import { deleteObject } from "./deletion.ts";
import {
  countedStatus,
  deadlineOf,
  finalStatus,
  isActive,
  isOver,
  knownVerdict,
  set,
  type Tally,
  type Verdict,
  verdictOf,
} from "./job-conditions.ts";
import { podOf } from "./job-pod.ts";
import { hasCondition, isFinished, type Job, type JobStatus, type Pod, timestamp } from "./objects.ts";
import { JOBS, PODS } from "./resources.ts";
import { ApiFailure } from "./status.ts";
import type { Change } from "./store.ts";

export type JobOptions = {
  /** The wait before a Pod is tried again after its first failure, in ms; doubled each time, 60 times as long at most. */
  readonly backoffMs: number;
};

type Memory = {
  readonly succeeded: Set<string>;
  readonly failed: Set<string>;
  /** Pods that a suspension ended: neither succeeded nor failed. */
  readonly ignored: Set<string>;
  cancelWake: () => void;
  lastFailure: number;
};

const COMPONENT = "job-controller";
const REFUSED_RETRY_MS = 1_000;

export class JobController {
  readonly #core: Core;
  readonly #options: JobOptions;
  readonly #memories = new Map<string, Memory>();
  readonly #queue = new Set<string>();

  constructor(core: Core, options: JobOptions) {
    this.#core = core;
    this.#options = options;
    core.store.react((change) => this.#follow(change));
  }

  #follow({ resource, type, kept }: Change): void {
    const { namespace = "", name } = kept.object.metadata;
    if (resource === JOBS) {
      if (type === "DELETED") this.#forget(kept.object.metadata.uid ?? "");
      else this.#enqueue(`${namespace}/${name}`);
    }
    if (resource !== PODS) return;
    const owner = kept.object.metadata.ownerReferences?.find(({ kind, controller }) => kind === "Job" && controller);
    if (!owner) return;
    this.#tally(owner.uid, kept.object as Pod, type === "DELETED");
    this.#enqueue(`${namespace}/${owner.name}`);
  }

  #enqueue(key: string): void {
    if (this.#queue.size === 0) this.#core.clock.soon(() => this.#drain());
    this.#queue.add(key);
  }

  #drain(): void {
    const keys = [...this.#queue];
    this.#queue.clear();
    for (const key of keys) {
      const [namespace, name = ""] = key.split("/");
      const job = this.#core.store.get(JOBS, namespace, name)?.object as Job | undefined;
      if (job) this.#sync(job);
    }
  }

  #memory(uid: string): Memory {
    const known = this.#memories.get(uid);
    if (known) return known;
    const sets = { succeeded: new Set<string>(), failed: new Set<string>(), ignored: new Set<string>() };
    const memory: Memory = { ...sets, cancelWake: () => undefined, lastFailure: 0 };
    this.#memories.set(uid, memory);
    return memory;
  }

  #forget(uid: string): void {
    this.#memories.get(uid)?.cancelWake();
    this.#memories.delete(uid);
  }

  /** A Pod counts once, when it ends or begins to be deleted. */
  #tally(jobUid: string, pod: Pod, gone: boolean): void {
    const memory = this.#memories.get(jobUid);
    const uid = pod.metadata.uid ?? "";
    if (!memory || [memory.succeeded, memory.failed, memory.ignored].some((set) => set.has(uid))) return;
    if (pod.status.phase === "Succeeded") memory.succeeded.add(uid);
    else if (pod.status.phase === "Failed" || gone || pod.metadata.deletionTimestamp) {
      memory.failed.add(uid);
      memory.lastFailure = this.#core.clock.now();
    }
  }

  #sync(job: Job): void {
    const memory = this.#memory(job.metadata.uid ?? "");
    if (job.metadata.deletionTimestamp) return;
    if (isOver(job)) {
      this.#expire(job, memory);
      return;
    }
    const now = this.#core.clock.now();
    const pods = this.#podsOf(job);
    const status = job.spec.suspend ? this.#suspend(job, memory, pods) : this.#begin(job, now);
    const verdict =
      knownVerdict(job) ?? (job.spec.suspend ? undefined : verdictOf({ ...job, status }, pods, memory, now));
    if (verdict) {
      this.#write(job, this.#end(job, { pods, memory, verdict, status }));
      return;
    }
    if (!job.spec.suspend) {
      const again = this.#makePods(job, memory, pods);
      this.#wakeAt(job, memory, Math.min(again, deadlineOf({ ...job, status })));
    }
    this.#write(job, this.#count(job, status, memory));
  }

  readonly #podsOf = (job: Job): Pod[] =>
    this.#core.owned.of(job.metadata.uid).flatMap(({ resource, object }) => (resource === PODS ? [object as Pod] : []));

  #count(job: Job, status: JobStatus, memory: Tally): JobStatus {
    return countedStatus({ ...job, status }, this.#podsOf(job), memory);
  }

  #begin(job: Job, now: number): JobStatus {
    const { status } = job;
    if (!hasCondition(status, "Suspended")) return status.startTime ? status : { ...status, startTime: timestamp(now) };
    this.#say(job, "Resumed", "Job resumed");
    const resumed = { type: "Suspended", status: "False", reason: "JobResumed", message: "Job resumed" } as const;
    return { ...status, startTime: timestamp(now), conditions: set(status, resumed, now) };
  }

  /** Pods that are deleted for a suspension are no failures. */
  #suspend(job: Job, memory: Memory, pods: readonly Pod[]): JobStatus {
    for (const pod of pods.filter(isActive)) {
      memory.ignored.add(pod.metadata.uid ?? "");
      this.#deletePod(job, pod);
    }
    if (hasCondition(job.status, "Suspended")) return job.status;
    this.#say(job, "Suspended", "Job suspended");
    const { startTime: _start, ...status } = job.status;
    const suspended = { type: "Suspended", status: "True", reason: "JobSuspended", message: "Job suspended" } as const;
    return { ...status, conditions: set(status, suspended, this.#core.clock.now()) };
  }

  /** First the intention, then the end itself, once no Pod is left that still ends. */
  #end(job: Job, state: { pods: readonly Pod[]; memory: Memory; verdict: Verdict; status: JobStatus }): JobStatus {
    const { pods, memory, verdict } = state;
    const now = this.#core.clock.now();
    if (!knownVerdict(job)) {
      const { type, reason, message } = verdict;
      const counted = this.#count(job, state.status, memory);
      return { ...counted, conditions: set(counted, { type, status: "True", reason, message }, now) };
    }
    for (const pod of pods.filter(isActive)) this.#deletePod(job, pod);
    const counted = this.#count(job, state.status, memory);
    if (this.#podsOf(job).some((pod) => !isFinished(pod))) return counted;
    if (verdict.type === "SuccessCriteriaMet") this.#say(job, "Completed", "Job completed");
    else
      this.#core.events.record(job, {
        type: "Warning",
        reason: verdict.reason,
        message: verdict.message,
        component: COMPONENT,
      });
    return finalStatus(counted, verdict, now);
  }

  /** @returns when to look again, in ms */
  #makePods(job: Job, memory: Memory, pods: readonly Pod[]): number {
    const { parallelism = 1, completions = parallelism } = job.spec;
    const waitsForEnd = job.spec.podReplacementPolicy === "Failed";
    const present = pods.filter((pod) => (waitsForEnd ? !isFinished(pod) : isActive(pod))).length;
    const wanted = Math.min(parallelism, completions - memory.succeeded.size) - present;
    if (wanted <= 0) return Infinity;
    const now = this.#core.clock.now();
    const again = memory.lastFailure + this.#options.backoffMs * Math.min(60, 2 ** (memory.failed.size - 1));
    if (memory.failed.size > 0 && again > now) return again;
    try {
      for (let i = 0; i < wanted; i++) {
        const pod = this.#core.store.create(PODS, admitPod(this.#core, podOf(job, now)));
        this.#say(job, "SuccessfulCreate", `Created pod: ${pod.metadata.name}`);
      }
      return Infinity;
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      const message = `Error creating: ${error.message}`;
      this.#core.events.record(job, { type: "Warning", reason: "FailedCreate", message, component: COMPONENT });
      return now + REFUSED_RETRY_MS;
    }
  }

  #deletePod(job: Job, { metadata }: Pod): void {
    const kept = this.#core.store.get(PODS, metadata.namespace, metadata.name);
    if (!kept) return;
    deleteObject(this.#core, PODS, kept, {});
    this.#say(job, "SuccessfulDelete", `Deleted pod: ${metadata.name}`);
  }

  /** Deletes a Job with its Pods when its time to live after the end is over. */
  #expire(job: Job, memory: Memory): void {
    const { ttlSecondsAfterFinished: ttl } = job.spec;
    if (ttl === undefined) return;
    const ended = job.status.conditions?.find(({ type }) => type === "Complete" || type === "Failed");
    const due = Date.parse(ended?.lastTransitionTime ?? "") + ttl * 1_000;
    const kept = this.#core.store.get(JOBS, job.metadata.namespace, job.metadata.name);
    if (due > this.#core.clock.now()) this.#wakeAt(job, memory, due);
    else if (kept) deleteObject(this.#core, JOBS, kept, { propagationPolicy: "Foreground" });
  }

  #wakeAt(job: Job, memory: Memory, at: number): void {
    memory.cancelWake();
    if (at === Infinity) return;
    const { namespace, name } = job.metadata;
    const wait = Math.max(1, at - this.#core.clock.now());
    memory.cancelWake = this.#core.clock.after(wait, () => this.#enqueue(`${namespace}/${name}`));
  }

  #write(job: Job, status: JobStatus): void {
    const current = this.#core.store.get(JOBS, job.metadata.namespace, job.metadata.name);
    if (!current || current.object.metadata.uid !== job.metadata.uid) return;
    if (!isDeepStrictEqual(current.object["status"], status))
      this.#core.store.update(JOBS, { ...current.object, status });
  }

  #say(job: Job, reason: string, message: string): void {
    this.#core.events.record(job, { reason, message, component: COMPONENT });
  }
}
