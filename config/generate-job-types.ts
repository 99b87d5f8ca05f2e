// Writes src/templates/job-types.json: what Kubernetes wants at each place of a Job, from the type maps that
// @kubernetes/client-node ships with its models. `--check` only says whether the file is up to date.
// The daemon reads the table: loading the 2,700 model files would cost it 50 MB and most of its start.
import { readFileSync, writeFileSync } from "node:fs";
import * as models from "@kubernetes/client-node";

type Model = { getAttributeTypeMap?: () => { baseName: string; type: string }[] };

const FILE = new URL("../src/templates/job-types.json", import.meta.url);

/** The models that a Job can hold, each with the type of its fields in the library's own notation. */
function reachable(root: string): Record<string, Record<string, string>> {
  const found: Record<string, Record<string, string>> = {};
  const open = [root];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const model = (models as unknown as Record<string, Model>)[name];
    if (found[name] !== undefined || typeof model?.getAttributeTypeMap !== "function") continue;
    const fields = model.getAttributeTypeMap();
    found[name] = Object.fromEntries(fields.map(({ baseName, type }) => [baseName, type]));
    for (const { type } of fields) open.push(...(type.match(/\w+/g) ?? []));
  }
  return Object.fromEntries(Object.entries(found).toSorted(([a], [b]) => a.localeCompare(b)));
}

const text = `${JSON.stringify(reachable("V1Job"), null, 1)}\n`;
if (!process.argv.includes("--check")) writeFileSync(FILE, text);
else if (readFileSync(FILE, "utf8") !== text) {
  process.stderr.write("src/templates/job-types.json is stale: run `npm run generate`\n");
  process.exitCode = 1;
}
