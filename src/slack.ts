// Slack: memory that a backlog has left behind is given back once all is quiet. V8 keeps it until the next one: its collector runs
// by what is allocated, and a daemon that only follows allocates next to nothing. Knows neither operations nor clusters.
import type { Clock } from "./clock.ts";

export type Heap = {
  /** Bytes that the heap has taken from the system, used or not. */
  readonly taken: () => number;
  /** Collects everything and gives back what is free; the process stands still meanwhile. */
  readonly collect: () => void;
};

export type SlackOptions = {
  /** Undefined: this process may not collect by itself (Node's --expose-gc). */
  readonly heap: Heap | undefined;
  /** Pieces of work begun so far. */
  readonly begun: () => number;
  readonly clock: Pick<Clock, "sleep">;
  readonly signal: AbortSignal;
};

/** Quiet is: no work was begun for so long (ms). */
const LOOK = 5_000;
/** What is worth standing still for some hundredths of a second (bytes). */
const WORTH = 16 * 2 ** 20;

/** Looks from time to time until the signal is aborted; never throws. */
export async function giveBackSlack({ heap, begun, clock, signal }: SlackOptions): Promise<void> {
  if (heap === undefined) return;
  let [before, least] = [begun(), 0];
  while (!signal.aborted) {
    await clock.sleep(LOOK, signal);
    const now = begun();
    if (!signal.aborted && now === before && heap.taken() >= least + WORTH) {
      heap.collect();
      least = heap.taken();
    }
    before = now;
  }
}
