// A ration: how many of a kind of act are allowed in a time. What goes beyond waits for the next time: whatever is wrong with what
// somebody believes to know, it is slow to do harm. Knows nothing of the acts.

export type RationOptions = {
  /** In each time. */
  readonly most: number;
  readonly ms: number;
  readonly now: () => number;
};

export type Ration = ReturnType<typeof createRation>;

export function createRation({ most, ms, now }: RationOptions) {
  let began = Number.NEGATIVE_INFINITY;
  let left = most;
  const renew = (): void => {
    if (now() - began < ms && now() >= began) return;
    began = now();
    left = most;
  };
  return {
    /** Takes one. @returns 0: it is allowed; else how long until there are more (ms) */
    take(): number {
      renew();
      if (left === 0) return Math.max(1, began + ms - now());
      left--;
      return 0;
    },
  };
}
