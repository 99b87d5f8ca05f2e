// Two real daemons with a Lease on the real API server: the leader is told to stop, killed, and stopped for longer than its
// Lease. `npm run storm -- --handover 10` does the first two as often.
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { witness } from "../in-flight.ts";
import type { DaemonProcess } from "./daemons.ts";
import { leads, openReplicas, type Replicas, showTimes } from "./replicas.ts";
import { seen } from "./seen.ts";
import { NAMESPACE, type Setting, setScene } from "./stage.ts";
import { playWorkers } from "./worker.ts";

const COUNT = Number(process.env["COUNT"] ?? 1);
const TARGET = "kubernetes-cpu";
const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`;
const ENDED = { run_state: { $in: ["completed", "failed"] } };

let setting: Setting;
let replicas: Replicas;

beforeAll(async () => {
  setting = await setScene();
  await setting.orchestrate(TARGET, { annotations: { "plane/run-for": "1s" } });
  replicas = await openReplicas(setting, TARGET);
}, 90_000);
afterAll(async () => {
  await replicas[Symbol.asyncDispose]();
  await setting[Symbol.asyncDispose]();
}, 60_000);

describe("from the leader's end until the next launch", () => {
  const measure = async (signal: NodeJS.Signals): Promise<number[]> => {
    const times = await replicas.handovers(signal, COUNT);
    process.stderr.write(`${signal}, ${COUNT} times: ${showTimes(times)}\n`);
    return times;
  };

  test(
    "much less than the Lease after SIGTERM",
    async () => {
      const times = await measure("SIGTERM");
      expect(times.toSorted((a, b) => a - b)[Math.floor(COUNT / 2)]).toBeLessThan(5_000);
    },
    60_000 * (COUNT + 1),
  );

  test(
    "as long as the Lease after kill -9",
    async () => {
      const times = await measure("SIGKILL");
      expect(Math.max(...times)).toBeLessThan(20_000);
      expect(Math.min(...times)).toBeGreaterThan(5_000); // nobody takes a Lease that may still be held
    },
    90_000 * (COUNT + 1),
  );
});

test("a leader that is stopped for longer than its Lease, amid launches, overwrites and doubles nothing when it wakes", async () => {
  const { admin, db, plane } = setting;
  await using workers = playWorkers(admin, PODS, db);
  await using jobs = await witness(plane.kubeconfig(), NAMESPACE);
  const [leader, standby] = await replicas.pair();
  const epochOf = (replica: DaemonProcess): number => Number(replica.said("leads from now on").at(-1)?.["epoch"]);
  /** What is written to which operation under which epoch, as the database tells it. */
  const written: { readonly id: string; readonly epoch: number }[] = [];
  const stream = db.collection("delegated_ops").watch([{ $match: { operationType: "update" } }]);
  stream.on("change", (event) => {
    if (event.operationType !== "update") return;
    const fields = event.updateDescription.updatedFields ?? {};
    const epoch = fields["opjob.epoch"] ?? (fields["opjob"] as { epoch?: number } | undefined)?.epoch;
    if (epoch !== undefined) written.push({ id: String(event.documentKey._id), epoch });
  });
  const ids = await setting.queue(TARGET, 300);
  await seen(
    "it is amid launches",
    async () =>
      (await db.collection("delegated_ops").countDocuments({ _id: { $in: ids }, "opjob.uid": { $exists: true } })) >=
      10,
  );
  leader.signal("SIGSTOP");
  const launchedAtStop = await db
    .collection("delegated_ops")
    .countDocuments({ _id: { $in: ids }, "opjob.uid": { $exists: true } });
  expect(launchedAtStop).toBeLessThan(ids.length);
  await seen("the standby leads", () => leads(standby), 30_000);
  const epoch = epochOf(standby);
  expect(epoch).toBeGreaterThan(epochOf(leader));
  await seen("it has taken over", () => written.some((one) => one.epoch === epoch));
  // Wakes while its successor is at work.
  const before = written.length;
  leader.signal("SIGCONT");
  await seen("it notices", () => leader.said("leads no more").length > 0, 10_000);
  await seen(
    "all have ended",
    async () => (await db.collection("delegated_ops").countDocuments({ _id: { $in: ids }, ...ENDED })) === ids.length,
    120_000,
  );
  await stream.close();
  process.stderr.write(
    `stopped with ${launchedAtStop} of ${ids.length} launched; ${before} writes before it woke, ${written.length - before} after\n`,
  );
  // What was on its way to the database when it was stopped arrives when it wakes: not where its successor has written.
  const ofOne = Map.groupBy(written, ({ id }) => id);
  const epochs = [...ofOne.values()].map((all) => all.map((one) => one.epoch));
  expect(epochs.filter((all) => all.some((one, i) => one < Math.max(...all.slice(0, i))))).toEqual([]);
  expect(await db.collection("delegated_ops").distinct("run_state", { _id: { $in: ids } })).toEqual(["completed"]);
  const mine = ids.map((id) => id.toHexString());
  expect(mine.map((id) => workers.executions.get(id))).toEqual(mine.map(() => 1));
  const names = [...jobs.created.values()].flat();
  expect(mine.map((id) => names.filter((name) => name.includes(id)).length)).toEqual(mine.map(() => 1));
}, 240_000);
