// The lines in memory: in order, bounded, and filled from the database without losing who came meanwhile.
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { inOrder, type Line, type Waiting } from "../../src/operations/line.ts";
import { Lines } from "../../src/queue/lines.ts";

const who = (id: string, queuedAt: number, priority = 0): Waiting => ({ id, queuedAt, priority });
const line = (target: string, first: readonly Waiting[], count = first.length): Line => ({
  target,
  count,
  first: first.map((waiting) => ({ ...waiting, told: undefined })),
});
const drain = (lines: Lines, target = "a"): string[] => {
  const ids: string[] = [];
  for (let next = lines.take(target); next !== undefined; next = lines.take(target)) ids.push(next.id);
  return ids;
};
const nobody = (): boolean => false;

test("who comes is put in order, once; those who were put off among the others", () => {
  const lines = new Lines();
  for (const waiting of [who("c", 3), who("a", 1), who("c", 3), who("urgent", 9, 1)]) {
    lines.offer("a", waiting, { kept: false, length: 10 });
  }
  lines.offer("a", who("b", 2), { kept: true, length: 10 });
  expect(lines.size).toBe(4);
  expect(drain(lines)).toEqual(["urgent", "a", "b", "c"]);
  expect(lines.waits("a")).toBe(false);
});

test("a line grows to its length; the end of it stays in the database", () => {
  const lines = new Lines();
  for (const at of [5, 4, 3, 2, 1, 9]) lines.offer("a", who(String(at), at), { kept: false, length: 3 });
  expect([lines.size, lines.isDry("a")]).toEqual([3, false]);
  expect(drain(lines)).toEqual(["1", "2", "3"]);
  expect([lines.isDry("a"), lines.waits("a")]).toEqual([true, true]);
});

describe("filling", () => {
  test("puts the database's answer in the place of what was known, without those who were chosen", () => {
    const lines = new Lines();
    lines.offer("a", who("gone", 1), { kept: false, length: 10 });
    lines.offer("a", who("off", 2), { kept: true, length: 10 });
    lines.begin();
    lines.fill(["a"], [line("a", [who("chosen", 0), who("x", 3)], 7)], (id) => id === "chosen");
    expect(drain(lines)).toEqual(["off", "x"]);
    expect(lines.isDry("a")).toBe(true);
  });

  test("keeps who came while the database was read", () => {
    const lines = new Lines();
    lines.begin();
    lines.offer("a", who("new", 9), { kept: false, length: 10 });
    lines.fill(["a"], [line("a", [who("x", 3)])], nobody);
    expect(drain(lines)).toEqual(["x", "new"]);
  });

  test("keeps so many of them and no more: the rest is read again", () => {
    const lines = new Lines();
    lines.begin();
    for (let i = 0; i < 20_001; i++) lines.offer("a", who(String(i), i), { kept: false, length: 3 });
    expect(lines.size).toBe(20_003);
    lines.fill(["a"], [line("a", [who("0", 0)])], nobody);
    expect(drain(lines)).toEqual(["0"]);
    expect([lines.isDry("a"), lines.waits("a"), lines.size]).toEqual([true, true, 0]);
  });

  test("of one target leaves the others alone; a target that has none waits for nobody", () => {
    const lines = new Lines();
    lines.offer("b", who("b", 1), { kept: false, length: 10 });
    lines.begin();
    lines.fill(["a"], [], nobody);
    expect([lines.waits("a"), lines.waits("b")]).toEqual([false, true]);
  });
});

test("the lines of orchestrators that are gone are forgotten", () => {
  const lines = new Lines();
  lines.offer("a", who("x", 1), { kept: false, length: 10 });
  lines.retain(["b"]);
  expect(lines.size).toBe(0);
});

test("memory is bounded, however many orchestrators there are", () => {
  expect(Lines.length(1)).toBe(1_000);
  expect(Lines.length(0)).toBe(1_000);
  expect(Lines.length(100) * 100).toBeLessThanOrEqual(20_000);
  expect(Lines.length(10_000)).toBe(50);
});

test("whatever comes in whatever order, the first of a line are the first of all", () => {
  const arbitrary = fc.uniqueArray(
    fc.record({
      id: fc.string({ minLength: 3, maxLength: 6 }),
      queuedAt: fc.nat(20),
      priority: fc.integer({ min: -2, max: 2 }),
    }),
    { selector: ({ id }) => id, maxLength: 60 },
  );
  fc.assert(
    fc.property(arbitrary, fc.integer({ min: 1, max: 70 }), (all, length) => {
      const lines = new Lines();
      for (const waiting of all) lines.offer("a", waiting, { kept: false, length });
      expect(drain(lines)).toEqual(
        all
          .toSorted(inOrder)
          .slice(0, length)
          .map(({ id }) => id),
      );
    }),
  );
});
