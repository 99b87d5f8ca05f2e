// `npm run outage -- --operations N --freeze SECONDS [FAULT …]`: a real API server's failures at length, with opjob's own graces
// and deadlines, and their toll. FAULT: killed, away, forgotten, frozen, deafened; all of them by default.
import { parseArgs } from "node:util";
import { startMongod } from "../../src/local/mongod.ts";
import { FAULT_NAMES, type FaultName, suffer } from "./outage.ts";

const { values, positionals } = parseArgs({
  options: { operations: { type: "string", default: "500" }, freeze: { type: "string", default: "60" } },
  allowPositionals: true,
});
const isFault = (name: string): name is FaultName => (FAULT_NAMES as readonly string[]).includes(name);
const wrong = positionals.find((name) => !isFault(name));
if (wrong !== undefined) throw new Error(`${wrong} is no fault; there are ${FAULT_NAMES.join(", ")}`);
const faults = positionals.length === 0 ? FAULT_NAMES : positionals.filter(isFault);

const say = (line: string): void => void process.stdout.write(`${line}\n`);
await using mongod = await startMongod({ replicaSet: true, say });
process.env["OPJOB_TEST_MONGODB_URI"] = mongod.uri;
let harm = 0;
for (const fault of faults) {
  say(`${fault}, ${values.operations} operations:`);
  const options = { operations: Number(values.operations), freezeSeconds: Number(values.freeze), deployed: true, say };
  const { extraPods, launchedAfter, endedAfter, deleted, ...counts } = await suffer(fault, options);
  harm += deleted + counts.lost + counts.doubled + counts.falselyFailed;
  const { lost, doubled, falselyFailed } = counts;
  say(`${fault}: ${lost} lost, ${doubled} doubled, ${falselyFailed} falsely failed, ${deleted} Jobs deleted`);
  say(
    `${fault}: recovered in ${launchedAfter} s (the next launch), ${endedAfter} s (all ended); ${extraPods} extra Pods`,
  );
}
process.exitCode = harm === 0 ? 0 : 1;
