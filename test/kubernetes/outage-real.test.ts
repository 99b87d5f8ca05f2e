// The API server dies and comes back, twice, while operations drain: nothing is lost, doubled, or falsely failed.
// The ledger is the workers' own: opjob never sees it.
import { expect, test } from "@jest/globals";
import { seen } from "./seen.ts";
import { NAMESPACE, setStage } from "./stage.ts";
import { playWorkers } from "./worker.ts";

const OPERATIONS = 100;
const TARGET = "kubernetes-cpu";
const ENDED = { run_state: { $in: ["completed", "failed"] } };

test(`${OPERATIONS} operations run once each although the API server is killed twice`, async () => {
  const environment = { OPJOB_LAUNCH_CONCURRENCY: "4", OPJOB_RESULT_GRACE_SECONDS: "5" };
  await using stage = await setStage(environment);
  const { admin, db, daemon, plane } = stage;
  await stage.orchestrate(TARGET, { annotations: { "plane/start-after": "500ms", "plane/run-for": "1s" } });
  await using workers = playWorkers(admin, `/api/v1/namespaces/${NAMESPACE}/pods`, db);
  const said = (text: string): number => daemon.lines.filter(({ msg }) => msg === text).length;
  const ended = (): Promise<number> => db.collection("delegated_ops").countDocuments(ENDED);

  /** @returns when the API server was back: performance.now() */
  const outage = async (): Promise<number> => {
    const cuts = said("watch cut off");
    const [launched, over] = [said("launched"), await ended()];
    await plane.kill("kube-apiserver");
    process.stderr.write(`killed with ${launched} of ${OPERATIONS} operations launched and ${over} ended\n`);
    await seen("opjob notices", () => said("watch cut off") > cuts);
    await plane.start("kube-apiserver");
    return performance.now();
  };
  await stage.queue(TARGET, OPERATIONS);
  await seen("some are launched", () => said("launched") >= 15);
  expect(said("launched")).toBeLessThan(OPERATIONS);
  await outage();
  await seen("some have ended", async () => (await ended()) >= OPERATIONS / 4, 60_000);
  expect(await ended()).toBeLessThan(OPERATIONS);
  const back = await outage();
  await seen("all have ended", async () => (await ended()) === OPERATIONS, 90_000);
  process.stderr.write(`all ended ${Math.round(performance.now() - back)} ms after the second return\n`);

  expect(await db.collection("delegated_ops").distinct("run_state")).toEqual(["completed"]);
  expect([...workers.executions.values()]).toEqual(Array(OPERATIONS).fill(1));
  expect([...workers.jobs.values()].map(({ size }) => size)).toEqual(Array(OPERATIONS).fill(1));
  // Kubernetes' own Job controller makes a second Pod when the answer to the first one's creation is lost: its
  // documentation says so, and a worker that finds its operation running refuses it.
  const pods = [...workers.pods.values()].reduce((sum, { size }) => sum + size, 0);
  expect(pods).toBeLessThan(OPERATIONS * 1.1);
  process.stderr.write(`${pods - OPERATIONS} Pods more than Jobs, by the Job controller\n`);
  const jobs = await stage.jobs();
  expect(new Set(jobs.map(({ metadata }) => metadata.labels["opjob/operation"])).size).toBe(OPERATIONS);
  expect(jobs).toHaveLength(OPERATIONS);
}, 240_000);
