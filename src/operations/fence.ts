// The fence: what a daemon that does not lead any more runs into. Every write carries the epoch of the leader that makes it, and
// is refused where a later one wrote; before a write, and before whatever is done to a cluster, leadership must still be held.

export type Fence = {
  /** Of the present leadership; undefined: no Lease is used, and nothing is compared. */
  readonly epoch: () => number | undefined;
  /** @throws OpjobError LEADERSHIP_LOST unless leadership is held by this process's own clock */
  readonly require: () => void;
};

/** For a daemon that is alone, and for commands that only read. */
export const NO_FENCE: Fence = { epoch: () => undefined, require: () => undefined };
