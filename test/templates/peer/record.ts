// Records anew what the real Jinja2 gives: node test/templates/peer/record.ts
// Writes vectors/jinja-more.json (what the other vectors do not ask, and random templates of a fixed seed); npm run format lays it out.
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
await using peer = new Peer(peerPython(), "render.py");
const vectors = await Promise.all(
  [...asked, ...randomTemplates()].map(async (template) => {
    const answer = await peer.ask({ template, context: CONTEXT });
    return { template, ...(JSON.parse(answer ?? '{"error": "no answer"}') as object) };
  }),
);
const lines = vectors.map((vector) => JSON.stringify(vector));
writeFileSync(file("jinja-more.json"), `{"recorded": "Jinja2 3.1.6", "vectors": [\n${lines.join(",\n")}\n]}\n`);
