// Calls over a network: what may become of one. A call goes there, is done or not, and an answer comes back or not.
// Knows nothing of who calls or of what is done.

/** A call as the plan's troubles see it. */
export type Asked = {
  /** "database", or a cluster's address. */
  readonly service: string;
  readonly verb: string;
  /** What it is about, for the trace. */
  readonly about: string;
  /** Who asks gives up after so long, where that is sooner than for others (ms). */
  readonly givesUpMs?: number;
};

/** What becomes of a call. Times in milliseconds from when it is made. */
export type Fate =
  /** Done, and answered. */
  | { readonly kind: "answered"; readonly done: number; readonly back: number }
  /** Not done, and the answer says so, by this name of a refusal. */
  | { readonly kind: "refused"; readonly back: number; readonly refusal: string }
  /** Not done; the connection breaks. */
  | { readonly kind: "unreachable"; readonly back: number }
  /** Done, in part if it has parts; but the answer never comes: the connection breaks. */
  | { readonly kind: "lost"; readonly done: number; readonly back: number }
  /** The caller gives up, and then it is done all the same. */
  | { readonly kind: "late"; readonly done: number; readonly back: number };

/** Says of a part of a call whether it is left undone, because the connection broke in the middle. */
export type LeftOut = () => boolean;

export type Doing<T> = {
  /** Does it, at one instant. What it throws is the answer. */
  readonly effect: (leftOut: LeftOut) => T;
  /** The error of a connection that breaks. */
  readonly broken: () => Error;
  /** The answer that refuses. May throw it. */
  readonly refuse: (refusal: string) => T;
};

/** A way to services, of somebody who may die or stand still at any moment. */
export type Line = {
  readonly name: string;
  /** True time, for what happens on the way. */
  readonly now: () => number;
  readonly call: <T>(asked: Asked, doing: Doing<T>) => Promise<T>;
  /** Tells something that was not asked for, after some time: an event of a stream. Never when the caller is dead. */
  readonly tell: (ms: number, call: () => void) => void;
};
