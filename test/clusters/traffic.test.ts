// What goes to one API server: the rate, who goes first, and when further creates are better begun later.
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "@jest/globals";
import { Traffic, type TrafficOptions, UNLIMITED } from "../../src/clusters/traffic.ts";

const SERVER = "https://k8s.example";
const trafficOf = (options: Partial<TrafficOptions> = {}): Traffic => new Traffic(SERVER, { ...UNLIMITED, ...options });

/** Lets calls pass, and notes in which order. */
function passing(traffic: Traffic) {
  const passed: string[] = [];
  const pass = (verb: string, count = 1): Promise<unknown> =>
    Promise.all(Array.from({ length: count }, () => traffic.admit(verb).then(() => passed.push(verb))));
  return { passed, pass };
}

describe("the rate", () => {
  test("lets a burst pass at once, and then so many a second", async () => {
    const { pass } = passing(trafficOf({ rate: 100, burst: 10 }));
    const begun = performance.now();
    await pass("create", 10);
    expect(performance.now() - begun).toBeLessThan(50);
    await pass("create", 30);
    const took = performance.now() - begun;
    expect(took).toBeGreaterThan(290);
    expect(took).toBeLessThan(1_500);
  });

  test("fills up again in a quiet time, up to the burst and no further", async () => {
    const { pass } = passing(trafficOf({ rate: 100, burst: 5 }));
    await pass("get", 5);
    await sleep(200); // twenty tokens' worth
    const begun = performance.now();
    await pass("get", 10);
    expect(performance.now() - begun).toBeGreaterThan(40);
  });

  test("of 0 is no limit", async () => {
    const { pass } = passing(trafficOf());
    const begun = performance.now();
    await pass("create", 10_000);
    expect(performance.now() - begun).toBeLessThan(1_000);
  });

  test("counts the time that calls waited", async () => {
    const waits: [string, number][] = [];
    const { pass } = passing(trafficOf({ rate: 20, burst: 1, onWait: (...wait) => void waits.push(wait) }));
    await pass("create", 3);
    expect(waits.map(([verb]) => verb)).toEqual(["create", "create", "create"]);
    expect(waits[0]?.[1]).toBeLessThan(0.02);
    expect(waits[2]?.[1]).toBeGreaterThan(0.09);
  });
});

describe("behind a backlog of creates", () => {
  test.each(["get", "delete", "list", "watch"])("a %s goes first", async (verb) => {
    const { passed, pass } = passing(trafficOf({ rate: 100, burst: 1 }));
    const creates = pass("create", 40);
    await sleep(50);
    await pass(verb);
    expect(passed.filter((one) => one === "create").length).toBeLessThan(12);
    await creates;
  });

  test("looking does not stop creating either: one call of four is a create", async () => {
    const { passed, pass } = passing(trafficOf({ rate: 200, burst: 1 }));
    const looking = pass("get", 40);
    await pass("create", 5);
    expect(passed.length).toBeGreaterThan(15);
    expect(passed.length).toBeLessThan(30);
    await looking;
  });
});

describe("a pause", () => {
  test("holds what waits already, and is no reason for a burst after it", async () => {
    const traffic = trafficOf({ rate: 50, burst: 20 });
    const { passed, pass } = passing(traffic);
    traffic.pause(300);
    const begun = performance.now();
    await pass("create", 1);
    expect(performance.now() - begun).toBeGreaterThan(295);
    await pass("create", 10);
    expect(performance.now() - begun).toBeGreaterThan(470);
    expect(passed).toHaveLength(11);
  });

  test("that comes while calls wait for the rate holds them, too", async () => {
    const traffic = trafficOf({ rate: 20, burst: 1 });
    const { passed, pass } = passing(traffic);
    const all = pass("get", 3);
    await sleep(10);
    traffic.pause(400);
    await sleep(300);
    expect(passed).toHaveLength(1);
    await all;
  });

  test("that is longer than a call waits is told as an error, always in the same words", async () => {
    const traffic = trafficOf();
    traffic.pause(60_000);
    const messages = new Set<string>();
    for (let i = 0; i < 2; i++) {
      await traffic.admit("create").catch((error: Error) => messages.add(error.message));
      await sleep(20);
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
    const { pass } = passing(traffic);
    const waiting = pass("create", 5); // one passes at once
    const moments = [waitFor(traffic), waitFor(traffic), waitFor(traffic)];
    expect(moments[0]).toBeGreaterThan(200);
    expect((moments[1] ?? 0) - (moments[0] ?? 0)).toBeGreaterThan(45);
    expect((moments[2] ?? 0) - (moments[1] ?? 0)).toBeGreaterThan(45);
    await waiting;
    begin(traffic);
  });

  test("are better begun later when many are without an answer and none has come, or none comes any more", async () => {
    const traffic = trafficOf({ crowd: 2 });
    const ends = [begin(traffic), begin(traffic)];
    expect(waitFor(traffic)).toBeGreaterThan(0);
    ends[0]?.();
    ends.push(begin(traffic), begin(traffic));
    await sleep(600); // longer than a server that is there may say nothing
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
