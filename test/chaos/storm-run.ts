// `npm run storm -- --operations N --faults N --replicas N --seed N`: the whole storm, by hand, and its toll.
// `npm run storm -- --handover N`: how long nobody launches when the leader ends, N times by SIGTERM and N times by kill -9.
import { parseArgs } from "node:util";
import { startMongod } from "../../src/local/mongod.ts";
import { openReplicas, showTimes } from "../kubernetes/replicas.ts";
import { setScene } from "../kubernetes/stage.ts";
import { storm } from "./storm.ts";
import { harm } from "./toll.ts";

const { values } = parseArgs({
  options: {
    operations: { type: "string", default: "1000" },
    faults: { type: "string", default: "40" },
    replicas: { type: "string", default: "2" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    handover: { type: "string" },
  },
});
const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function strike(): Promise<boolean> {
  say(`seed ${values.seed}`);
  const toll = await storm({
    operations: Number(values.operations),
    faults: Number(values.faults),
    replicas: Number(values.replicas),
    seed: Number(values.seed),
    say,
  });
  say(JSON.stringify(toll, undefined, 2));
  say(harm(toll) === 0 ? "0 lost, 0 doubled, 0 falsely failed, 0 left over" : "THE STORM DID HARM");
  return harm(toll) === 0;
}

/** Until the next launch (ms); after kill -9 the Lease must have run out, and a standby looks within half a second more. */
const WITHIN = { SIGTERM: 1_000, SIGKILL: 16_500 };

async function handOver(count: number): Promise<boolean> {
  await using mongod = await startMongod({ replicaSet: true, say });
  await using setting = await setScene({ uri: mongod.uri });
  await setting.orchestrate("kubernetes-cpu", { annotations: { "plane/run-for": "1s" } });
  await using replicas = await openReplicas(setting, "kubernetes-cpu");
  let soon = true;
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    const times = await replicas.handovers(signal, count);
    const late = times.filter((ms) => ms > WITHIN[signal]).length;
    soon &&= late === 0;
    say(
      `${signal}, ${count} times, until the next launch: ${showTimes(times)}; ${late} later than ${WITHIN[signal]} ms`,
    );
  }
  return soon;
}

process.exitCode = (await (values.handover === undefined ? strike() : handOver(Number(values.handover)))) ? 0 : 1;
