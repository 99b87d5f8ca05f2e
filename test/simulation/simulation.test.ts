// The simulation itself: a seed plays the same twice, nothing is violated, whatever was once found stays mended, a daemon may die
// at any of its calls, and faults can be planted where the code stands now.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { drawPlan } from "./draw.ts";
import { hunt } from "./mutants/hunt.ts";
import { MUTANTS } from "./mutants/mutants.ts";
import { planted, sourceOf } from "./mutants/planting.ts";
import { strangersIn } from "./mutants/table.ts";
import type { DaemonPlan, Kill, Plan } from "./plan.ts";
import { shrink } from "./shrink.ts";
import { simulate } from "./simulate.ts";

/** So many seeds are played at the least, and more as long as there is time (ms); from which one on. */
const PLAYED = { least: 20, ms: 6_000 };
const FROM = Number(process.env["SEED"] ?? 1);

test("a seed plays the same twice, and another one differently", async () => {
  const hashes = [];
  for (const seed of [11, 12, 11, 12]) hashes.push((await simulate(drawPlan(seed))).hash);
  expect(hashes.slice(0, 2)).toEqual(hashes.slice(2));
  expect(hashes[0]).not.toBe(hashes[1]);
});

test(`seeds from ${FROM} on: nothing is violated`, async () => {
  const end = Date.now() + PLAYED.ms;
  let seed = FROM;
  for (; seed < FROM + PLAYED.least || Date.now() < end; seed++) {
    const { violation } = await simulate(drawPlan(seed));
    if (violation)
      throw new Error(`seed ${seed}: ${violation.rule}: ${violation.detail}; npm run simulate -- --seed ${seed}`);
  }
  process.stderr.write(`${seed - FROM} seeds\n`);
}, 60_000);

const REGRESSIONS = join(import.meta.dirname, "regressions");

test.each(readdirSync(REGRESSIONS))("what %s once found is mended", async (file) => {
  const plan = JSON.parse(readFileSync(join(REGRESSIONS, file), "utf8")) as Plan;
  expect((await simulate(plan)).violation).toBeUndefined();
});

describe("a daemon that dies", () => {
  const quiet: Plan = {
    ...drawPlan(3),
    horizonMs: 40_000,
    clusterSkewMs: [0],
    orchestrators: [{ cluster: 0, namespace: "team-a", ttl: 30 }],
    operations: drawPlan(3)
      .operations.slice(0, 2)
      .map((one) => ({ ...one, at: 0, orchestrator: 0, oddity: undefined })),
    acts: [],
    troubles: [],
    hints: [],
    incidents: [],
  };
  const dying = (kill: Kill): DaemonPlan => ({ startAt: 0, skewMs: 0, kills: [kill], pauses: [], stops: [] });

  test.each<Kill["side"]>(["before", "after"])(
    "%s any of its first 60 calls loses and doubles nothing",
    async (side) => {
      for (let call = 1; call <= 60; call++) {
        const { violation } = await simulate({ ...quiet, daemons: [dying({ call, side, downMs: 700 })] });
        expect([call, violation]).toEqual([call, undefined]);
      }
    },
    60_000,
  );
});

test("a failing plan is made as small as it can be", async () => {
  const whole = {
    ...drawPlan(1),
    acts: Array.from({ length: 6 }, (_, at) => ({ at, kind: "fail" as const, operation: 0 })),
  };
  const smallest = await shrink(whole, (plan) => Promise.resolve(plan.acts.some(({ at }) => at === 3)));
  expect(smallest.acts).toEqual([{ at: 3, kind: "fail", operation: 0 }]);
  expect([smallest.troubles, smallest.incidents, smallest.hints]).toEqual([[], [], []]);
  expect(smallest.operations.every(({ at }) => at < 0)).toBe(true);
});

test.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))("the fault can be planted: %s", (_, mutant) => {
  const text = sourceOf(mutant);
  expect(planted(text, mutant)).not.toBe(text);
});

test("every row of the table is a fault that is planted", () => {
  const table = readFileSync(join(import.meta.dirname, "../../docs/planted-faults.md"), "utf8");
  expect(strangersIn(MUTANTS, table)).toEqual([]);
  expect(table.match(/^\| [a-z]/gm)?.length ?? 0).toBeGreaterThan(12);
});

test("faults that are planted are found", async () => {
  const names = [
    "claim whatever target it has",
    "delete without a live look",
    "take what a watch does not show for gone",
  ];
  for (const mutant of MUTANTS.filter(({ name }) => names.includes(name))) {
    const { seed, rule } = await hunt(mutant, 200);
    expect([mutant.name, seed === undefined ? "not found" : rule]).toEqual([
      mutant.name,
      expect.stringMatching(/^\d: /),
    ]);
  }
}, 120_000);
