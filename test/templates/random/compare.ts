// Draws random templates and compares what they give with what the real Jinja2 gives:
//   npm run test:jinja -- [--count 20000] [--seed 1]
// Prints the seed, the share that is identical, and what differs by cause. Exits with 1 below 99.9 %, or if too few could be compared.
import { parseArgs } from "node:util";
import { compileJinja, JinjaError, type JinjaOptions } from "../../../src/templates/jinja/jinja.ts";
import { Peer, peerPython } from "../peer/peer.ts";
import { Draw } from "./draw.ts";
import { mutate } from "./mutate.ts";
import { statements } from "./statements.ts";
import { CONTEXT } from "./words.ts";

const LEAST_SHARE = 0.999;
/** Asked ahead, so that both sides always have work. */
const WINDOW = 64;

type Answer = { readonly output?: string; readonly error?: string; readonly line?: number | null };
type Question = { readonly template: string; readonly options: JinjaOptions };
type Difference = Question & { readonly wanted: Answer; readonly got: Answer };

const { values } = parseArgs({ options: { count: { type: "string" }, seed: { type: "string" } } });
const count = Number(values.count ?? 20_000);
const seed = Number(values.seed ?? Date.now() % 1_000_000_000);
const draw = new Draw(seed);

function question(): Question {
  const whole = statements(draw);
  const template = draw.chance(0.2) ? mutate(draw, whole) : whole;
  const flag = () => draw.chance(0.25);
  return { template, options: { trimBlocks: flag(), lstripBlocks: flag(), keepTrailingNewline: flag() } };
}

function here({ template, options }: Question): Answer {
  try {
    return { output: compileJinja(template, options).render(CONTEXT) };
  } catch (error) {
    if (!(error instanceof JinjaError))
      throw new Error(`not a JinjaError: ${JSON.stringify(template)}`, { cause: error });
    return { error: `${error.kind}: ${error.message}`, line: error.line };
  }
}

/** A place in memory, which differs every time. */
const withoutPlaces = (text: string | undefined): string | undefined => text?.replaceAll(/0[xX][0-9a-fA-F]{12}/g, "0x");

const isSame = (wanted: Answer, got: Answer): boolean =>
  wanted.error === undefined ? withoutPlaces(got.output) === withoutPlaces(wanted.output) : got.error !== undefined;

/** Why something differs that is known to; in this order. */
const CAUSES: readonly (readonly [cause: string, holds: (difference: Difference) => boolean])[] = [
  ["names with two underscores are refused", ({ got }) => /'__\w*__' is not open/.test(got.error ?? "")],
  ["a bound is met", ({ got }) => got.error?.startsWith("limit") === true],
  ["complex numbers do not exist here", ({ got }) => /is complex/.test(got.error ?? "")],
  ["bytes have only a few of Python's methods here", ({ template }) => /\.encode\(/.test(template)],
  ["characters have no Unicode names here", ({ got }) => /Unicode name/.test(got.error ?? "")],
  [
    "the text of a place in memory was cut or changed",
    ({ wanted }) => /0.{0,3}x.{0,3}7|object at|OBJECT AT|Object At/.test(wanted.output ?? ""),
  ],
];

const causeOf = (difference: Difference): string =>
  CAUSES.find(([, holds]) => holds(difference))?.[0] ?? "not explained";

const tally = { same: 0, failing: 0, sameLine: 0, otherLine: 0, unanswered: 0 };
const differences = new Map<string, Difference[]>();

function compare(asked: Question, line: string | undefined): void {
  const wanted = line === undefined ? undefined : (JSON.parse(line) as Answer);
  if (wanted === undefined || /^(MemoryError|RecursionError)/.test(wanted.error ?? "")) {
    tally.unanswered++;
    return;
  }
  const got = here(asked);
  if (!isSame(wanted, got)) {
    const difference = { ...asked, wanted, got };
    const cause = causeOf(difference);
    differences.set(cause, [...(differences.get(cause) ?? []), difference]);
    return;
  }
  tally.same++;
  if (wanted.error === undefined) return;
  tally.failing++;
  if (typeof wanted.line === "number") tally[wanted.line === got.line ? "sameLine" : "otherLine"]++;
}

async function main(): Promise<void> {
  console.log(`seed ${seed}: ${count} random templates against Jinja2 3.1.6`);
  await using peer = new Peer(peerPython(), "render.py");
  const asked: { readonly asked: Question; readonly answer: Promise<string | undefined> }[] = [];
  for (let at = 0; at < count + WINDOW; at++) {
    if (at < count) {
      const next = question();
      asked.push({ asked: next, answer: peer.ask({ ...next, context: CONTEXT }) });
    }
    const first = at >= WINDOW || at >= count ? asked.shift() : undefined;
    if (first) compare(first.asked, await first.answer);
  }
  report();
}

function report(): void {
  const different = [...differences.values()].flat().length;
  const share = tally.same / (tally.same + different);
  const lines = tally.sameLine + tally.otherLine;
  for (const [cause, found] of differences) {
    console.log(`\n${found.length} × ${cause}; for instance:`);
    for (const one of found.slice(0, cause === "not explained" ? 50 : 1)) console.log(JSON.stringify(one));
  }
  console.log(
    `\nidentical ${tally.same} of ${tally.same + different} (${(share * 100).toFixed(3)} %), ${tally.failing} of them errors; ` +
      `their line is the same in ${tally.sameLine} of ${lines}; the reference gave no answer to ${tally.unanswered}; seed ${seed}`,
  );
  const enough = tally.same + different > count * 0.98;
  if (!enough || share < LEAST_SHARE) process.exitCode = 1;
}

await main();
