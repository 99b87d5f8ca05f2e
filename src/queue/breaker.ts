// The circuit breaker of each orchestrator: when launches meet faults of its surroundings again and again, its operations wait in the
// queue with the reason, and one at a time is tried. The first that works opens the way again, slowly: no herd.
// Knows faults and successes by operation; nothing of what was tried.
import type { ErrorCode } from "../errors.ts";
import type { Log } from "../log.ts";
import { isAway } from "./away.ts";
import { type Gate, OPEN, type Verdict, type Why } from "./gate.ts";
import type { Place, Usage } from "./places.ts";

export type BreakerOptions = {
  /** So many faults without a success between them; 0: it never closes. */
  readonly faults: number;
  /** Until the first try, and at the most between two (ms). */
  readonly pause: { readonly first: number; readonly longest: number };
  readonly random: () => number;
  readonly log: Log;
};

export type Fault = { readonly code: ErrorCode; readonly message: string };

/** `inHand`: tried now. `allowed`: so many may be, doubled by each that works. */
type State =
  | { readonly kind: "counting"; readonly faults: number }
  | (Tripped & { readonly kind: "tripped"; probe: { readonly id: string; readonly until: number } | undefined })
  | (Tripped & { readonly kind: "opening"; allowed: number; readonly inHand: Set<string> });
type Tripped = { readonly fault: Fault; readonly pauseMs: number; readonly since: number; probeAt: number };

const whyOf = ({ fault: { code, message } }: Tripped): Why => ({
  reason: code,
  message: `${message} One operation at a time is tried until it works.`,
});

/** Whoever tries has so long; then another one may (ms). */
const PROBE_ENDS = 90_000;
/** With so many at once nothing is held back any more. */
const WIDE = 64;
/** What is not the orchestrator's, nor its cluster's. */
const OTHERS = /^(DATABASE|LEADERSHIP|LEASE)_|^INTERNAL$/;

export class Breaker implements Gate {
  readonly name = "breaker";
  readonly #options: BreakerOptions;
  readonly #states = new Map<string, State>();

  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  room({ orchestrator }: Place, _: Usage, now: number): Verdict {
    const state = this.#states.get(orchestrator);
    if (state === undefined || state.kind === "counting") return OPEN;
    const why = whyOf(state);
    if (state.kind === "opening") return { room: Math.max(0, state.allowed - state.inHand.size), why };
    return { room: this.#isDue(state, now) ? 1 : 0, why };
  }

  /** One of the orchestrator's was given its place. */
  took({ orchestrator }: Place, id: string, now: number): void {
    const state = this.#states.get(orchestrator);
    if (state?.kind === "tripped") state.probe = { id, until: now + PROBE_ENDS };
    else if (state?.kind === "opening") state.inHand.add(id);
  }

  /**
   * One that holds its place asks whether it may be tried now, for its Job may exist.
   * @returns how long it must wait; 0: now (ms)
   */
  wait(orchestrator: string, id: string, now: number): number {
    const state = this.#states.get(orchestrator);
    if (state?.kind !== "tripped" || state.probe?.id === id) return 0;
    if (!this.#isDue(state, now)) return Math.max(1_000, state.probeAt - now);
    state.probe = { id, until: now + PROBE_ENDS };
    return 0;
  }

  fault(orchestrator: string, id: string, fault: Fault, now: number): void {
    const state = this.#states.get(orchestrator) ?? { kind: "counting", faults: 0 };
    if (this.#options.faults === 0 || OTHERS.test(fault.code)) {
      this.ended(orchestrator, id);
    } else if (state.kind === "counting") {
      if (state.faults + 1 >= this.#options.faults) this.#trip(orchestrator, { fault, pauseMs: 0 }, now);
      else this.#states.set(orchestrator, { kind: "counting", faults: state.faults + 1 });
    } else if (state.kind === "opening" || state.probe?.id === id) {
      this.#trip(orchestrator, { fault, pauseMs: state.pauseMs }, now);
    }
    // Those that were begun before it tripped tell nothing new.
  }

  success(orchestrator: string, id: string): void {
    const state = this.#states.get(orchestrator);
    if (state === undefined) return;
    if (state.kind === "counting") this.#states.delete(orchestrator);
    else if (state.kind === "tripped") {
      this.#states.set(orchestrator, { ...state, kind: "opening", allowed: 2, inHand: new Set() });
      this.#options.log.info(
        { orchestrator, was: state.fault.code },
        "an operation could be launched again: the way opens",
      );
    } else {
      state.inHand.delete(id);
      state.allowed *= 2;
      if (state.allowed > WIDE) this.#states.delete(orchestrator);
    }
  }

  /** It is not tried any more, and tells nothing. */
  ended(orchestrator: string, id: string): void {
    const state = this.#states.get(orchestrator);
    if (state?.kind === "tripped" && state.probe?.id === id) state.probe = undefined;
    else if (state?.kind === "opening") state.inHand.delete(id);
  }

  /** Something was changed that may have been the fault: the next try is due. */
  retry(): void {
    for (const state of this.#states.values()) if (state.kind === "tripped") state.probeAt = 0;
  }

  /**
   * Its cluster answers again: where that was the fault, the next try is due, whatever became of one that hangs. A cluster that
   * comes and goes is tried no more often than after the first pause, and what fails makes the next pause longer as ever.
   */
  answered(orchestrator: string, now: number): void {
    const state = this.#states.get(orchestrator);
    if (state?.kind !== "tripped" || !isAway(state.fault.code)) return;
    const { first } = this.#options.pause;
    state.probeAt = Math.min(state.probeAt, Math.max(now, state.since + first));
    if (state.probe && now >= state.probe.until - PROBE_ENDS + first) state.probe = undefined;
  }

  /** Why an orchestrator's operations wait; undefined: not for a fault. */
  why(orchestrator: string): Why | undefined {
    const state = this.#states.get(orchestrator);
    return state === undefined || state.kind === "counting" ? undefined : whyOf(state);
  }

  isTripped(orchestrator: string): boolean {
    return this.#states.get(orchestrator)?.kind === "tripped";
  }

  /** Orchestrators that wait, with the code of the fault. */
  tripped(): ReadonlyMap<string, string> {
    const all = [...this.#states].flatMap(([id, state]) =>
      state.kind === "counting" ? [] : ([[id, state.fault.code]] as const),
    );
    return new Map(all);
  }

  get size(): number {
    return this.#states.size;
  }

  /** Forgets orchestrators that are gone. */
  retain(orchestrators: readonly string[]): void {
    for (const id of this.#states.keys()) if (!orchestrators.includes(id)) this.#states.delete(id);
  }

  #isDue(state: Extract<State, { kind: "tripped" }>, now: number): boolean {
    return now >= state.probeAt && (state.probe === undefined || now >= state.probe.until);
  }

  #trip(orchestrator: string, { fault, pauseMs: before }: Pick<Tripped, "fault" | "pauseMs">, now: number): void {
    const { pause, random, log } = this.#options;
    const pauseMs = Math.min(pause.longest, before === 0 ? pause.first : before * 2);
    const probeAt = now + pauseMs * (0.75 + random() / 2);
    this.#states.set(orchestrator, { kind: "tripped", fault, pauseMs, since: now, probeAt, probe: undefined });
    if (before > 0) return;
    const { code, message } = fault;
    log.error({ orchestrator, code, error: message }, "launches meet the same fault again and again: operations wait");
  }
}
