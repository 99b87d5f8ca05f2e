// The queue as the roads see it: who may be claimed now, who holds a place, who waits. Joins the parts of this room.
import type { Clock } from "../clock.ts";
import type { Observed, Scope } from "../clusters/observed.ts";
import type { Log } from "../log.ts";
import type { Claim, Operation } from "../operations/operation.ts";
import { Admission } from "./admission.ts";
import { backpressureGate } from "./backpressure.ts";
import type { Why } from "./gate.ts";
import { type Limits, limitsGate } from "./limits.ts";
import { createNotes, type NotesOptions } from "./notes.ts";
import { Places } from "./places.ts";

export type QueueOptions = {
  readonly operations: NotesOptions["operations"];
  readonly observed: Pick<Observed, "liveJobs" | "hasAttempt">;
  /** instance_ids of the active orchestrators. */
  readonly targets: () => readonly string[];
  /** Which cluster a watch's scope, or an orchestrator, belongs to; undefined: not known (yet). */
  readonly clusterOf: {
    readonly scope: (scope: Scope) => string | undefined;
    readonly orchestrator: (id: string) => string | undefined;
  };
  readonly limits: Limits;
  readonly backpressure: Omit<Parameters<typeof backpressureGate>[0], "log">;
  /** Whether places may be given: not by a standby. */
  readonly active: () => boolean;
  /** Works on one that was given its place. */
  readonly go: (id: string) => void;
  readonly underway: number;
  readonly onError: (error: unknown) => void;
  readonly log: Log;
  readonly clock: Clock;
};

export type Queue = ReturnType<typeof createQueue>;

export function createQueue(options: QueueOptions) {
  const parts = open(options);
  return { ...turns(parts), ...accounts(parts) };
}

type Claimed = Operation & { readonly claim: Claim };
type Parts = QueueOptions & ReturnType<typeof open>;

function open(options: QueueOptions) {
  const { observed, clusterOf, limits } = options;
  const places = new Places({ observed, clusterOf });
  const notes = createNotes({ ...options, closed: () => admission.closed });
  const admission: Admission = new Admission({
    ...options,
    places,
    gates: [limitsGate(limits), backpressureGate({ ...options.backpressure, log: options.log })],
    clusterOf: clusterOf.orchestrator,
    shared: limits.total > 0 || limits.cluster > 0,
    onClosed: () => notes.wake(),
  });
  return { ...options, places, admission, notes };
}

/** Whose turn it is. */
function turns({ places, admission, targets }: Parts) {
  const offer = ({ id, priority, queuedAt }: Operation, target: string, kept: boolean): void =>
    admission.offer(target, { id, priority, queuedAt: queuedAt?.getTime() ?? 0 }, kept);

  return {
    /** It was chosen, and its claim is still to come. */
    isGranted: (id: string): boolean => places.isGranted(id),

    /** Targets of which this one may be claimed now: all if its turn has come, else those where nobody waits. */
    claimable: (id: string): readonly string[] => (places.isGranted(id) ? targets() : admission.onSight()),

    /** Whether it may be claimed now. If it waits for its claim it is remembered. */
    isClaimable(operation: Operation): boolean {
      const { id, target, runState, archived } = operation;
      const isOurs = runState === "queued" && !archived && target !== null && targets().includes(target);
      if (isOurs && (places.isGranted(id) || admission.onSight().includes(target))) return true;
      places.release(id);
      if (isOurs) offer(operation, target, false);
      return false;
    },

    /** Whether a claimed one that has no Job yet may go on; else it waits for its turn. */
    admits(operation: Claimed): boolean {
      const { orchestrator } = operation.claim;
      if (places.has(operation.id) || admission.onSight().includes(orchestrator)) return true;
      offer(operation, orchestrator, true);
      return false;
    },

    refill: () => admission.refill(),
    look: () => admission.look(),

    /** Orchestrators for which somebody waits at a closed gate, and why. */
    closed: (): ReadonlyMap<string, Why & { readonly gate: string }> => admission.closed,
  };
}

/** Who holds a place. */
function accounts({ places, admission, notes, clusterOf }: Parts) {
  const clusterOfTarget = (target: string | null): string | undefined =>
    target === null ? undefined : clusterOf.orchestrator(target);

  return {
    /** Its launch begins: from now on it holds a place. */
    begins: (operation: Claimed): void => places.claimed(operation, clusterOfTarget(operation.claim.orchestrator)),

    release(id: string): void {
      places.release(id);
      admission.poke();
    },

    /** What follows for its place from an operation as it was just read; undefined: no Job of it can live. */
    settle(id: string, operation: Operation | undefined): void {
      places.settle(id, operation, clusterOfTarget(operation?.target ?? null));
      admission.poke();
    },

    /** Puts the claims that the database holds in the place of what was known; only then places are given. */
    async reconcile(claims: AsyncIterable<Operation>): Promise<void> {
      await places.reconcile(claims);
      admission.begin();
    },

    /** In memory: ids of those who wait, and places held without a Job that is seen. */
    sizes: (): { readonly waiting: number; readonly places: number } => ({
      waiting: admission.size,
      places: places.size,
    }),

    /** Forgets who waits and who is in flight; no place is given until the next `reconcile`. */
    clear(): void {
      admission.clear();
      places.clear();
    },

    async close(): Promise<void> {
      admission.close();
      await notes.close();
    },
  };
}
