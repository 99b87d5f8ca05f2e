// Who leads, on a clock that the test moves and a Lease in memory: one at a time, whatever is late, stopped or wrong.
import { beforeEach, describe, expect, test } from "@jest/globals";
import type { Clock } from "../src/clock.ts";
import type { Lease, LeaseClaim, LeaseDoor } from "../src/clusters/lease.ts";
import { OpjobError } from "../src/errors.ts";
import { Leadership, TIMES } from "../src/leadership.ts";
import { createLog } from "../src/log.ts";
import { settle, VirtualTime } from "./virtual-clock.ts";

/** A Lease as an API server keeps it: compare-and-set, and whoever waits is told of changes. */
class LeaseInMemory {
  lease: Lease | undefined;
  /** What the API server answers instead. */
  fault: OpjobError | undefined;
  /** Written, but the answer is lost. */
  loses = false;
  /** The latest epoch in the database. */
  written = 0;
  readonly holders: string[] = [];
  #version = 0;
  readonly #waiting = new Set<() => void>();

  door(clock: Clock): LeaseDoor {
    return {
      get: async () => {
        if (this.fault) throw this.fault;
        return this.lease;
      },
      put: async (read, claim) => {
        if (this.fault) throw this.fault;
        if (read?.version !== this.lease?.version) return undefined;
        this.write(claim);
        if (this.loses) throw new OpjobError("CLUSTER_UNREACHABLE", "The answer was lost.");
        return this.lease;
      },
      changed: (_, ms, signal) =>
        new Promise((resolve) => {
          const over = (): void => {
            this.#waiting.delete(over);
            resolve();
          };
          this.#waiting.add(over);
          void clock.sleep(ms, signal).then(over);
        }),
      close: async () => undefined,
    };
  }

  write({ holder, durationMs, epoch, instance }: Partial<LeaseClaim>): void {
    const old = this.lease ?? { holder: "", durationMs: 0, epoch: 0, instance: "" };
    this.lease = {
      holder: holder ?? old.holder,
      durationMs: durationMs ?? old.durationMs,
      epoch: epoch ?? old.epoch,
      instance: instance ?? old.instance,
      version: String(++this.#version),
      raw: {},
    };
    if (holder && holder !== this.holders.at(-1)) this.holders.push(holder);
    for (const wake of [...this.#waiting]) wake();
  }

  remove(): void {
    this.lease = undefined;
    for (const wake of [...this.#waiting]) wake();
  }
}

type Replica = {
  readonly leadership: Leadership;
  readonly clock: ReturnType<VirtualTime["clock"]>;
  readonly epochs: number[];
  readonly ends: number[];
  readonly lines: Record<string, unknown>[];
};

let time: VirtualTime;
let memory: LeaseInMemory;
beforeEach(() => {
  time = new VirtualTime();
  memory = new LeaseInMemory();
});

function replica(identity: string, { skew = 0, instance = "db" } = {}): Replica {
  const clock = time.clock(skew);
  const [epochs, ends, lines]: [number[], number[], Record<string, unknown>[]] = [[], [], []];
  const leadership = new Leadership({
    door: memory.door(clock),
    identity,
    instance,
    latestEpoch: async () => memory.written,
    begin: async (epoch) => void epochs.push(epoch),
    end: () => void ends.push(time.now),
    clock,
    log: createLog({ level: "info", secrets: [], destination: { write: (line) => void lines.push(JSON.parse(line)) } }),
  });
  leadership.start();
  return { leadership, clock, epochs, ends, lines };
}
const leads = ({ leadership }: Replica): boolean => leadership.holds();

test("the first one leads at once, and for as long as it renews", async () => {
  const a = replica("a");
  await time.pass(0);
  expect([leads(a), memory.lease?.holder, memory.lease?.durationMs]).toEqual([true, "a", TIMES.lease]);
  const b = replica("b");
  for (let i = 0; i < 60; i++) {
    await time.pass(1_000);
    expect([leads(a), leads(b)]).toEqual([true, false]);
  }
  expect(memory.holders).toEqual(["a"]);
});

test("a Lease that is given back is taken at once", async () => {
  const [a, b] = [replica("a"), replica("b")];
  await time.pass(3_000);
  void a.leadership.close();
  await time.pass(0);
  expect([leads(a), leads(b)]).toEqual([false, true]);
  expect(b.epochs[0]).toBeGreaterThan(a.epochs[0] ?? 0);
});

test("after a leader that vanishes the next one waits for the whole Lease, and no longer than it must", async () => {
  const [a, b] = [replica("a"), replica("b")];
  await time.pass(12_000); // renewed at 10,000
  a.clock.stop();
  await time.pass(12_999);
  expect(leads(b)).toBe(false);
  await time.pass(1_000);
  expect(leads(b)).toBe(true);
});

test("a leader that was stopped for a while holds nothing when it wakes, and is told that it lost", async () => {
  const [a, b] = [replica("a"), replica("b")];
  await time.pass(1_000);
  a.clock.stop();
  await time.pass(60_000);
  expect(leads(b)).toBe(true);
  a.clock.go();
  expect(leads(a)).toBe(false);
  await time.pass(0);
  expect(a.ends).toHaveLength(1);
  await time.pass(60_000);
  expect([leads(a), leads(b), memory.holders]).toEqual([false, true, ["a", "b"]]);
});

test("nobody ever leads beside another, whoever is stopped and for how long", async () => {
  const all = [replica("a"), replica("b"), replica("c")];
  for (let round = 0; round < 200; round++) {
    const one = all[(round * 7) % 3];
    if (round % 3 === 0) one?.clock.stop();
    if (round % 3 === 2) for (const other of all) other.clock.go();
    await time.pass(((round * 7_919) % 9_000) + 50);
    expect(all.filter(leads).length).toBeLessThanOrEqual(1);
  }
  expect(new Set(memory.holders).size).toBeGreaterThan(1);
});

test.each([-3_600_000, 3_600_000])("clocks of the day that differ by %i ms change nothing", async (skew) => {
  const [a, b] = [replica("a"), replica("b", { skew })];
  await time.pass(30_000);
  expect([leads(a), leads(b)]).toEqual([true, false]);
  void a.leadership.close();
  await time.pass(0);
  expect(leads(b)).toBe(true);
  expect(b.epochs[0]).toBeGreaterThan(a.epochs[0] ?? 0);
});

test("a Lease that somebody deletes is made anew, with a later epoch", async () => {
  const a = replica("a");
  await time.pass(1_000);
  memory.remove();
  await time.pass(7_000);
  expect(leads(a)).toBe(true);
  expect(a.epochs).toHaveLength(2);
  expect(a.epochs[1]).toBeGreaterThan(a.epochs[0] ?? 0);
});

test("a Lease that somebody deletes is not taken by another before its leader must have seen it", async () => {
  const [a, b] = [replica("a"), replica("b")];
  await time.pass(6_000);
  memory.remove();
  for (let i = 0; i < 100; i++) {
    await time.pass(100);
    expect(leads(b)).toBe(false);
  }
  expect([leads(a), memory.holders]).toEqual([true, ["a"]]);
});

test("an epoch is above all that the database has, also where the Lease is new", async () => {
  memory.written = 2_000_000_000;
  const a = replica("a");
  await time.pass(0);
  expect(a.epochs).toEqual([2_000_000_001]);
});

test("who was stopped for too long takes the Lease that is still its own at once", async () => {
  const a = replica("a");
  await time.pass(1_000);
  a.clock.stop();
  await time.pass(60_000);
  a.clock.go();
  await time.pass(0);
  expect([leads(a), a.epochs.length, a.ends.length]).toEqual([true, 2, 1]);
});

test("a Lease whose epoch somebody set to nothing gets a later one all the same", async () => {
  memory.write({ holder: "", epoch: 0 });
  const a = replica("a");
  await time.pass(0);
  expect(a.epochs[0]).toBeGreaterThan(60_000_000); // seconds since 2024
});

test("somebody who edits the Lease without taking it takes nothing from the leader", async () => {
  const a = replica("a");
  await time.pass(4_000);
  memory.write({});
  await time.pass(3_000);
  expect([leads(a), a.ends]).toEqual([true, []]);
});

test("somebody who takes the Lease by hand leads, and the leader ends at its next renewal", async () => {
  const a = replica("a");
  await time.pass(4_000);
  memory.write({ holder: "by-hand" });
  await time.pass(1_500);
  expect([leads(a), a.ends.length]).toEqual([false, 1]);
});

describe("an API server that does not answer", () => {
  const AWAY = new OpjobError("CLUSTER_UNREACHABLE", "Away.");

  test("ends a leadership after its deadline, before anybody else may take it", async () => {
    const [a, b] = [replica("a"), replica("b")];
    await time.pass(1_000);
    memory.fault = AWAY;
    await time.pass(8_500);
    expect(leads(a)).toBe(true);
    await time.pass(1_500);
    expect([leads(a), leads(b)]).toEqual([false, false]);
    memory.fault = undefined;
    await time.pass(16_000);
    expect([a, b].filter(leads)).toHaveLength(1);
  });

  test("for a moment ends nothing, and is told once", async () => {
    const a = replica("a");
    await time.pass(4_000);
    memory.fault = AWAY;
    await time.pass(4_500);
    expect(a.leadership.fault?.code).toBe("CLUSTER_UNREACHABLE");
    memory.fault = undefined;
    await time.pass(2_000);
    expect([leads(a), a.ends, a.leadership.fault]).toEqual([true, [], undefined]);
    expect(a.lines.filter(({ code }) => code === "CLUSTER_UNREACHABLE")).toHaveLength(1);
  });

  test("whose answer to a renewal was lost has renewed it", async () => {
    const a = replica("a");
    await time.pass(4_000);
    memory.loses = true;
    await time.pass(2_000);
    memory.loses = false;
    await time.pass(3_000);
    expect([leads(a), a.ends]).toEqual([true, []]);
  });

  test("keeps a closing leader for no longer than one answer", async () => {
    const a = replica("a");
    await time.pass(0);
    memory.fault = AWAY;
    await a.leadership.close();
    expect([leads(a), memory.lease?.holder]).toEqual([false, "a"]);
  });
});

test("the Lease of another opjob is not touched, and that is said", async () => {
  memory.write({ holder: "", instance: "other" });
  const a = replica("a");
  await time.pass(60_000);
  expect([leads(a), a.leadership.fault?.code, memory.lease?.version]).toEqual([false, "LEASE_NOT_OURS", "1"]);
  memory.remove();
  await time.pass(2_000);
  expect(leads(a)).toBe(true);
});

test("a standby that is closed takes nothing and waits for nothing", async () => {
  const [a, b] = [replica("a"), replica("b")];
  await time.pass(1_000);
  await b.leadership.close();
  await a.leadership.close();
  await settle();
  expect(memory.lease?.holder).toBe("");
});
