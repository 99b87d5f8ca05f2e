// `npm run storm -- --operations N --faults N --replicas N --seed N`: the whole storm, by hand, and its toll.
import { parseArgs } from "node:util";
import { storm } from "./storm.ts";

const { values } = parseArgs({
  options: {
    operations: { type: "string", default: "1000" },
    faults: { type: "string", default: "36" },
    replicas: { type: "string", default: "2" },
    seed: { type: "string", default: "1" },
  },
});
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const toll = await storm({
  operations: Number(values.operations),
  faults: Number(values.faults),
  replicas: Number(values.replicas),
  seed: Number(values.seed),
  say,
});
say(JSON.stringify(toll, undefined, 2));
const harm = toll.failed.length + toll.lost + toll.doubled.length + toll.missing.length + toll.leftOver;
say(harm === 0 ? "0 lost, 0 doubled, 0 falsely failed, 0 left over" : "THE STORM DID HARM");
process.exitCode = harm === 0 ? 0 : 1;
