// Records anew what the real Jinja2 and PyYAML give: node test/templates/peer/record.ts, then npm run format
// Writes vectors/jinja-more.json (what the other vectors do not ask, and random templates of a fixed seed) and vectors/yaml.json.
import { readFileSync, writeFileSync } from "node:fs";
import { Draw } from "../random/draw.ts";
import { mutate } from "../random/mutate.ts";
import { statements } from "../random/statements.ts";
import { CONTEXT } from "../random/words.ts";
import { Peer, peerPython } from "./peer.ts";

const RANDOM = 400;
const SEED = 20_261_122;
const LONGEST = 220;

const file = (name: string): URL => new URL(`../vectors/${name}`, import.meta.url);

function randomTemplates(): string[] {
  const draw = new Draw(SEED);
  const found: string[] = [];
  while (found.length < RANDOM) {
    const whole = statements(draw);
    const template = found.length % 4 === 3 ? mutate(draw, whole) : whole;
    if (template.length <= LONGEST && !template.includes("encode")) found.push(template);
  }
  return found;
}

const asked = JSON.parse(readFileSync(file("jinja-asked.json"), "utf8")) as string[];
const python = peerPython();
await using peer = new Peer(python, "render.py");
const vectors = await Promise.all(
  [...asked, ...randomTemplates()].map(async (template) => {
    const answer = await peer.ask({ template, context: CONTEXT });
    return { template, ...(JSON.parse(answer ?? '{"error": "no answer"}') as object) };
  }),
);
const lines = vectors.map((vector) => JSON.stringify(vector));
writeFileSync(file("jinja-more.json"), `{"recorded": "Jinja2 3.1.6", "vectors": [\n${lines.join(",\n")}\n]}\n`);

type Yaml = { scalars: string[]; documents: string[] };
const { scalars, documents } = JSON.parse(readFileSync(file("yaml-asked.json"), "utf8")) as Yaml;
await using loader = new Peer(python, "load.py");
const loaded = (text: string): Promise<object> =>
  loader.ask({ text }).then((answer) => JSON.parse(answer ?? '{"error": "no answer"}') as object);
const recorded = {
  recorded: "PyYAML 6.0",
  scalars: await Promise.all(scalars.map(async (written) => ({ written, ...(await loaded(`- ${written}\n`)) }))),
  documents: await Promise.all(documents.map(async (text) => ({ text, ...(await loaded(text)) }))),
};
writeFileSync(file("yaml.json"), `${JSON.stringify(recorded, undefined, 1)}\n`);
