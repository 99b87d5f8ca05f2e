// Lanes: at most one piece of work in flight for each key, a bounded number over all keys.
// A hint while busy means "once more after": hints coalesce, nothing queues up behind a slow one, and nothing is lost.
// Knows nothing of what the work is.
import { type Clock, systemClock, type Timer } from "./clock.ts";

/** What a piece of work answers: done with it, or again after so many milliseconds. */
export type Next = { readonly again: number } | undefined;

export type LanesOptions = {
  /** Does the work of a key. It handles its own errors; what it throws all the same is given to `onError`. */
  work: (key: string) => Promise<Next>;
  concurrency: number;
  /** Keys that go before others, and get places of their own when all others are taken. */
  first?: { readonly of: (key: string) => boolean; readonly places: number };
  onError: (key: string, error: unknown) => void;
  /** Milliseconds until a key is tried again whose work threw. */
  retryMs?: number;
  /** As many keys may wait for a place; hints for others are dropped then, and told once there is room again. */
  longest?: number;
  onDropped?: () => void;
  /** Default: the system's. */
  clock?: Clock;
};

/** A timer for longer fires at once; a key that wakes early only looks once more (ms). */
const LONGEST_TIMER = 2 ** 31 - 1;

type Lane = { busy: boolean; hinted: boolean; timer: Timer | undefined; due: number; since: number };

export class Lanes {
  readonly #options: LanesOptions;
  readonly #clock: Clock;
  readonly #lanes = new Map<string, Lane>();
  /** Keys that wait for a free place, first come first served. A Set: a key waits once. */
  readonly #waiting = new Set<string>();
  /** The same, of those that go first. */
  readonly #first = new Set<string>();
  #busy = 0;
  #begun = 0;
  #dropped = false;
  #closed = false;
  #idle: (() => void)[] = [];

  constructor(options: LanesOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /**
   * Says that there may be something to do for a key. Never blocks, never throws.
   * @param withinMs hints that come in bursts may wait so long for one another
   */
  hint(key: string, withinMs = 0): void {
    if (this.#closed) return;
    if (this.#drops(key)) return;
    const lane = this.#lane(key);
    if (lane.busy) {
      lane.hinted = true;
      return;
    }
    if (withinMs > 0) {
      if (!this.#waiting.has(key) && !this.#first.has(key)) this.#wake(key, lane, withinMs);
      return;
    }
    lane.timer?.cancel();
    lane.timer = undefined;
    this.#wait(key);
    this.#start();
  }

  /** Too many wait already: this one is not remembered, but that there was one is. */
  #drops(key: string): boolean {
    const { longest = Number.POSITIVE_INFINITY, first } = this.#options;
    if (this.#waiting.size < longest || this.#lanes.has(key) || first?.of(key)) return false;
    this.#dropped = true;
    return true;
  }

  /** As `hint`, in the order of these calls: a key that waits by an earlier hint goes behind the others. Never dropped. */
  send(key: string): void {
    if (this.#closed) return;
    this.#lane(key);
    this.#waiting.delete(key);
    this.hint(key);
  }

  /** A key waits once; one that has come to go first since it began to wait changes over. */
  #wait(key: string): void {
    if (this.#options.first?.of(key)) {
      this.#waiting.delete(key);
      this.#first.add(key);
    } else if (!this.#first.has(key)) this.#waiting.add(key);
  }

  /** Sets the timer of a lane, unless it wakes sooner already. */
  #wake(key: string, lane: Lane, ms: number): void {
    const due = this.#clock.elapsed() + Math.min(ms, LONGEST_TIMER);
    if (lane.timer !== undefined && lane.due <= due) return;
    lane.timer?.cancel();
    lane.due = due;
    lane.timer = this.#clock.after(Math.min(ms, LONGEST_TIMER), () => this.hint(key));
  }

  /** Keys in memory: busy, waiting for a place, or with a timer. */
  get size(): number {
    return this.#lanes.size;
  }

  get waiting(): number {
    return this.#waiting.size + this.#first.size;
  }

  get busy(): number {
    return this.#busy;
  }

  /** Pieces of work begun so far. */
  get begun(): number {
    return this.#begun;
  }

  /** Keys whose work has been in hand for longer than so many milliseconds. */
  stalled(ms: number): string[] {
    const now = this.#clock.elapsed();
    return [...this.#lanes].filter(([, lane]) => lane.busy && now - lane.since > ms).map(([key]) => key);
  }

  /** Drops what waits; work in hand is finished, and not begun again. */
  clear(): void {
    this.#waiting.clear();
    this.#first.clear();
    this.#dropped = false;
    for (const [key, lane] of this.#lanes) {
      lane.timer?.cancel();
      lane.timer = undefined;
      lane.hinted = false;
      if (!lane.busy) this.#lanes.delete(key);
    }
  }

  /** Takes no more hints, drops what waits, and resolves when the work in hand is finished. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#waiting.clear();
    this.#first.clear();
    for (const lane of this.#lanes.values()) lane.timer?.cancel();
    if (this.#busy > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    this.#lanes.clear();
  }

  #lane(key: string): Lane {
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      lane = { busy: false, hinted: false, timer: undefined, due: 0, since: 0 };
      this.#lanes.set(key, lane);
    }
    return lane;
  }

  #start(): void {
    const { concurrency, first } = this.#options;
    this.#startFrom(this.#first, concurrency + (first?.places ?? 0));
    this.#startFrom(this.#waiting, concurrency);
  }

  #startFrom(waiting: Set<string>, places: number): void {
    for (const key of waiting) {
      if (this.#busy >= places) return;
      waiting.delete(key);
      this.#run(key, this.#lane(key));
    }
  }

  #run(key: string, lane: Lane): void {
    lane.busy = true;
    lane.since = this.#clock.elapsed();
    lane.hinted = false;
    this.#busy++;
    this.#begun++;
    this.#options
      .work(key)
      .catch((error: unknown): Next => {
        this.#options.onError(key, error);
        return { again: this.#options.retryMs ?? 5_000 };
      })
      .then((next) => this.#finished(key, lane, next))
      .catch((error: unknown) => this.#options.onError(key, error));
  }

  #finished(key: string, lane: Lane, next: Next): void {
    lane.busy = false;
    this.#busy--;
    if (this.#closed) {
      if (this.#busy === 0) for (const resolve of this.#idle.splice(0)) resolve();
      return;
    }
    if (lane.hinted) this.#wait(key);
    else if (next !== undefined) this.#wake(key, lane, next.again);
    else this.#lanes.delete(key);
    this.#start();
    if (!this.#dropped || this.#waiting.size > 0) return;
    this.#dropped = false;
    this.#options.onDropped?.();
  }
}
