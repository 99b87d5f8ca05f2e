// Time, timers and chance. Whoever dates, waits or draws lots is given a clock: a simulation plays the whole daemon on one of
// its own, and two daemons on two that disagree. Only here are the process's own reached for; it knows nothing of what is timed.
import { setTimeout as pause } from "node:timers/promises";

export type Timer = {
  readonly cancel: () => void;
  /** Waits the whole time once more, from now on. */
  readonly refresh: () => void;
};

export type Clock = {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds since some moment; never goes back, whatever somebody does to the machine's time. */
  readonly elapsed: () => number;
  /** A number in [0, 1): spreads what would else come together. */
  readonly random: () => number;
  /** Calls once after so many milliseconds. */
  readonly after: (ms: number, call: () => void) => Timer;
  /** Resolves after so many milliseconds, or as soon as the signal is aborted; it never rejects. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
};

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  random: () => Math.random(),
  after: (ms, call) => {
    const timer = setTimeout(call, ms);
    return { cancel: () => clearTimeout(timer), refresh: () => void timer.refresh() };
  },
  sleep: async (ms, signal) => {
    await pause(ms, undefined, { signal }).catch(() => undefined);
  },
};
