// 500 operations of three orchestrators under a limit of 20 on the real API server, while the daemon is killed with kill -9
// and another one goes on. The witness is a watch of its own: what it counts, the API server itself says.
import { expect, test } from "@jest/globals";
import { witness } from "../in-flight.ts";
import { startDaemonProcess } from "./daemons.ts";
import { seen } from "./seen.ts";
import { NAMESPACE, setScene } from "./stage.ts";
import { playWorkers } from "./worker.ts";

const OPERATIONS = 500;
const LIMIT = 20;
/** How long the Jobs of each run: with long ones, a share of the launches would become more than a share of the places. */
const ORCHESTRATORS = { "kubernetes-cpu": "1s", "kubernetes-gpu": "2s", "kubernetes-big": "1s" };
const ENDED = { run_state: { $in: ["completed", "failed"] } };

const sum = (numbers: Iterable<number>): number => [...numbers].reduce((all, number) => all + number, 0);

test(`${OPERATIONS} operations, never more than ${LIMIT} in flight, fair shares, and a new daemon in between`, async () => {
  await using setting = await setScene();
  const { admin, db, plane } = setting;
  for (const [name, time] of Object.entries(ORCHESTRATORS)) {
    await setting.orchestrate(name, { annotations: { "plane/run-for": time } });
  }
  const names = Object.keys(ORCHESTRATORS);
  const each = names.map((_, i) => Math.floor((OPERATIONS + names.length - 1 - i) / names.length));
  await Promise.all(names.map((name, i) => setting.queue(name, each[i])));
  await using workers = playWorkers(admin, `/api/v1/namespaces/${NAMESPACE}/pods`, db);
  await using jobs = await witness(plane.kubeconfig(), NAMESPACE);
  const ended = (): Promise<number> => db.collection("delegated_ops").countDocuments(ENDED);
  const environment = { OPJOB_MAX_IN_FLIGHT: String(LIMIT) };

  await using first = startDaemonProcess(setting, environment);
  await seen("some have ended", async () => (await ended()) >= OPERATIONS / 4, 120_000);
  const before = jobs.lived();
  first.signal("SIGKILL");
  await first.exited;
  const endedAtKill = await ended();
  await using second = startDaemonProcess(setting, environment);
  await seen("it goes on", async () => (await ended()) >= endedAtKill + LIMIT * 2, 60_000);
  await seen("all have ended", async () => (await ended()) === OPERATIONS, 240_000);

  const shares = Object.fromEntries(
    names.map((name) => [name, Math.round((100 * (before.get(name) ?? 0)) / sum(before.values()))]),
  );
  process.stderr.write(
    `killed with ${endedAtKill} of ${OPERATIONS} ended; most in flight ${jobs.most.total} of ${LIMIT}; ` +
      `shares of the places while all three waited: ${JSON.stringify(shares)} %; ` +
      `launched ${JSON.stringify(Object.fromEntries([...jobs.created].map(([name, all]) => [name, all.length])))}\n`,
  );
  expect(jobs.most.total).toBe(LIMIT);
  for (const share of Object.values(shares)) expect(Math.abs(share - 100 / names.length)).toBeLessThan(8);
  expect(await db.collection("delegated_ops").distinct("run_state")).toEqual(["completed"]);
  expect([...workers.executions.values()]).toEqual(Array(OPERATIONS).fill(1));
  expect([...jobs.created.values()].map(({ length }) => length).toSorted((a, b) => b - a)).toEqual(each);
  expect(second.said("job deleted")).toEqual([]);
}, 480_000);
