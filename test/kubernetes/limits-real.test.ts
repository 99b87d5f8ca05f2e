// 500 operations of three orchestrators under a limit of 20 on the real API server, with three real daemons of which one leads: it
// is told to stop amid the work, and the next one is killed. The witness is a watch of its own: what it counts, the API server says.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { witness } from "../in-flight.ts";
import { type DaemonProcess, startDaemonProcess } from "./daemons.ts";
import { seen } from "./seen.ts";
import { NAMESPACE, setScene } from "./stage.ts";
import { playWorkers } from "./worker.ts";

const OPERATIONS = 500;
const LIMIT = 20;
/** How long the Jobs of each run: each gets its share of the places, however long it keeps them. */
const ORCHESTRATORS = { "kubernetes-cpu": "1s", "kubernetes-gpu": "2s", "kubernetes-big": "1s" };
const ENDED = { run_state: { $in: ["completed", "failed"] } };

const sum = (numbers: Iterable<number>): number => [...numbers].reduce((all, number) => all + number, 0);
const leads = (one: DaemonProcess): boolean => one.said("leads from now on").length > 0;

test(`${OPERATIONS} operations, never more than ${LIMIT} in flight, fair shares, and two changes of the leader`, async () => {
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
  const KUBECONFIG = join(plane.directory, "opjob.kubeconfig");
  await writeFile(KUBECONFIG, plane.kubeconfig("opjob"));
  const start = (): DaemonProcess =>
    startDaemonProcess(setting, {
      KUBECONFIG,
      OPJOB_LEADERSHIP: "lease",
      OPJOB_LEASE_NAMESPACE: NAMESPACE,
      OPJOB_MAX_IN_FLIGHT: String(LIMIT),
    });
  await using first = start();
  await seen("the first one leads", () => leads(first), 30_000);
  await using second = start();
  await using third = start();
  const replicas = [first, second, third];
  /** Ends the leader; resolves when another one leads. */
  const change = async (leader: DaemonProcess, signal: NodeJS.Signals): Promise<[DaemonProcess, string]> => {
    const [at, live] = [await ended(), jobs.live()];
    const begun = performance.now();
    leader.signal(signal);
    const next = await seen("another one leads", () => replicas.find((one) => one !== leader && leads(one)), 30_000);
    replicas.splice(replicas.indexOf(leader), 1);
    const ms = Math.round(performance.now() - begun);
    return [next, `${signal} with ${at} ended and ${live} in flight, the next one leads after ${ms} ms`];
  };

  await seen("some have ended", async () => (await ended()) >= OPERATIONS / 4, 120_000);
  for (const replica of replicas) expect(replica.said("first scan done")).toHaveLength(1);
  const shared = jobs.lived();
  const [next, told] = await change(first, "SIGTERM");
  await seen("it goes on", async () => (await ended()) >= OPERATIONS / 2, 120_000);
  const [, toldToo] = await change(next, "SIGKILL");
  await seen("all have ended", async () => (await ended()) === OPERATIONS, 240_000);

  const shares = names.map((name) => Math.round((100 * (shared.get(name) ?? 0)) / sum(shared.values())));
  process.stderr.write(
    `${told}; ${toldToo}; most in flight ${jobs.most.total} of ${LIMIT}; shares of the places while all three waited: ` +
      `${names.map((name, i) => `${name} ${shares[i]} %`).join(", ")}\n`,
  );
  expect(jobs.most.total).toBe(LIMIT);
  for (const share of shares) expect(Math.abs(share - 100 / names.length)).toBeLessThan(8);
  expect(await db.collection("delegated_ops").distinct("run_state")).toEqual(["completed"]);
  expect([...workers.executions.values()]).toEqual(Array(OPERATIONS).fill(1));
  expect([...jobs.created.values()].map(({ length }) => length).toSorted((a, b) => b - a)).toEqual(each);
  expect([first, second, third].flatMap((one) => one.said("job deleted"))).toEqual([]);
}, 480_000);
