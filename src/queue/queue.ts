// The queue as the roads see it: who may be claimed now, who holds a place, who waits. Joins the parts of this room.
import type { Clock } from "../clock.ts";
import type { Scope } from "../clusters/live-job.ts";
import type { Observed } from "../clusters/observed.ts";
import type { Log } from "../log.ts";
import type { Claimed, Operation } from "../operations/operation.ts";
import { Admission } from "./admission.ts";
import { Away } from "./away.ts";
import { backpressureGate } from "./backpressure.ts";
import { Breaker, type BreakerOptions, type Fault } from "./breaker.ts";
import type { Gate, Why } from "./gate.ts";
import { ImagesGate } from "./images.ts";
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
  /** Key of the access that an orchestrator's cluster is spoken to by; undefined: not known (yet). */
  readonly accessOf: (orchestrator: string) => string | undefined;
  readonly limits: Limits;
  readonly backpressure: Omit<Parameters<typeof backpressureGate>[0], "log">;
  readonly breaking: Pick<BreakerOptions, "faults" | "pause">;
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
  return { ...turns(parts), ...accounts(parts), ...outcomes(parts) };
}

type Parts = QueueOptions & ReturnType<typeof open>;

function open(options: QueueOptions) {
  const { observed, clusterOf, limits, log, clock } = options;
  const breaker = new Breaker({ ...options.breaking, random: clock.random, log });
  const images = new ImagesGate({ pauseMs: options.breaking.pause.longest, log });
  const places = new Places({ observed, clusterOf });
  const notes = createNotes({ ...options, closed: () => admission.closed });
  // Of gates that are closed alike the first tells why.
  const gates: Gate[] = [breaker, images, backpressureGate({ ...options.backpressure, log }), limitsGate(limits)];
  const admission: Admission = new Admission({
    ...options,
    places,
    gates,
    clusterOf: clusterOf.orchestrator,
    shared: limits.total > 0 || limits.cluster > 0,
    onClosed: () => notes.wake(),
  });
  return { ...options, breaker, images, gates, places, admission, notes, away: new Away() };
}

/** Whose turn it is. */
function turns(parts: Parts) {
  const { places, admission, breaker, away, targets, clock } = parts;

  return {
    /** It was chosen, and its claim is still to come. */
    isGranted: (id: string): boolean => places.isGranted(id),

    /** Targets of which this one may be claimed now: all if its turn has come, else those where nobody waits. */
    claimable: (id: string, inFlight = false): readonly string[] =>
      inFlight || places.isGranted(id) ? targets() : admission.onSight(),

    /**
     * Whether it may be claimed now. If it waits for its claim it is remembered.
     * @param inFlight its Job is seen: it would wait for the very place that it has
     */
    isClaimable(operation: Operation, inFlight = false): boolean {
      const { id, target, runState, archived } = operation;
      const isOurs = runState === "queued" && !archived && target !== null && targets().includes(target);
      if (isOurs && (inFlight || places.isGranted(id) || admission.onSight().includes(target))) return true;
      away.forget(id);
      places.release(id);
      if (isOurs) offer(parts, operation, { target, kept: false });
      return false;
    },

    /**
     * When a claimed one that has no Job yet may go on. undefined: when its turn comes.
     * @returns milliseconds; 0: now
     */
    admits(operation: Claimed): number | undefined {
      const { id, claim } = operation;
      const { orchestrator: target } = claim;
      if (places.isGranted(id)) return 0;
      // Its Job may exist: it keeps its place, and is tried as soon as somebody may be.
      if (places.has(id)) {
        const ms = breaker.wait(target, id, clock.now());
        if (ms > 0) away.putOff(target, id, breaker.why(target)?.reason);
        return ms;
      }
      if (admission.onSight().includes(target)) return 0;
      offer(parts, operation, { target, kept: true });
      return undefined;
    },

    /** Why a claimed one that has no Job yet may not go on now; undefined: that is not known (yet). */
    holds: ({ claim: { orchestrator } }: Claimed): Why | undefined =>
      breaker.why(orchestrator) ?? admission.closed.get(orchestrator),

    refill: () => admission.refill(),
    look: () => admission.look(),

    /** Orchestrators for which somebody waits at a closed gate, and why. */
    closed: (): ReadonlyMap<string, Why & { readonly gate: string }> => admission.closed,
  };
}

type Waits = { readonly target: string; readonly kept: boolean };

function offer({ admission }: Parts, { id, priority, queuedAt }: Operation, { target, kept }: Waits): void {
  admission.offer(target, { id, priority, queuedAt: queuedAt?.getTime() ?? 0 }, kept);
}

/** What became of those who went. */
function outcomes(parts: Parts) {
  const { places, admission, breaker, images, away, targets, accessOf, go, clock } = parts;
  return {
    /** Its Job was made, of these images: its orchestrator can launch. */
    launched({ id, claim: { orchestrator } }: Claimed, of: readonly string[]): void {
      const tried = breaker.isTripped(orchestrator);
      breaker.success(orchestrator, id);
      images.launched(orchestrator, id, of);
      away.forget(id);
      for (const other of away.launched(orchestrator, tried)) go(other);
      admission.poke();
    },

    /** It has no Job, and no fault of its orchestrator's or its cluster's is why. */
    over({ id, claim: { orchestrator } }: Claimed): void {
      breaker.ended(orchestrator, id);
      away.forget(id);
      places.release(id);
      admission.poke();
    },

    /**
     * Its launch met a fault that may pass. true: it is told when to go on; else it comes again by itself.
     * @param vacant no Job of it can exist
     */
    putOff(operation: Claimed, fault: Fault, vacant: boolean): boolean {
      const { orchestrator: target } = operation.claim;
      breaker.fault(target, operation.id, fault, clock.now());
      if (vacant) places.release(operation.id);
      const waits = vacant && breaker.isTripped(target);
      if (waits) offer(parts, operation, { target, kept: true });
      away.putOff(target, operation.id, waits ? undefined : fault.code);
      admission.poke();
      return waits;
    },

    /** Something was changed that may have been a fault: what waits for one is tried again. */
    retry(): void {
      breaker.retry();
      images.retry();
      admission.poke();
    },

    /** The cluster that is spoken to by this access answers again: of those that wait for that, one is tried at once. */
    answered(access: string): void {
      for (const target of targets().filter((id) => accessOf(id) === access)) {
        breaker.answered(target, clock.now());
        const first = away.answered(target);
        if (first !== undefined) go(first);
      }
      admission.poke();
    },

    isProbe: (id: string): boolean => images.isProbe(id),

    /** Orchestrators whose operations wait for a fault to pass, with its code; and images that cannot be pulled. */
    faults: () => ({ tripped: breaker.tripped(), images: images.absent }),
  };
}

/** Who holds a place. */
function accounts({ places, admission, notes, breaker, images, away, gates, targets, clusterOf }: Parts) {
  const clusterOfTarget = (target: string | null): string | undefined =>
    target === null ? undefined : clusterOf.orchestrator(target);

  return {
    /** Its launch begins: from now on it holds a place. */
    begins: (operation: Claimed): void => places.begins(operation, clusterOfTarget(operation.claim.orchestrator)),

    /** Its launch is over, however it ended. */
    begun: (id: string): void => places.begun(id),

    release(id: string): void {
      away.forget(id);
      places.release(id);
      admission.poke();
    },

    /** What follows for its place from an operation as it was just read; undefined: no Job of it can live. */
    settle(id: string, operation: Operation | undefined): void {
      away.forget(id);
      places.settle(id, operation, clusterOfTarget(operation?.target ?? null));
      admission.poke();
    },

    /** Puts the claims that the database holds in the place of what was known; only then places are given. */
    async reconcile(claims: AsyncIterable<Operation>): Promise<void> {
      for (const kept of [breaker, images, away]) kept.retain(targets());
      await places.reconcile(claims);
      admission.begin();
    },

    /** In memory: ids of those who wait, and places held without a Job that is seen. */
    sizes: () => ({ waiting: admission.size, places: places.size, away: away.size }),

    /** In memory: what each gate remembers. */
    gates: () => gates.flatMap(({ name, size }) => (size === undefined ? [] : [[name, size] as const])),

    /** Forgets who waits and who is in flight; no place is given until the next `reconcile`. */
    clear(): void {
      admission.clear();
      places.clear();
      for (const kept of [breaker, images, away]) kept.retain([]);
    },

    async close(): Promise<void> {
      admission.close();
      await notes.close();
    },
  };
}
