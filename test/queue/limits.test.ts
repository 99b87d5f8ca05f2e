// How many may go by the limits and by the room on a cluster, from counts alone.
import { describe, expect, test } from "@jest/globals";
import { createLog } from "../../src/log.ts";
import { backpressureGate } from "../../src/queue/backpressure.ts";
import { type Limits, limitsGate } from "../../src/queue/limits.ts";
import { Tally } from "../../src/queue/places.ts";

const PLACE = { orchestrator: "gpu", cluster: "https://a" };

function tally(
  ...jobs: [orchestrator: string, cluster: string | undefined, node?: "taken" | "refused" | "undecided"][]
) {
  const usage = new Tally();
  for (const [orchestrator, cluster, node = "taken"] of jobs) usage.add({ orchestrator, cluster }, node);
  return usage;
}
const limits = (fields: Partial<Limits> = {}): Limits => ({ total: 0, cluster: 0, orchestrator: () => 0, ...fields });

describe("limits", () => {
  const usage = tally(["gpu", "https://a"], ["gpu", "https://a"], ["cpu", "https://a"], ["cpu", "https://b"]);

  test.each<[string, Partial<Limits>, number]>([
    ["none: as many as may be", {}, Number.POSITIVE_INFINITY],
    ["over all", { total: 6 }, 2],
    ["of the cluster", { cluster: 4 }, 1],
    ["of the orchestrator", { orchestrator: () => 3 }, 1],
    ["of another orchestrator", { orchestrator: (id) => (id === "cpu" ? 1 : 0) }, Number.POSITIVE_INFINITY],
    ["the narrowest counts", { total: 6, cluster: 10, orchestrator: () => 9 }, 2],
    ["reached", { total: 4 }, 0],
    ["lowered below what is in flight", { total: 1 }, 0],
  ])("%s", (_, fields, room) => {
    expect(limitsGate(limits(fields)).room(PLACE, usage, 0).room).toBe(room);
  });

  test("say which of them is reached", () => {
    const gate = limitsGate(limits({ total: 9, orchestrator: () => 2 }));
    expect(gate.room(PLACE, usage, 0)).toEqual({
      room: 0,
      why: { reason: "LimitReached", message: 'As many operations are in flight as may be of orchestrator "gpu": 2.' },
    });
  });
});

describe("backpressure", () => {
  function gateOf(mode: "on" | "off" | "dry-run") {
    const lines: Record<string, unknown>[] = [];
    const log = createLog({
      level: "info",
      secrets: [],
      destination: { write: (line) => void lines.push(JSON.parse(line)) },
    });
    const gate = backpressureGate({ mode, engage: 10, release: 4, rampMs: 10_000, log });
    const see = (refused: number, now: number, undecided = 0): number => {
      const usage = tally(
        ...Array.from({ length: refused }, () => ["gpu", "https://a", "refused"] as [string, string, "refused"]),
        ...Array.from({ length: undecided }, () => ["gpu", "https://a", "undecided"] as [string, string, "undecided"]),
      );
      gate.update?.(usage, [], now);
      return gate.room(PLACE, usage, now).room;
    };
    return { gate, see, lines };
  }

  test("engages at one threshold, releases at a lower one, then lets through more and more", () => {
    const { see, lines } = gateOf("on");
    expect(see(9, 0)).toBe(Number.POSITIVE_INFINITY);
    expect(see(10, 1_000)).toBe(0);
    expect(see(5, 2_000)).toBe(0);
    expect(see(4, 3_000)).toBe(1); // of 4 + 1 without a node
    expect(see(3, 3_000, 2)).toBe(0); // nothing is known yet of two more
    expect(see(4, 8_000)).toBe(3); // half of the way from 4 to 10
    expect(see(0, 12_999)).toBe(9);
    expect(see(4, 13_000)).toBe(Number.POSITIVE_INFINITY);
    expect(lines.map(({ jobs_without_room }) => jobs_without_room)).toEqual([10, 4]);
  });

  test("engages again while it opens", () => {
    const { see } = gateOf("on");
    for (const [refused, now] of [
      [10, 0],
      [0, 1_000],
      [10, 2_000],
    ] as const)
      see(refused, now);
    expect(see(9, 2_500)).toBe(0);
  });

  test("releases when every Job of the orchestrator is gone", () => {
    const { gate, see } = gateOf("on");
    see(10, 0);
    gate.update?.(tally(), [], 1_000);
    expect(gate.room(PLACE, tally(), 1_000).room).toBeGreaterThan(0);
  });

  test("of one orchestrator does not stop another on the same cluster", () => {
    const { gate, see } = gateOf("on");
    see(10, 0);
    expect(gate.room({ ...PLACE, orchestrator: "cpu" }, tally(), 0).room).toBe(Number.POSITIVE_INFINITY);
  });

  test("in dry-run only says what it would do; off, it says nothing", () => {
    const dry = gateOf("dry-run");
    expect([dry.see(10, 0), dry.lines.length, dry.lines[0]?.["dry_run"]]).toEqual([Number.POSITIVE_INFINITY, 1, true]);
    const off = gateOf("off");
    expect([off.see(10, 0), off.lines.length]).toEqual([Number.POSITIVE_INFINITY, 0]);
  });
});
