// Time as the simulation has it: a queue of what happens next. One thing at a time, in an order that only the plan decides.
// Knows nothing of what happens.

export type Happening = { readonly cancel: () => void };
type Entry = { readonly at: number; readonly nth: number; call: (() => void) | undefined };

/** Longer than any simulation takes (ms). No Infinity: plans are written down as JSON. */
export const FOREVER = 1e9;

/** Milliseconds since 1970 at which every simulation begins: whole seconds, for Kubernetes knows no others. */
export const BEGINNING = Date.UTC(2026, 10, 23);

export class Time {
  /** A binary heap: the least entry first. */
  readonly #heap: Entry[] = [];
  #now = BEGINNING;
  #nth = 0;

  /** True time, which nobody in the simulation sees: each has a clock of its own. */
  get now(): number {
    return this.#now;
  }

  /** Milliseconds since the beginning. */
  get elapsed(): number {
    return this.#now - BEGINNING;
  }

  after(ms: number, call: () => void): Happening {
    const entry: Entry = { at: this.#now + Math.max(0, ms), nth: this.#nth++, call };
    this.#push(entry);
    return {
      cancel: () => {
        entry.call = undefined;
      },
    };
  }

  /** Goes on to what happens next. false: nothing is left to happen. */
  step(): boolean {
    for (;;) {
      const entry = this.#pop();
      if (entry === undefined) return false;
      if (entry.call === undefined) continue;
      this.#now = entry.at;
      entry.call();
      return true;
    }
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let place = heap.push(entry) - 1;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = heap[above] as Entry;
      if (before(parent, entry)) break;
      heap[place] = parent;
      place = above;
    }
    heap[place] = entry;
  }

  #pop(): Entry | undefined {
    const heap = this.#heap;
    const least = heap[0];
    const last = heap.pop();
    if (least === undefined || last === undefined || heap.length === 0) return least;
    let place = 0;
    for (;;) {
      const below = this.#lesserChild(place);
      if (below === undefined || before(last, heap[below] as Entry)) break;
      heap[place] = heap[below] as Entry;
      place = below;
    }
    heap[place] = last;
    return least;
  }

  #lesserChild(place: number): number | undefined {
    const [left, right] = [this.#heap[2 * place + 1], this.#heap[2 * place + 2]];
    if (left === undefined) return undefined;
    return right === undefined || before(left, right) ? 2 * place + 1 : 2 * place + 2;
  }
}

const before = (a: Entry, b: Entry): boolean => a.at < b.at || (a.at === b.at && a.nth < b.nth);

const immediate = globalThis.setImmediate;

/** Lets everything happen that the last step set in motion: all of it are promises, none waits for real time. */
export const drained = (): Promise<void> => new Promise((resolve) => void immediate(resolve));
