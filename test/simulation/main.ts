// The simulation's command: plays seeds, one seed with its trace, a plan from a file, or hunts planted faults.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Violation } from "./checks/checks.ts";
import { drawPlan } from "./draw.ts";
import { type Hunted, hunt } from "./mutants/hunt.ts";
import { MUTANTS } from "./mutants/mutants.ts";
import { tableOf } from "./mutants/table.ts";
import type { Plan } from "./plan.ts";
import { shrink } from "./shrink.ts";
import { simulate } from "./simulate.ts";

const USAGE = `npm run simulate -- [--seeds N] [--from N] [--seconds S] [--first]   plays seeds, says what was violated
npm run simulate -- --seed N [--whole] [--all]        plays one, smaller if it fails (unless --whole), with its trace
npm run simulate -- --plan FILE [--all]               plays a plan
npm run simulate -- --mutants [TEXT] [--seeds N] [--keep DIR] [--table FILE]   plants faults, and says how many seeds each took
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: "string" },
    from: { type: "string", default: "1" },
    /** No further seed is begun after so many seconds. */
    seconds: { type: "string" },
    /** Ends at the first violation. */
    first: { type: "boolean", default: false },
    seed: { type: "string" },
    plan: { type: "string" },
    whole: { type: "boolean", default: false },
    /** Also shows reads and pings. */
    all: { type: "boolean", default: false },
    mutants: { type: "boolean", default: false },
    /** A directory for the smallest plan that finds each planted fault. */
    keep: { type: "string" },
    /** A file for the table of what was found. */
    table: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const show = ({ rule, detail }: Violation): string => `${rule}: ${detail}`;
const DULL =
  /database (find|ping|getMore|aggregate) |accessreviews|list events|has a (warning|hint)|list (jobs|pods)|watch |watch cut off|changes cut off/;

/** @returns whether all was well */
async function playOne(plan: Plan): Promise<boolean> {
  let smallest = plan;
  const first = (await simulate(plan)).violation;
  if (first && !values.whole) {
    smallest = await shrink(plan, async (one) => (await simulate(one)).violation?.rule === first.rule);
    say(`The smallest plan that was found (--plan FILE plays it):\n${JSON.stringify(smallest)}`);
  }
  const outcome = await simulate(smallest);
  for (const line of outcome.trace) if (values.all || !DULL.test(line)) say(line);
  const { steps, elapsed, hash, violation } = outcome;
  say(`${steps} steps, ${(elapsed / 1_000).toFixed(0)} s of simulated time, trace ${hash}`);
  if (violation) say(show(violation));
  return violation === undefined;
}

/** @returns whether all was well */
async function playMany(count: number, from: number): Promise<boolean> {
  const begun = performance.now();
  const passed = (): number => (performance.now() - begun) / 1_000;
  const failing = new Map<string, number[]>();
  let [seed, steps, elapsed] = [from, 0, 0];
  for (; seed < from + count && passed() < Number(values.seconds ?? Number.POSITIVE_INFINITY); seed++) {
    const outcome = await simulate(drawPlan(seed));
    steps += outcome.steps;
    elapsed += outcome.elapsed;
    const { violation } = outcome;
    if (violation === undefined) continue;
    say(`seed ${seed}: ${show(violation)}`);
    failing.set(violation.rule, [...(failing.get(violation.rule) ?? []), seed]);
    if (values.first) break;
  }
  const violated = [...failing.values()].reduce((sum, seeds) => sum + seeds.length, 0);
  const hours = (elapsed / 3_600_000).toFixed(0);
  say(
    `${seed - from} seeds in ${passed().toFixed(1)} s: ${violated} violations (${steps} steps, ${hours} h of simulated time)`,
  );
  for (const [rule, seeds] of failing) say(`${seeds.length} × ${rule}: seeds ${seeds.slice(0, 20).join()}`);
  return violated === 0;
}

const readIf = (path: string): string => (existsSync(path) ? readFileSync(path, "utf8") : "");

/** @returns whether all were found */
async function huntAll(seeds: number): Promise<boolean> {
  const [text = ""] = positionals;
  let missed = 0;
  const all: Hunted[] = [];
  for (const mutant of MUTANTS.filter(({ name, file }) => `${name} ${file}`.includes(text))) {
    const hunted = await hunt(mutant, seeds, values.keep);
    const { name, file, seed, plan, rule, detail, seconds } = hunted;
    all.push(hunted);
    if (seed === undefined && plan === undefined) missed++;
    const what = seed === undefined ? plan && `the plan ${plan}` : `seed ${seed}`;
    const how = what ? `found by ${what} (${rule}: ${detail.slice(0, 60)})` : `NOT FOUND in ${seeds} seeds`;
    say(`${file}: ${name}: ${how}, ${seconds.toFixed(1)} s`);
    if (values.table) writeFileSync(values.table, tableOf(MUTANTS, all, readIf(values.table)));
  }
  say(missed === 0 ? "every fault was found" : `${missed} faults were not found`);
  return missed === 0;
}

async function main(): Promise<boolean> {
  const seeds = Number(values.seeds ?? (values.mutants ? 3_000 : 1_000));
  if (values.help) say(USAGE);
  else if (values.mutants) return huntAll(seeds);
  else if (values.plan) return playOne(JSON.parse(readFileSync(values.plan, "utf8")) as Plan);
  else if (values.seed) return playOne(drawPlan(Number(values.seed)));
  else return playMany(seeds, Number(values.from));
  return true;
}

process.exitCode = (await main()) ? 0 : 1;
