// A gate says how many more operations of an orchestrator may go now, and why no more. All gates must be open to go.
// Pure types: what closes a gate is each gate's own.
import type { LiveJob } from "../clusters/live-job.ts";
import type { Place, Usage } from "./places.ts";

/** Told to those who wait: one CamelCase word, and a sentence for a person. */
export type Why = { readonly reason: string; readonly message: string };

/** `room`: how many more may go; Infinity where the gate does not mind. `why`: what is told as long as there is none. */
export type Verdict = { readonly room: number; readonly why: Why };

export type Gate = {
  /** For the metric, one word. */
  readonly name: string;
  /** Looks at what is in flight, and at the Jobs that live; called before the gate is asked. */
  update?(usage: Usage, jobs: readonly LiveJob[], now: number): void;
  room(place: Place, usage: Usage, now: number): Verdict;
  /** One went through. */
  took?(place: Place, id: string, now: number): void;
  /** How much it remembers. */
  readonly size?: number;
};

export const OPEN: Verdict = { room: Number.POSITIVE_INFINITY, why: { reason: "", message: "" } };

/** The verdict of all gates together: the one with the least room. */
export function narrowest(gates: readonly Gate[], place: Place, usage: Usage, now: number): Verdict & { gate: string } {
  let least = { ...OPEN, gate: "" };
  for (const gate of gates) {
    const verdict = gate.room(place, usage, now);
    if (verdict.room < least.room) least = { ...verdict, gate: gate.name };
  }
  return least;
}
