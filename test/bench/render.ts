// How long a launch spends on its template, as a ratio to plain nunjucks in the same run: the text alone, and the whole way to the Job.
// Plain nunjucks is the library as it comes, with the template compiled once; it gives other text than Jinja2 for many templates.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import nunjucks from "nunjucks";
import { parse } from "yaml";
import type { Values } from "../../src/templates/blanks.ts";
import { compileTemplate } from "../../src/templates/render.ts";

const ROUNDS = 40;
const BATCH_MS = 20;
const TEMPLATES = {
  "FiftyOne's production template": "../templates/seed/production.yaml.j2",
  "templates/production.yaml.j2": "../../templates/production.yaml.j2",
};

const valuesOf = (i: number): Values => ({
  _id: (0x6503660453668982n + BigInt(i)).toString(16).padEnd(24, "0"),
  _name: `compute-similarity-${i}`,
  _image: "registry/image:1.0.0",
  _command: "python",
  _args: ["-c", "import fiftyone.operators.executor as e; e.main()", String(i)],
});

/** Microseconds for one call, by batches that take turns, so that what else the machine does meets all alike. @returns medians */
function measure(ways: Readonly<Record<string, (values: Values) => unknown>>): Record<string, number> {
  const all = Object.entries(ways).map(([name, way]) => ({ name, way, times: [] as number[] }));
  let i = 0;
  for (let round = 0; round < ROUNDS; round++) {
    for (const { way, times } of all) {
      const begun = performance.now();
      let calls = 0;
      for (; performance.now() - begun < BATCH_MS; calls++) way(valuesOf(i++));
      times.push(((performance.now() - begun) * 1_000) / calls);
    }
  }
  return Object.fromEntries(
    all.map(({ name, times }) => [name, times.toSorted((a, b) => a - b)[ROUNDS >> 1] ?? Number.NaN]),
  );
}

export function renderBench(say: (text: string) => void): void {
  for (const [name, path] of Object.entries(TEMPLATES)) {
    const text = readFileSync(new URL(path, import.meta.url), "utf8");
    const own = compileTemplate(text, name);
    const environment = new nunjucks.Environment(null, { autoescape: false });
    environment.addFilter("tojson", JSON.stringify); // Jinja2's own, which nunjucks lacks
    const plain = nunjucks.compile(text, environment);
    plain.render(valuesOf(0)); // compiles
    const {
      base = 0,
      ownText = 0,
      ownJob = 0,
      baseJob = 0,
    } = measure({
      base: (values) => plain.render(values),
      ownText: (values) => own.render(values),
      ownJob: (values) => own.manifest(values),
      baseJob: (values) => parse(plain.render(values), { version: "1.1" }) as unknown,
    });
    const ratio = (time: number): string => (time / base).toFixed(2);
    say(
      `${name}: plain nunjucks' text ${base.toFixed(0)} µs; opjob's text ${ownText.toFixed(0)} µs, ratio ${ratio(ownText)}; ` +
        `opjob's checked Job from the cache ${ownJob.toFixed(0)} µs, ratio ${ratio(ownJob)}; ` +
        `plain nunjucks and a YAML parser ${baseJob.toFixed(0)} µs, ratio ${ratio(baseJob)}`,
    );
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) renderBench((text) => void process.stdout.write(`${text}\n`));
