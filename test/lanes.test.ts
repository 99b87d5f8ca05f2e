// Lanes: one piece of work in flight for each key, a bounded number in all, and no hint lost.
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, jest, test } from "@jest/globals";
import fc from "fast-check";
import { Lanes, type LanesOptions, type Next } from "../src/lanes.ts";

type Work = { readonly key: string; readonly end: (next?: Next) => void; readonly fail: (error: unknown) => void };

/** Lanes whose work begins and ends when the test says so. */
function controlled(concurrency: number, retryMs?: number, first?: LanesOptions["first"]) {
  const begun: Work[] = [];
  const errors: { key: string; error: unknown }[] = [];
  const lanes = new Lanes({
    concurrency,
    ...(retryMs === undefined ? {} : { retryMs }),
    ...(first === undefined ? {} : { first }),
    onError: (key, error) => errors.push({ key, error }),
    work: (key) => {
      const { promise, resolve, reject } = Promise.withResolvers<Next>();
      begun.push({ key, end: resolve, fail: reject });
      return promise;
    },
  });
  return { lanes, begun, errors, keys: () => begun.map(({ key }) => key) };
}

/** Lets everything happen that a settled promise sets in motion. */
const settle = async (): Promise<void> => {
  for (let i = 0; i < 10; i++) await Promise.resolve();
};

describe("what goes first", () => {
  const capitals = (places: number) => ({ of: (key: string) => key === key.toUpperCase(), places });

  test("goes before all that waits already, and among itself in order", async () => {
    const { lanes, begun, keys } = controlled(1, undefined, capitals(0));
    for (const key of ["a", "b", "c", "X", "Y"]) lanes.hint(key);
    expect([keys(), lanes.waiting]).toEqual([["a"], 4]);
    for (let i = 0; i < 4; i++) {
      begun[i]?.end();
      await settle();
    }
    expect(keys()).toEqual(["a", "X", "Y", "b", "c"]);
  });

  test("has places of its own when all others are taken, and no more than these", async () => {
    const { lanes, begun, keys } = controlled(2, undefined, capitals(1));
    for (const key of ["a", "b", "c", "X", "Y"]) lanes.hint(key);
    expect(keys()).toEqual(["a", "b", "X"]);
    begun[0]?.end();
    await settle();
    expect(keys()).toEqual(["a", "b", "X", "Y"]);
    begun[1]?.end();
    await settle();
    expect(keys()).toEqual(["a", "b", "X", "Y"]); // two that go first are busy: the ordinary places are full
    begun[2]?.end();
    await settle();
    expect(keys()).toEqual(["a", "b", "X", "Y", "c"]);
  });

  test("changes over when it is hinted again, and is worked on once", async () => {
    let first = false;
    const { lanes, begun, keys } = controlled(1, undefined, { of: (key) => first && key === "c", places: 0 });
    for (const key of ["a", "b", "c"]) lanes.hint(key);
    first = true;
    lanes.hint("c");
    expect(lanes.waiting).toBe(2);
    begun[0]?.end();
    await settle();
    begun[1]?.end();
    await settle();
    expect(keys()).toEqual(["a", "c", "b"]);
    begun[2]?.end();
    await settle();
    expect([keys(), lanes.size]).toEqual([["a", "c", "b"], 0]);
  });
});

describe("hints", () => {
  test("work begins at once, and a key that is done is forgotten", async () => {
    const { lanes, begun } = controlled(4);
    lanes.hint("a");
    expect([lanes.size, lanes.busy, lanes.waiting]).toEqual([1, 1, 0]);
    begun[0]?.end();
    await settle();
    expect([lanes.size, lanes.busy, lanes.waiting]).toEqual([0, 0, 0]);
  });

  test("any number of hints while busy means once more after, never beside", async () => {
    const { lanes, begun, keys } = controlled(4);
    for (let i = 0; i < 5; i++) lanes.hint("a");
    expect(keys()).toEqual(["a"]);
    begun[0]?.end();
    await settle();
    expect(keys()).toEqual(["a", "a"]);
    begun[1]?.end();
    await settle();
    expect([keys(), lanes.size]).toEqual([["a", "a"], 0]);
  });

  test("keys beyond the bound wait in the order in which they came, each once", async () => {
    const { lanes, begun, keys } = controlled(2);
    for (const key of ["a", "b", "c", "d", "c", "e"]) lanes.hint(key);
    expect([keys(), lanes.busy, lanes.waiting]).toEqual([["a", "b"], 2, 3]);
    begun[1]?.end();
    await settle();
    begun[0]?.end();
    await settle();
    expect(keys()).toEqual(["a", "b", "c", "d"]);
    begun[2]?.end();
    await settle();
    expect(keys().at(-1)).toBe("e");
  });

  test("a key that is hinted again stands behind those that wait: a busy one starves no other", async () => {
    const { lanes, begun, keys } = controlled(1);
    lanes.hint("a");
    lanes.hint("b");
    lanes.hint("a");
    begun[0]?.end();
    await settle();
    expect(keys()).toEqual(["a", "b"]);
  });

  test("a slow key holds up only itself", async () => {
    const { lanes, begun, keys } = controlled(2);
    lanes.hint("slow");
    for (const key of ["a", "b"]) {
      lanes.hint(key);
      begun.at(-1)?.end();
      await settle();
    }
    expect(keys()).toEqual(["slow", "a", "b"]);
  });
});

describe("time", () => {
  afterEach(() => {
    jest.useRealTimers();
  });

  test("work that asks to be called again is called after that time, not before", async () => {
    jest.useFakeTimers();
    const { lanes, begun } = controlled(1);
    lanes.hint("a");
    begun[0]?.end({ again: 1_000 });
    await settle();
    jest.advanceTimersByTime(999);
    expect(begun).toHaveLength(1);
    jest.advanceTimersByTime(1);
    expect(begun).toHaveLength(2);
  });

  test("a hint comes before the timer and takes its place", async () => {
    jest.useFakeTimers();
    const { lanes, begun } = controlled(1);
    lanes.hint("a");
    begun[0]?.end({ again: 1_000 });
    await settle();
    lanes.hint("a");
    expect(begun).toHaveLength(2);
    begun[1]?.end();
    await settle();
    jest.advanceTimersByTime(10_000);
    expect([begun.length, lanes.size, jest.getTimerCount()]).toEqual([2, 0, 0]);
  });

  test("a hint while busy goes before the time that the work asks for", async () => {
    jest.useFakeTimers();
    const { lanes, begun } = controlled(1);
    lanes.hint("a");
    lanes.hint("a");
    begun[0]?.end({ again: 1_000 });
    await settle();
    expect(begun).toHaveLength(2);
  });

  test("a time beyond what a timer can hold does not fire at once", async () => {
    const { lanes, begun } = controlled(1);
    lanes.hint("a");
    begun[0]?.end({ again: 30 * 86_400_000 });
    await settle();
    await sleep(20); // a timer that overflows fires after 1 ms
    expect(begun).toHaveLength(1);
    await lanes.close();
  });

  test("work that throws is told of and tried again", async () => {
    jest.useFakeTimers();
    const { lanes, begun, errors } = controlled(1, 300);
    lanes.hint("a");
    begun[0]?.fail(new Error("odd"));
    await settle();
    expect(errors).toEqual([{ key: "a", error: new Error("odd") }]);
    expect(lanes.busy).toBe(0);
    jest.advanceTimersByTime(300);
    expect(begun).toHaveLength(2);
  });

  test("a key is stalled when its work has been in hand for too long", async () => {
    const { lanes, begun } = controlled(1);
    lanes.hint("a");
    lanes.hint("b");
    expect(lanes.stalled(-1)).toEqual(["a"]);
    expect(lanes.stalled(60_000)).toEqual([]);
    begun[0]?.end();
    await settle();
    expect(lanes.stalled(-1)).toEqual(["b"]);
  });
});

describe("close", () => {
  test("waits for the work in hand, drops what waits, and takes nothing more", async () => {
    const { lanes, begun, keys } = controlled(1);
    lanes.hint("a");
    lanes.hint("b");
    lanes.hint("a");
    let closed = false;
    const closing = lanes.close().then(() => {
      closed = true;
    });
    lanes.hint("c");
    await settle();
    expect(closed).toBe(false);
    begun[0]?.end({ again: 1 });
    await closing;
    expect([keys(), lanes.size, lanes.busy, lanes.waiting]).toEqual([["a"], 0, 0, 0]);
  });

  test("is done at once where nothing is in hand, and stops the timers", async () => {
    jest.useFakeTimers();
    const { lanes, begun } = controlled(1);
    lanes.hint("a");
    begun[0]?.end({ again: 1_000 });
    await settle();
    await lanes.close();
    jest.advanceTimersByTime(5_000);
    expect([begun.length, jest.getTimerCount()]).toEqual([1, 0]);
    jest.useRealTimers();
  });
});

test("whatever the interleaving: one in flight for a key, the bound holds, and the last hint is followed by a run", async () => {
  const step = fc.oneof(
    fc.record({ hint: fc.constantFrom("a", "b", "c", "d") }),
    fc.record({ end: fc.nat(20), how: fc.constantFrom("done", "again", "throw") }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 3 }), async (steps, bound) => {
      const world = new World(bound);
      for (const one of steps) {
        if ("hint" in one) world.hint(one.hint);
        else await world.end(one.end, one.how);
      }
      await world.finish();
    }),
    { numRuns: 300 },
  );
});

test("keys that are sent go in the order in which they were sent, whatever hint came before", async () => {
  const { lanes, begun, keys } = controlled(1);
  for (const key of ["busy", "c", "x"]) lanes.hint(key);
  for (const key of ["a", "b", "c"]) lanes.send(key);
  for (let i = 0; i < 5; i++) {
    begun[i]?.end();
    await settle();
  }
  expect(keys()).toEqual(["busy", "x", "a", "b", "c"]);
});

test("hints beyond the bound are dropped, but never one that is sent, and it is told when there is room again", async () => {
  const keys: string[] = [];
  const open: (() => void)[] = [];
  let dropped = 0;
  const lanes: Lanes = new Lanes({
    concurrency: 1,
    longest: 2,
    onDropped: () => void dropped++,
    onError: () => undefined,
    work: (key) => {
      keys.push(key);
      return new Promise((resolve) => open.push(() => resolve(undefined)));
    },
  });
  for (const key of ["a", "b", "c", "d", "b", "a"]) lanes.hint(key);
  lanes.send("e");
  expect([lanes.waiting, dropped]).toEqual([3, 0]);
  for (let i = 0; i < 5; i++) {
    open[i]?.();
    await settle();
  }
  expect([keys, dropped, lanes.size]).toEqual([["a", "b", "c", "e", "a"], 1, 0]);
});

/** Counts what runs; each hint and each beginning of work gets the next number of one clock. */
class World {
  readonly #open: Work[] = [];
  readonly #running = new Map<string, number>();
  readonly #hintedAt = new Map<string, number>();
  readonly #begunAt = new Map<string, number>();
  readonly #broken: string[] = [];
  readonly #lanes: Lanes;
  #clock = 0;

  constructor(bound: number) {
    this.#lanes = new Lanes({
      concurrency: bound,
      retryMs: 0,
      onError: () => undefined,
      work: (key) => {
        const running = (this.#running.get(key) ?? 0) + 1;
        this.#running.set(key, running);
        this.#begunAt.set(key, ++this.#clock);
        const { promise, resolve, reject } = Promise.withResolvers<Next>();
        this.#open.push({ key, end: resolve, fail: reject });
        // Not expect() here: the lanes would take what it throws for a failure of the work.
        if (running !== 1 || this.#open.length > bound) this.#broken.push(`${key}: ${running} of ${this.#open.length}`);
        return promise;
      },
    });
  }

  hint(key: string): void {
    this.#hintedAt.set(key, ++this.#clock);
    this.#lanes.hint(key);
  }

  async end(index: number, how: string): Promise<void> {
    const [work] = this.#open.splice(index % Math.max(1, this.#open.length), 1);
    if (work === undefined) return;
    this.#running.set(work.key, 0);
    if (how === "throw") work.fail(new Error("odd"));
    else work.end(how === "again" ? { again: 0 } : undefined);
    await settle();
  }

  /** Ends all work until none is left; then each key must have been begun after its last hint. */
  async finish(): Promise<void> {
    const deadline = Date.now() + 5_000;
    while (this.#lanes.size > 0) {
      if (Date.now() > deadline) throw new Error("work never ended");
      while (this.#open.length > 0) await this.end(0, "done");
      if (this.#lanes.size > 0) await sleep(1); // for the timers of those that go again
    }
    expect(this.#broken).toEqual([]);
    for (const [key, at] of this.#hintedAt) expect(this.#begunAt.get(key) ?? 0).toBeGreaterThan(at);
    await this.#lanes.close();
  }
}
