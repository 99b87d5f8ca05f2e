// Compares random templates with the real Jinja2: node test/templates/jinja-compare.ts PYTHON [SEED] [COUNT]
// PYTHON is an interpreter that has jinja2 3.1.6. Exits with 1 if a template came out differently.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { compileJinja, JinjaError, type JinjaOptions } from "../../src/templates/jinja/jinja.ts";
import { RANDOM_CONTEXT, RandomTemplates } from "./jinja-random.ts";

type Answer = { output?: string; error?: string };

function here(template: string, options: JinjaOptions): Answer {
  try {
    return { output: compileJinja(template, options).render(RANDOM_CONTEXT) };
  } catch (error) {
    if (!(error instanceof JinjaError)) throw error;
    return { error: `${error.kind}, line ${error.line}: ${error.message}` };
  }
}

/** An address in memory differs every time; a reference that was too slow says nothing. */
const isComparable = ({ output, error }: Answer): boolean =>
  !(output ?? "").includes(" at 0x") && !(error ?? "").startsWith("TimeoutError");

const [python = "python3", seed = "1", count = "2000"] = process.argv.slice(2);
const peer = spawn(python, [new URL("jinja-peer.py", import.meta.url).pathname], {
  stdio: ["pipe", "pipe", "inherit"],
});
const lines = createInterface({ input: peer.stdout })[Symbol.asyncIterator]();
const templates = new RandomTemplates(Number(seed));
const tally = { same: 0, different: 0, failing: 0, skipped: 0 };

for (let at = 0; at < Number(count); at++) {
  const template = templates.template();
  const options = { trimBlocks: at % 3 === 1, lstripBlocks: at % 4 === 1, keepTrailingNewline: at % 5 === 1 };
  peer.stdin.write(`${JSON.stringify({ template, context: RANDOM_CONTEXT, options })}\n`);
  const line = await lines.next();
  if (line.done) throw new Error("the reference ended");
  const wanted = JSON.parse(line.value) as Answer;
  if (wanted.error !== undefined) tally.failing++;
  const got = here(template, options);
  if (!isComparable(wanted)) {
    tally.skipped++;
  } else if (wanted.error === undefined ? got.output === wanted.output : got.error !== undefined) {
    tally.same++;
  } else {
    tally.different++;
    console.log(JSON.stringify({ template, options, wanted, got }, null, 1));
  }
}
peer.stdin.end();
console.log(JSON.stringify(tally));
process.exitCode = tally.different === 0 ? 0 : 1;
