// What is observed of our Jobs and Pods, by operation. Kept small: views only, live as long as the objects. A Pod that is gone
// is kept as it was last seen, as long as its Job: it may have been the only one to know why the Job failed. A change that matters is told as a hint with the operation's id; unchanged events are dropped here.
import { isDeepStrictEqual } from "node:util";
import { type LiveJob, liveJob, type Scope } from "./live-job.ts";
import { type JobView, jobEnd, type PodView, viewJob, viewPod } from "./observation.ts";

type Kept<V> = { readonly view: V; readonly scope: Scope };
type Raw = Readonly<Record<string, unknown>>;
type View = JobView | PodView;

export type ObservedJob = { readonly job: JobView; readonly pods: readonly PodView[]; readonly scope: Scope };

export class Observed {
  /** Of operations whose Jobs and Pods have not changed since they were last gone through: the queue does so many times a second. */
  readonly #progress = new Map<string, readonly LiveJob[]>();
  readonly #jobs = new ByOperation<JobView>({
    onChange: (operation) => this.#progress.delete(operation),
    onDrop: (scope, job) => this.#pods.dropGone(scope, job.operation, (pod) => pod.gone && isOf(pod, job)),
  });
  readonly #pods = new ByOperation<PodView>({
    onChange: (operation) => this.#progress.delete(operation),
    remains: (scope, pod) => {
      const ofJob = ({ view, scope: where }: Kept<JobView>): boolean => where === scope && isOf(pod, view);
      return this.#jobs.of(pod.operation).some(ofJob) ? { ...pod, deleting: true, gone: true } : undefined;
    },
  });
  readonly #database: string;
  readonly #hint: (operation: string) => void;

  /** @param database fingerprint of our database: Jobs of another opjob's are not kept */
  constructor(database: string, hint: (operation: string) => void) {
    this.#database = database;
    this.#hint = hint;
  }

  /** The Jobs of an operation, one for each attempt that still exists, with their Pods. */
  find(operation: string): ObservedJob[] {
    const seen = new Set<string>();
    return this.#jobs.of(operation).flatMap(({ view: job, scope }) => {
      if (seen.has(job.uid)) return []; // the same namespace watched with two credentials
      seen.add(job.uid);
      return [{ job, scope, pods: this.#podsOf(job, scope) }];
    });
  }

  #podsOf(job: JobView, scope: Scope): PodView[] {
    const ofJob = (pod: Kept<PodView>): boolean => pod.scope === scope && isOf(pod.view, job);
    return this.#pods
      .of(job.operation)
      .filter(ofJob)
      .map(({ view }) => view);
  }

  /** Whether a Job of the operation's exists. */
  has(operation: string): boolean {
    return this.#jobs.has(operation);
  }

  /** The Pods of an operation, also those whose Job is gone. */
  pods(operation: string): PodView[] {
    return this.#pods.of(operation).map(({ view }) => view);
  }

  /** Ids of operations with a Job that exists. */
  known(): string[] {
    return [...this.#jobs.names()];
  }

  /** Ids of operations with a Job that has not ended. */
  live(): string[] {
    return this.#jobs.operations(({ view }) => jobEnd(view) === undefined);
  }

  /** Every Job that has not ended, once. */
  *liveJobs(): Iterable<LiveJob> {
    for (const operation of this.#jobs.names()) {
      let live = this.#progress.get(operation);
      if (live === undefined) {
        live = this.#liveJobsOf(operation);
        this.#progress.set(operation, live);
      }
      yield* live;
    }
  }

  /** Jobs that have ended and that Kubernetes does not remove by itself, each once. */
  *finished(): Iterable<Omit<ObservedJob, "pods">> {
    const seen = new Set<string>();
    for (const { view: job, scope } of this.#jobs.all()) {
      if (jobEnd(job) === undefined || job.deleting || job.tidied || seen.has(job.uid)) continue;
      seen.add(job.uid); // the same namespace watched with two credentials
      yield { job, scope };
    }
  }

  #liveJobsOf(operation: string): readonly LiveJob[] {
    const live = this.#jobs.of(operation).filter(({ view }) => jobEnd(view) === undefined);
    const once = live.filter(({ view }, i) => live.findIndex((other) => other.view.uid === view.uid) === i);
    return once.map(({ view, scope }) => liveJob(view, scope, this.#podsOf(view, scope)));
  }

  /** Whether a Job of this attempt is or was seen, as long as it exists. */
  hasAttempt(operation: string, attempt: number): boolean {
    return this.#jobs.of(operation).some(({ view }) => view.attempt === attempt);
  }

  /** Whether a scope holds a Job that has not ended. */
  hasLive(scope: Scope): boolean {
    return this.#jobs.operations((kept) => kept.scope === scope && jobEnd(kept.view) === undefined).length > 0;
  }

  get sizes(): { readonly jobs: number; readonly pods: number } {
    return { jobs: this.#jobs.size, pods: this.#pods.size };
  }

  /** The handlers that one scope's watches call. */
  handlers(scope: Scope) {
    return {
      jobs: this.#handlersOf(scope, this.#jobs, (raw) => viewJob(raw)),
      pods: this.#handlersOf(scope, this.#pods, (raw) => viewPod(raw)),
    };
  }

  /** Forgets a scope that is no longer watched; nothing is concluded from it. */
  forget(scope: Scope): void {
    this.#jobs.replace(scope, []);
    this.#pods.replace(scope, []);
  }

  #handlersOf<V extends View>(scope: Scope, kept: ByOperation<V>, view: (raw: Raw) => V) {
    return {
      /** What is kept of an object as it arrives: nothing of others' Jobs. */
      view: (raw: Raw): V | undefined => {
        const seen = view(raw);
        return seen.operation !== "" && seen.database === this.#database ? seen : undefined;
      },
      onList: (views: readonly V[]) => {
        for (const operation of kept.replace(scope, views)) this.#hint(operation);
      },
      onChange: (seen: V) => {
        if (kept.put(scope, seen)) this.#hint(seen.operation);
      },
      onDelete: (seen: V) => {
        if (kept.drop(scope, seen)) this.#hint(seen.operation);
      },
    };
  }
}

/** A Job's name may be had again by another one; its uid may not. */
const isOf = (pod: PodView, job: JobView): boolean =>
  pod.jobUid === "" ? pod.job === job.name : pod.jobUid === job.uid;

type Upkeep<V> = {
  /** What stays of an object that is gone; undefined: nothing. */
  readonly remains?: (scope: Scope, view: V) => V | undefined;
  readonly onDrop?: (scope: Scope, view: V) => void;
  readonly onChange: (operation: string) => void;
};

class ByOperation<V extends View> {
  readonly #byOperation = new Map<string, Map<string, Kept<V>>>();
  readonly #upkeep: Upkeep<V>;
  size = 0;

  constructor(upkeep: Upkeep<V>) {
    this.#upkeep = upkeep;
  }

  of(operation: string): Kept<V>[] {
    return [...(this.#byOperation.get(operation)?.values() ?? [])];
  }

  names(): Iterable<string> {
    return this.#byOperation.keys();
  }

  *all(): Iterable<Kept<V>> {
    for (const kept of this.#byOperation.values()) yield* kept.values();
  }

  has(operation: string): boolean {
    return this.#byOperation.has(operation);
  }

  operations(where: (kept: Kept<V>) => boolean): string[] {
    return [...this.#byOperation].filter(([, all]) => [...all.values()].some(where)).map(([operation]) => operation);
  }

  /** true: it is new or different. */
  put(scope: Scope, view: V): boolean {
    const all = this.#byOperation.get(view.operation) ?? new Map<string, Kept<V>>();
    this.#byOperation.set(view.operation, all);
    const key = `${scope} ${view.uid}`;
    const known = all.get(key);
    if (known && isDeepStrictEqual(known.view, view)) return false;
    if (known === undefined) this.size++;
    all.set(key, { view, scope });
    this.#upkeep.onChange(view.operation);
    return true;
  }

  /** true: it was there, and what remains of it is not what was known. */
  drop(scope: Scope, view: V): boolean {
    const known = this.#byOperation.get(view.operation)?.get(`${scope} ${view.uid}`);
    if (known === undefined) return false;
    const remains = this.#upkeep.remains?.(scope, view);
    if (remains !== undefined) return this.put(scope, remains);
    this.#remove(scope, view);
    this.#upkeep.onDrop?.(scope, view);
    return true;
  }

  /** Drops, for good, those of an operation's that are meant. */
  dropGone(scope: Scope, operation: string, meant: (view: V) => boolean): void {
    for (const kept of this.of(operation)) if (kept.scope === scope && meant(kept.view)) this.#remove(scope, kept.view);
  }

  #remove(scope: Scope, view: V): void {
    const all = this.#byOperation.get(view.operation);
    if (!all?.delete(`${scope} ${view.uid}`)) return;
    this.size--;
    this.#upkeep.onChange(view.operation);
    if (all.size === 0) this.#byOperation.delete(view.operation);
  }

  /** Puts a complete list in the place of what was known of a scope; returns the operations with a difference. */
  replace(scope: Scope, views: readonly V[]): Set<string> {
    const changed = new Set<string>();
    const present = new Set(views.map(({ uid }) => uid));
    for (const kept of [...this.#byOperation.values()].flatMap((all) => [...all.values()])) {
      if (kept.scope !== scope || present.has(kept.view.uid)) continue;
      if (this.drop(scope, kept.view)) changed.add(kept.view.operation);
    }
    for (const view of views) if (this.put(scope, view)) changed.add(view.operation);
    return changed;
  }
}
