// Places: which operations are in flight, by identity and by what is observed; a number is only ever read off, never kept.
// A place is held by every Job that lives, and by every operation for which a Job may exist that is not seen (yet).
import type { LiveJob, Scope } from "../clusters/live-job.ts";
import type { Observed } from "../clusters/observed.ts";
import { mayHaveJob, type Operation } from "../operations/operation.ts";

export type Place = { readonly orchestrator: string; readonly cluster: string | undefined };

/** `attempt`: it was claimed as this one; undefined: it was chosen, and its claim is still to come. */
type Held = Place & { readonly attempt: number | undefined };

export type PlacesOptions = {
  readonly observed: Pick<Observed, "hasAttempt">;
  /** The cluster of a watch's scope, and of an orchestrator as far as it is known. */
  readonly clusterOf: { readonly scope: (scope: Scope) => string | undefined };
};

/** How many are in flight: by orchestrator, by cluster, and of the Jobs how many no node has taken. */
export type Usage = {
  readonly total: number;
  readonly orchestrators: ReadonlyMap<string, Share>;
  readonly clusters: ReadonlyMap<string, number>;
};

/** `refused`: Jobs for which no node has room; `undecided`: Jobs of which nothing is known yet. */
export type Share = { readonly inFlight: number; readonly refused: number; readonly undecided: number };

export const NO_SHARE: Share = { inFlight: 0, refused: 0, undecided: 0 };

export class Places {
  readonly #held = new Map<string, Held>();
  readonly #granted = new Set<string>();
  /** Who was not found by the last reconcile. */
  #missing = new Set<string>();
  /** Of whom something was learned since a reconcile began: what it reads of them may be older. */
  #learned: Set<string> | undefined;
  /** Whose Job is being made: its document does not tell that one may exist. */
  readonly #launching = new Set<string>();
  readonly #options: PlacesOptions;

  constructor(options: PlacesOptions) {
    this.#options = options;
  }

  /** Gives a place to one that waits. */
  grant(id: string, place: Place): void {
    this.#learned?.add(id);
    this.#held.set(id, { ...place, attempt: undefined });
    this.#granted.add(id);
  }

  /** It was chosen, and its claim is still to come. */
  isGranted(id: string): boolean {
    return this.#granted.has(id);
  }

  has(id: string): boolean {
    return this.#held.has(id);
  }

  /** A claimed operation has its place by its claim, whoever gave it. */
  claimed({ id, claim }: Operation, cluster: string | undefined): void {
    if (claim === undefined) return;
    const { orchestrator, attempt } = claim;
    this.#learned?.add(id);
    this.#held.set(id, { orchestrator, cluster: claim.cluster ?? cluster, attempt });
    this.#granted.delete(id);
  }

  /** Its Job is about to be made. */
  begins(operation: Operation, cluster: string | undefined): void {
    this.claimed(operation, cluster);
    this.#launching.add(operation.id);
  }

  /** Its Job was made, or not: its document tells. */
  begun(id: string): void {
    this.#launching.delete(id);
    this.#learned?.add(id);
  }

  release(id: string): void {
    this.#held.delete(id);
    this.#granted.delete(id);
  }

  /** What follows from an operation as it was read just now; undefined: no Job of it can live. */
  settle(id: string, operation: Operation | undefined, cluster: string | undefined): void {
    if (operation !== undefined && mayHaveJob(operation)) this.claimed(operation, cluster);
    else this.release(id);
  }

  /**
   * Puts what the database holds in the place of what was known. Who was granted a place meanwhile keeps it; who is not
   * found keeps it for once: it may have a result, and its Job may not have been seen yet.
   */
  async reconcile(claims: AsyncIterable<Operation>): Promise<void> {
    const missing = new Set(this.#held.keys());
    const learned = new Set<string>();
    this.#learned = learned;
    const known = (id: string): boolean => this.isGranted(id) || this.#launching.has(id) || learned.has(id);
    for await (const operation of claims) {
      missing.delete(operation.id);
      if (!known(operation.id)) this.settle(operation.id, operation, this.#held.get(operation.id)?.cluster);
    }
    for (const id of missing) if (!known(id) && this.#missing.has(id)) this.release(id);
    this.#learned = undefined;
    this.#missing = missing;
  }

  clear(): void {
    this.#held.clear();
    this.#granted.clear();
  }

  /** Places that are held without a Job that is seen: in memory. */
  get size(): number {
    return this.#held.size;
  }

  /** How many were granted a place and are not claimed yet. */
  get granted(): number {
    return this.#granted.size;
  }

  /** @param jobs all that live */
  usage(jobs: Iterable<LiveJob>): Tally {
    const { observed, clusterOf } = this.#options;
    const tally = new Tally();
    const servers = new Map<Scope, string | undefined>();
    for (const { job, scope, node } of jobs) {
      if (!servers.has(scope)) servers.set(scope, clusterOf.scope(scope));
      tally.add({ orchestrator: job.orchestrator, cluster: servers.get(scope) }, node);
    }
    for (const [id, held] of this.#held) {
      // Its Job is seen: from now on it counts as long as it lives, and not again when it was tidied up.
      if (held.attempt !== undefined && observed.hasAttempt(id, held.attempt)) this.release(id);
      else tally.add(held, "undecided");
    }
    return tally;
  }
}

/** A usage that grows with what is granted. */
export class Tally implements Usage {
  total = 0;
  readonly orchestrators = new Map<string, { -readonly [K in keyof Share]: Share[K] }>();
  readonly clusters = new Map<string, number>();

  add({ orchestrator, cluster }: Place, node: "taken" | "refused" | "undecided"): void {
    this.total++;
    let share = this.orchestrators.get(orchestrator);
    if (share === undefined) {
      share = { ...NO_SHARE };
      this.orchestrators.set(orchestrator, share);
    }
    share.inFlight++;
    if (node !== "taken") share[node]++;
    if (cluster !== undefined) this.clusters.set(cluster, (this.clusters.get(cluster) ?? 0) + 1);
  }

  of(orchestrator: string): Share {
    return this.orchestrators.get(orchestrator) ?? NO_SHARE;
  }
}
