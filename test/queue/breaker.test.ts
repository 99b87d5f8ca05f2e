// The breaker of an orchestrator, and the gate of images that cannot be pulled: from faults, Jobs and times alone.
import { beforeEach, describe, expect, test } from "@jest/globals";
import type { LiveJob } from "../../src/clusters/live-job.ts";
import { createLog } from "../../src/log.ts";
import { Breaker } from "../../src/queue/breaker.ts";
import { ImagesGate } from "../../src/queue/images.ts";
import { Tally } from "../../src/queue/places.ts";
import { jobView } from "../clusters/views.ts";

const USAGE = new Tally();
const A = { orchestrator: "a", cluster: undefined };
const AWAY = { code: "CLUSTER_UNREACHABLE", message: "The cluster could not be reached." } as const;
const FOREVER = Number.POSITIVE_INFINITY;

let lines: Record<string, unknown>[];
const log = createLog({
  level: "info",
  secrets: [],
  destination: { write: (line) => void lines.push(JSON.parse(line)) },
});
beforeEach(() => {
  lines = [];
});

describe("the breaker", () => {
  const open = (faults = 3): Breaker =>
    new Breaker({ faults, pause: { first: 2_000, longest: 60_000 }, random: () => 0.5, log });
  const room = (breaker: Breaker, now: number, orchestrator = "a"): number =>
    breaker.room({ ...A, orchestrator }, USAGE, now).room;
  const tripped = (): Breaker => {
    const breaker = open();
    for (const id of ["1", "2", "3"]) breaker.fault("a", id, AWAY, 0);
    return breaker;
  };

  test("lets everybody through until so many faults came one after the other", () => {
    const breaker = open();
    for (const id of ["1", "2"]) breaker.fault("a", id, AWAY, 0);
    expect(room(breaker, 0)).toBe(FOREVER);
    breaker.success("a", "3");
    for (const id of ["4", "5"]) breaker.fault("a", id, AWAY, 0);
    expect(room(breaker, 0)).toBe(FOREVER);
    breaker.fault("a", "6", AWAY, 0);
    expect(breaker.room(A, USAGE, 0)).toEqual({
      room: 0,
      why: {
        reason: "CLUSTER_UNREACHABLE",
        message: "The cluster could not be reached. One operation at a time is tried until it works.",
      },
    });
    expect([...breaker.tripped()]).toEqual([["a", "CLUSTER_UNREACHABLE"]]);
  });

  test("of one orchestrator holds nobody else's back", () => {
    expect(room(tripped(), 0, "b")).toBe(FOREVER);
  });

  test("lets one try at a time, with pauses that grow and end at the longest", () => {
    const breaker = tripped();
    let now = 0;
    const pauses: number[] = [];
    for (let tries = 0; tries < 8; tries++) {
      const since = now;
      while (room(breaker, now) === 0) now += 500;
      pauses.push(now - since);
      expect(room(breaker, now)).toBe(1);
      breaker.took(A, `probe-${tries}`, now);
      expect(room(breaker, now)).toBe(0);
      breaker.fault("a", `probe-${tries}`, AWAY, now);
    }
    expect(pauses).toEqual([2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
    expect(lines.filter(({ level }) => level === "error")).toHaveLength(1);
  });

  test("opens slowly after one that worked: twice as many with each, so that no herd comes", () => {
    const breaker = tripped();
    breaker.took(A, "probe", 2_000);
    breaker.success("a", "probe");
    const allowed: number[] = [];
    let id = 0;
    while (room(breaker, 3_000) !== FOREVER) {
      allowed.push(room(breaker, 3_000));
      breaker.took(A, String(++id), 3_000);
      expect(room(breaker, 3_000)).toBe((allowed.at(-1) ?? 0) - 1);
      breaker.success("a", String(id));
    }
    expect(allowed).toEqual([2, 4, 8, 16, 32, 64]);
    expect(breaker.tripped().size).toBe(0);
  });

  test("trips again at the first fault while it opens, with the next longer pause", () => {
    const breaker = tripped();
    breaker.took(A, "probe", 2_000);
    breaker.success("a", "probe");
    breaker.took(A, "next", 2_000);
    breaker.fault("a", "next", AWAY, 2_000);
    expect([room(breaker, 5_999), room(breaker, 6_000)]).toEqual([0, 1]);
  });

  test("does not take those that were begun before it tripped for the one that is tried", () => {
    const breaker = tripped();
    for (let i = 0; i < 60; i++) breaker.fault("a", `herd-${i}`, AWAY, 1_000);
    expect(room(breaker, 2_000)).toBe(1);
  });

  test("lets another one try when the one that was tried is gone, or tells nothing for long", () => {
    const breaker = tripped();
    breaker.took(A, "gone", 2_000);
    breaker.ended("a", "gone");
    expect(room(breaker, 2_000)).toBe(1);
    breaker.took(A, "silent", 2_000);
    expect([room(breaker, 91_999), room(breaker, 92_000)]).toEqual([0, 1]);
  });

  test("one whose Job may exist is tried in the place of the next, and else waits", () => {
    const breaker = tripped();
    expect(breaker.wait("a", "unsure", 500)).toBe(1_500);
    expect(breaker.wait("a", "unsure", 2_000)).toBe(0);
    expect(room(breaker, 2_000)).toBe(0);
    expect(breaker.wait("a", "other", 2_000)).toBe(1_000);
    expect(breaker.wait("a", "unsure", 2_000)).toBe(0);
    expect(breaker.wait("b", "any", 0)).toBe(0);
  });

  test("is tried at once when its cluster answers again, and the next pause is as long as it would have been", () => {
    const breaker = tripped();
    for (const at of [2_000, 6_000, 14_000]) {
      breaker.took(A, `probe-${at}`, at);
      breaker.fault("a", `probe-${at}`, AWAY, at);
    }
    expect(room(breaker, 20_000)).toBe(0);
    breaker.answered("a", 20_000);
    expect(room(breaker, 20_000)).toBe(1);
    breaker.took(A, "again", 20_000);
    breaker.fault("a", "again", AWAY, 20_000);
    expect([room(breaker, 51_999), room(breaker, 52_000)]).toEqual([0, 1]);
  });

  test("is not stormed when its cluster comes and goes: one try for each first pause at the most", () => {
    const breaker = tripped();
    let tries = 0;
    for (let now = 0; now < 60_000; now += 100) {
      breaker.answered("a", now);
      if (room(breaker, now) === 0) continue;
      breaker.took(A, `probe-${now}`, now);
      if (tries++ % 2 === 0) breaker.fault("a", `probe-${now}`, AWAY, now); // else it hangs
    }
    expect(tries).toBe(29);
  });

  test.each(["CLUSTER_FORBIDDEN", "CLUSTER_QUOTA_EXCEEDED", "KUBECONFIG_INVALID", "TEMPLATE_UNREADABLE"] as const)(
    "keeps its pause after %s, which does not pass by that",
    (code) => {
      const breaker = open(1);
      breaker.fault("a", "1", { code, message: "" }, 0);
      breaker.answered("a", 1_900);
      expect([room(breaker, 1_999), room(breaker, 2_000)]).toEqual([0, 1]);
      breaker.took(A, "probe", 2_000);
      breaker.fault("a", "probe", { code, message: "" }, 2_000);
      breaker.answered("a", 5_000);
      expect([room(breaker, 5_999), room(breaker, 6_000)]).toEqual([0, 1]);
    },
  );

  test("is tried at once when something was changed", () => {
    const breaker = tripped();
    breaker.retry();
    expect(room(breaker, 1)).toBe(1);
  });

  test.each(["DATABASE_UNREACHABLE", "LEADERSHIP_LOST", "INTERNAL"] as const)(
    "does not count %s, which is not the orchestrator's",
    (code) => {
      const breaker = open();
      for (let i = 0; i < 10; i++) breaker.fault("a", String(i), { code, message: "" }, 0);
      expect(room(breaker, 0)).toBe(FOREVER);
    },
  );

  test("can be turned off, and forgets orchestrators that are gone", () => {
    const off = open(0);
    for (let i = 0; i < 10; i++) off.fault("a", String(i), AWAY, 0);
    expect(room(off, 0)).toBe(FOREVER);
    const breaker = tripped();
    breaker.retain(["b"]);
    expect(room(breaker, 0)).toBe(FOREVER);
  });
});

describe("an image that cannot be pulled", () => {
  let gate: ImagesGate;
  beforeEach(() => {
    gate = new ImagesGate({ pauseMs: 60_000, log });
    gate.launched("a", "first", ["x:1"]);
    gate.launched("b", "other", ["y:1", "x:1"]);
    gate.launched("c", "third", ["z:1"]);
  });
  const live = (operation: string, fields: Partial<LiveJob> = {}, orchestrator = "a"): LiveJob => ({
    job: jobView({ operation, orchestrator }),
    scope: "s",
    node: "taken",
    begun: false,
    stuck: undefined,
    images: [],
    ...fields,
  });
  const room = (now: number, orchestrator = "a"): number => gate.room({ ...A, orchestrator }, USAGE, now).room;
  const stuck = (id: string, now: number): void =>
    gate.update(USAGE, [live(id, { stuck: "x:1", images: ["x:1"] })], now);

  test("holds back every orchestrator that needs it, and no other", () => {
    expect(room(0)).toBe(FOREVER);
    stuck("first", 0);
    expect([room(0), room(0, "b"), room(0, "c")]).toEqual([0, 0, FOREVER]);
    expect(gate.room(A, USAGE, 0).why).toEqual({
      reason: "ImagePullFailed",
      message: 'The image "x:1" cannot be pulled: one operation at a time is tried until it can.',
    });
  });

  test("stays so when those that met it are gone, and one is tried from time to time", () => {
    stuck("first", 0);
    gate.update(USAGE, [], 30_000);
    expect([room(59_999), room(60_000)]).toEqual([0, 1]);
    gate.took(A, "probe", 60_000);
    expect([room(60_000), room(60_000, "b"), gate.isProbe("probe"), gate.isProbe("first")]).toEqual([
      0,
      0,
      true,
      false,
    ]);
    stuck("probe", 61_000);
    expect([room(119_999), room(120_000)]).toEqual([0, 1]);
  });

  test("holds nobody back once one that met it, or is tried, has begun", () => {
    stuck("first", 0);
    gate.update(USAGE, [live("first", { begun: true, images: ["docker.io/library/x:1"] })], 5_000);
    expect([room(5_000), gate.absent]).toEqual([FOREVER, []]);
    stuck("first", 10_000);
    gate.took(A, "probe", 70_000);
    gate.update(USAGE, [live("probe", { begun: true })], 75_000);
    expect(room(75_000)).toBe(FOREVER);
  });

  test("says nothing of Jobs that began before: they may have found it on their node", () => {
    gate.update(USAGE, [live("first", { stuck: "x:1" }), live("older", { begun: true, images: ["x:1"] })], 0);
    expect(room(0)).toBe(0);
  });

  test("holds an orchestrator back no more that names another image since", () => {
    stuck("first", 0);
    gate.retry();
    expect(room(1)).toBe(1);
    gate.took(A, "probe", 1);
    gate.launched("a", "probe", ["x:2"]);
    expect([room(1), room(1, "b")]).toEqual([FOREVER, 1]);
    gate.update(USAGE, [live("probe", { begun: true })], 5_000);
    expect(gate.absent).toEqual(["x:1"]); // that x:2 works says nothing of x:1
  });

  test("is known after a restart by the Jobs that are seen", () => {
    const fresh = new ImagesGate({ pauseMs: 60_000, log });
    fresh.update(
      USAGE,
      [live("first", { stuck: "x:1", images: ["x:1"] }), live("o", { images: ["x:1"], begun: true }, "b")],
      0,
    );
    for (const orchestrator of ["a", "b"]) expect(fresh.room({ ...A, orchestrator }, USAGE, 0).room).toBe(0);
  });

  test("that nobody needs any more is forgotten", () => {
    stuck("first", 0);
    gate.retain(["c"]);
    expect(gate.absent).toEqual([]);
  });
});
