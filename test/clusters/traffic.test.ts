// What goes to one API server: the rate, who goes first, and when further creates are better begun later.
import { beforeEach, describe, expect, test } from "@jest/globals";
import { Traffic, type TrafficOptions, UNLIMITED } from "../../src/clusters/traffic.ts";
import { VirtualTime } from "../virtual-clock.ts";

const SERVER = "https://k8s.example";
let time: VirtualTime;
beforeEach(() => {
  time = new VirtualTime();
});
const trafficOf = (options: Partial<TrafficOptions> = {}): Traffic =>
  new Traffic(SERVER, { ...UNLIMITED, ...options }, time.clock());

/** Asks to pass, and notes who did, in which order. */
function passing(traffic: Traffic) {
  const passed: string[] = [];
  const ask = (verb: string, count = 1): void => {
    for (let i = 0; i < count; i++) void traffic.admit(verb).then(() => passed.push(verb));
  };
  return { passed, ask };
}

describe("the rate", () => {
  test("lets a burst pass at once, and then so many a second", async () => {
    const { passed, ask } = passing(trafficOf({ rate: 100, burst: 10 }));
    ask("create", 40);
    for (const [ms, count] of [
      [0, 10],
      [5, 10],
      [100, 20],
      [100, 30],
      [100, 40],
    ] as const) {
      await time.pass(ms);
      expect(passed).toHaveLength(count);
    }
  });

  test("fills up again in a quiet time, up to the burst and no further", async () => {
    const { passed, ask } = passing(trafficOf({ rate: 100, burst: 5 }));
    ask("get", 5);
    await time.pass(200); // twenty tokens' worth
    ask("get", 10);
    await time.pass(0);
    expect(passed).toHaveLength(10);
    await time.pass(55);
    expect(passed).toHaveLength(15);
  });

  test("of 0 is no limit", async () => {
    const { passed, ask } = passing(trafficOf());
    ask("create", 10_000);
    await time.pass(0);
    expect(passed).toHaveLength(10_000);
  });

  test("counts the time that calls waited", async () => {
    const waits: [string, number][] = [];
    const { ask } = passing(trafficOf({ rate: 20, burst: 1, onWait: (...wait) => void waits.push(wait) }));
    ask("create", 3);
    await time.pass(1_000);
    expect(waits).toEqual([
      ["create", 0],
      ["create", expect.closeTo(0.05)],
      ["create", expect.closeTo(0.1)],
    ]);
  });
});

describe("behind a backlog of creates", () => {
  test.each(["get", "delete", "list", "watch"])("a %s goes first", async (verb) => {
    const { passed, ask } = passing(trafficOf({ rate: 100, burst: 1 }));
    ask("create", 40);
    await time.pass(55);
    const before = passed.length;
    ask(verb);
    await time.pass(10);
    expect(passed.slice(before)).toEqual([verb]);
  });

  test("looking does not stop creating either: one call of four is a create", async () => {
    const { passed, ask } = passing(trafficOf({ rate: 200, burst: 1 }));
    ask("get", 40);
    ask("create", 5);
    await time.pass(102);
    expect(passed.filter((verb) => verb === "create")).toHaveLength(5);
    expect(passed).toHaveLength(21);
  });
});

describe("a pause", () => {
  test("holds what waits already, and is no reason for a burst after it", async () => {
    const traffic = trafficOf({ rate: 50, burst: 20 });
    const { passed, ask } = passing(traffic);
    traffic.pause(300);
    ask("create", 11);
    await time.pass(299);
    expect(passed).toEqual([]);
    // What waited for the same moment is spread over a fifth of a second; the rate then counts from the pause's end.
    await time.pass(102);
    expect(passed.length).toBeLessThanOrEqual(5);
    await time.pass(1_000);
    expect(passed).toHaveLength(11);
  });

  test("that comes while calls wait for the rate holds them, too", async () => {
    const traffic = trafficOf({ rate: 20, burst: 1 });
    const { passed, ask } = passing(traffic);
    ask("get", 3);
    await time.pass(10);
    traffic.pause(400);
    await time.pass(399);
    expect(passed).toHaveLength(1);
    await time.pass(200);
    expect(passed).toHaveLength(3);
  });

  test("that is longer than a call waits is told as an error, always in the same words", async () => {
    const traffic = trafficOf();
    traffic.pause(60_000);
    const messages = new Set<string>();
    for (let i = 0; i < 2; i++) {
      await traffic.admit("create").catch((error: Error) => messages.add(error.message));
      await time.pass(20);
    }
    expect([...messages]).toEqual([`The cluster ${SERVER} is overloaded: it asks to wait before the next call.`]);
  });

  test("never becomes shorter by a later one", async () => {
    const traffic = trafficOf();
    traffic.pause(60_000);
    traffic.pause(1);
    await expect(traffic.admit("get")).rejects.toMatchObject({ code: "CLUSTER_OVERLOADED" });
  });
});

describe("further creates", () => {
  const begin = (traffic: Traffic): (() => void) => {
    const room = traffic.begin();
    if ("wait" in room) throw new Error(`there is no room for ${room.wait} ms`);
    return room.end;
  };
  const waitFor = (traffic: Traffic): number => {
    const room = traffic.begin();
    return "wait" in room ? room.wait : 0;
  };

  test("are better begun later when many wait for the rate already, each at a moment of its own", async () => {
    const traffic = trafficOf({ rate: 20, burst: 1, crowd: 4 });
    passing(traffic).ask("create", 5); // one passes at once
    await time.pass(0);
    // Behind the four that wait, 50 ms each.
    expect([waitFor(traffic), waitFor(traffic), waitFor(traffic)]).toEqual([250, 300, 350]);
    await time.pass(201);
    begin(traffic);
  });

  test("are better begun later when many are without an answer and none has come, or none comes any more", async () => {
    const traffic = trafficOf({ crowd: 2 });
    const ends = [begin(traffic), begin(traffic)];
    expect(waitFor(traffic)).toBeGreaterThan(0);
    ends[0]?.();
    ends.push(begin(traffic), begin(traffic));
    await time.pass(600); // longer than a server that is there may say nothing
    expect(waitFor(traffic)).toBeGreaterThan(0);
    ends[1]?.();
    begin(traffic);
  });

  test("are begun at once while answers come, however many are under way", () => {
    const traffic = trafficOf({ crowd: 2 });
    begin(traffic)();
    const ends = [begin(traffic), begin(traffic)];
    ends.pop()?.();
    for (let i = 0; i < 50; i++) begin(traffic);
  });
});
