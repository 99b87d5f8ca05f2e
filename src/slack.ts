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

/** Quiet is: in so long (ms) so little work was begun. Few would notice that the process stands still for some hundredths of a second. */
const QUIET = { ms: 5_000, works: 250 };
/** So much more than after the last time is worth it (bytes): what is new for the moment alone takes most of that. */
const WORTH = 24 * 2 ** 20;
/** Between two times (ms). */
const REST = 30_000;

/** Looks from time to time until the signal is aborted; never throws. */
export async function giveBackSlack({ heap, begun, clock, signal }: SlackOptions): Promise<void> {
  if (heap === undefined) return;
  let [before, least] = [begun(), 0];
  while (!signal.aborted) {
    await clock.sleep(QUIET.ms, signal);
    const now = begun();
    if (!signal.aborted && now - before <= QUIET.works && heap.taken() >= least + WORTH) {
      heap.collect();
      least = heap.taken();
      await clock.sleep(REST, signal);
    }
    before = begun();
  }
}
