// A clock that a test moves: nothing passes by itself, and whatever waits is woken in the order of its time.
// Each may be given another time of day, and may stop for a while like a process that is stopped; knows nothing of what is timed.
import type { Clock } from "../src/clock.ts";

type Waiting = { readonly at: number; readonly call: () => void };

/** Lets everything happen that settled promises set in motion. */
export const settle = async (): Promise<void> => {
  for (let i = 0; i < 50; i++) await Promise.resolve();
};

export class VirtualTime {
  now = 0;
  readonly #waiting = new Set<Waiting>();

  /** @param skew how far its time of day is off (ms) */
  clock(skew = 0): Clock & { readonly stop: () => void; readonly go: () => void } {
    /** What came to its time while its process was stopped. */
    let late: (() => void)[] | undefined;
    const after = (ms: number, call: () => void) => {
      const waiting: Waiting = { at: this.now + ms, call: () => (late === undefined ? call() : void late.push(call)) };
      this.#waiting.add(waiting);
      const cancel = (): void => void this.#waiting.delete(waiting);
      return { cancel, refresh: () => undefined };
    };
    return {
      now: () => Date.UTC(2026, 0, 1) + skew + this.now,
      elapsed: () => this.now,
      random: () => 0.5,
      after,
      sleep: (ms, signal) =>
        new Promise((resolve) => {
          if (signal.aborted) return resolve();
          const { cancel } = after(ms, resolve);
          signal.addEventListener("abort", () => {
            cancel();
            resolve();
          });
        }),
      stop: () => {
        late = [];
      },
      go: () => {
        const calls = late ?? [];
        late = undefined;
        for (const call of calls) call();
      },
    };
  }

  /** Lets so much time pass. */
  async pass(ms: number): Promise<void> {
    const end = this.now + ms;
    await settle();
    for (;;) {
      const next = [...this.#waiting].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#waiting.delete(next);
      this.now = Math.max(this.now, next.at);
      next.call();
      await settle();
    }
    this.now = end;
    await settle();
  }
}
