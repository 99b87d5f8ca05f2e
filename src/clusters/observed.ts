// What is observed of our Jobs and Pods, by operation. Kept small: views only, live as long as the objects.
// A change that matters is told as a hint with the operation's id; unchanged events are dropped here.
import { isDeepStrictEqual } from "node:util";
import {
  isScheduled,
  isUnschedulable,
  type JobView,
  jobEnd,
  newest,
  type PodView,
  viewJob,
  viewPod,
} from "./observation.ts";

/** One (cluster, namespace) as one watch sees it. */
export type Scope = string;
type Kept<V> = { readonly view: V; readonly scope: Scope };
type Raw = Readonly<Record<string, unknown>>;
type View = JobView | PodView;

export type ObservedJob = { readonly job: JobView; readonly pods: readonly PodView[]; readonly scope: Scope };

/** A Job that has not ended, and whether a node has taken its Pod: `refused`, none has room for it. */
export type LiveJob = {
  readonly job: JobView;
  readonly scope: Scope;
  readonly node: "taken" | "refused" | "undecided";
};

export class Observed {
  readonly #jobs = new ByOperation<JobView>();
  readonly #pods = new ByOperation<PodView>();
  readonly #database: string;
  readonly #hint: (operation: string) => void;

  /** @param database fingerprint of our database: Jobs of another opjob's are not kept */
  constructor(database: string, hint: (operation: string) => void) {
    this.#database = database;
    this.#hint = hint;
  }

  /** The Jobs of an operation, one for each attempt that still exists, with their Pods. */
  find(operation: string): ObservedJob[] {
    const pods = this.#pods.of(operation);
    const seen = new Set<string>();
    return this.#jobs.of(operation).flatMap(({ view: job, scope }) => {
      if (seen.has(job.uid)) return []; // the same namespace watched with two credentials
      seen.add(job.uid);
      return [
        {
          job,
          scope,
          pods: pods.filter((pod) => pod.view.job === job.name && pod.scope === scope).map(({ view }) => view),
        },
      ];
    });
  }

  /** Ids of operations with a Job that has not ended. */
  live(): string[] {
    return this.#jobs.operations(({ view }) => jobEnd(view) === undefined);
  }

  /** Every Job that has not ended, once. */
  *liveJobs(): Iterable<LiveJob> {
    const seen = new Set<string>();
    for (const { view: job, scope } of this.#jobs.all()) {
      if (jobEnd(job) !== undefined || seen.has(job.uid)) continue; // the same namespace watched with two credentials
      seen.add(job.uid);
      const pods = this.#pods.of(job.operation).filter((pod) => pod.view.job === job.name && pod.scope === scope);
      yield { job, scope, node: nodeOf(pods.map(({ view }) => view)) };
    }
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
    const ours = (raw: Raw): V | undefined => {
      const seen = view(raw);
      return seen.operation !== "" && seen.database === this.#database ? seen : undefined;
    };
    return {
      onList: (objects: readonly Raw[]) => {
        const views = objects.flatMap((raw) => ours(raw) ?? []);
        for (const operation of kept.replace(scope, views)) this.#hint(operation);
      },
      onChange: (raw: Raw) => {
        const seen = ours(raw);
        if (seen && kept.put(scope, seen)) this.#hint(seen.operation);
      },
      onDelete: (raw: Raw) => {
        const seen = ours(raw);
        if (seen && kept.drop(scope, seen)) this.#hint(seen.operation);
      },
    };
  }
}

function nodeOf(pods: readonly PodView[]): LiveJob["node"] {
  const pod = newest(pods);
  if (pod === undefined) return "undecided";
  return isUnschedulable(pod) ? "refused" : isScheduled(pod) ? "taken" : "undecided";
}

class ByOperation<V extends View> {
  readonly #byOperation = new Map<string, Map<string, Kept<V>>>();
  size = 0;

  of(operation: string): Kept<V>[] {
    return [...(this.#byOperation.get(operation)?.values() ?? [])];
  }

  *all(): Iterable<Kept<V>> {
    for (const kept of this.#byOperation.values()) yield* kept.values();
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
    return true;
  }

  drop(scope: Scope, view: V): boolean {
    const all = this.#byOperation.get(view.operation);
    if (!all?.delete(`${scope} ${view.uid}`)) return false;
    this.size--;
    if (all.size === 0) this.#byOperation.delete(view.operation);
    return true;
  }

  /** Puts a complete list in the place of what was known of a scope; returns the operations with a difference. */
  replace(scope: Scope, views: readonly V[]): Set<string> {
    const changed = new Set<string>();
    const present = new Set(views.map(({ uid }) => uid));
    for (const kept of [...this.#byOperation.values()].flatMap((all) => [...all.values()])) {
      if (kept.scope !== scope || present.has(kept.view.uid)) continue;
      this.drop(scope, kept.view);
      changed.add(kept.view.operation);
    }
    for (const view of views) if (this.put(scope, view)) changed.add(view.operation);
    return changed;
  }
}
