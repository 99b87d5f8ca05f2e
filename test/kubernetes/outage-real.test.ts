// A real API server fails in the ways that there are, while operations drain: it dies and comes back, forgets its history, or
// stands still on every connection. Nothing is lost, doubled, or falsely failed. The ledger is the workers' own: opjob never sees it.
// OPJOB_TEST_OPERATIONS and OPJOB_TEST_FREEZE_SECONDS make it longer than it is for every day.
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "@jest/globals";
import { startProxy, type TcpProxy } from "./proxy.ts";
import { seen } from "./seen.ts";
import { NAMESPACE, type Stage, setStage } from "./stage.ts";
import { playWorkers, type Workers } from "./worker.ts";

const OPERATIONS = Number(process.env["OPJOB_TEST_OPERATIONS"] ?? 500);
const FREEZE_SECONDS = Number(process.env["OPJOB_TEST_FREEZE_SECONDS"] ?? 8);
const TARGET = "kubernetes-cpu";
const ENDED = { run_state: { $in: ["completed", "failed"] } };
/** Until all have ended, after the last fault. */
const RECOVER_MS = 120_000;
const LONGEST_MS = 300_000 + FREEZE_SECONDS * 2_000;

const say = (text: string): void => void process.stderr.write(`${text}\n`);

type Run = {
  readonly stage: Stage;
  readonly said: (text: string) => number;
  readonly ended: () => Promise<number>;
  readonly progress: () => Promise<string>;
};

function runOf(stage: Stage, count: number): Run {
  const { daemon, db } = stage;
  const said = (text: string): number => daemon.lines.filter(({ msg }) => msg === text).length;
  const ended = (): Promise<number> => db.collection("delegated_ops").countDocuments(ENDED);
  const progress = async () => `${said("launched")} of ${count} operations launched and ${await ended()} ended`;
  return { stage, said, ended, progress };
}

/** Waits until all operations have ended, and says how long that took since a moment: performance.now(). */
async function recovered({ ended }: Run, count: number, since: number, what: string): Promise<void> {
  await seen("all have ended", async () => (await ended()) === count, RECOVER_MS);
  say(`all ended ${((performance.now() - since) / 1_000).toFixed(1)} s after ${what}`);
}

async function expectEachOnce({ stage: { db, jobs } }: Run, workers: Workers, count: number): Promise<void> {
  expect(await db.collection("delegated_ops").distinct("run_state")).toEqual(["completed"]);
  expect([...workers.executions.values()]).toEqual(Array(count).fill(1));
  expect([...workers.jobs.values()].map(({ size }) => size)).toEqual(Array(count).fill(1));
  // Kubernetes' own Job controller makes a second Pod when the answer to the first one's creation is lost: its
  // documentation says so, and a worker that finds its operation running refuses it.
  const pods = [...workers.pods.values()].reduce((sum, { size }) => sum + size, 0);
  expect(pods).toBeLessThan(count * 1.1);
  if (pods > count) say(`${pods - count} Pods more than Jobs, by the Job controller`);
  const there = await jobs();
  expect(new Set(there.map(({ metadata }) => metadata.labels["opjob/operation"])).size).toBe(count);
  expect(there).toHaveLength(count);
}

const play = ({ admin, db }: Stage): Workers => playWorkers(admin, `/api/v1/namespaces/${NAMESPACE}/pods`, db);
const FATE = { annotations: { "plane/start-after": "500ms", "plane/run-for": "1s" } };
const SLOWLY = { OPJOB_LAUNCH_CONCURRENCY: "8", OPJOB_RESULT_GRACE_SECONDS: "5" };

test(
  `${OPERATIONS} operations run once each although the API server is killed twice`,
  async () => {
    await using stage = await setStage(SLOWLY);
    const { plane } = stage;
    await stage.orchestrate(TARGET, FATE);
    await using workers = play(stage);
    const run = runOf(stage, OPERATIONS);
    const { said, ended } = run;

    /** @returns when the API server was back: performance.now() */
    const outage = async (): Promise<number> => {
      const cuts = said("watch cut off");
      await plane.kill("kube-apiserver");
      say(`killed with ${await run.progress()}`);
      await seen("opjob notices", () => said("watch cut off") > cuts);
      await plane.start("kube-apiserver");
      return performance.now();
    };
    await stage.queue(TARGET, OPERATIONS);
    await seen("some are launched", () => said("launched") >= OPERATIONS / 8);
    expect(said("launched")).toBeLessThan(OPERATIONS);
    await outage();
    await seen("some have ended", async () => (await ended()) >= OPERATIONS / 4, 90_000);
    expect(await ended()).toBeLessThan(OPERATIONS);
    const back = await outage();
    await recovered(run, OPERATIONS, back, "the second return");
    await expectEachOnce(run, workers, OPERATIONS);
  },
  LONGEST_MS,
);

const FEWER = Math.ceil(OPERATIONS / 5);

test(
  `${FEWER} operations run once each although the API server forgets its history (410)`,
  async () => {
    await using stage = await setStage(SLOWLY);
    const { plane } = stage;
    await stage.orchestrate(TARGET, FATE);
    await using workers = play(stage);
    const run = runOf(stage, FEWER);
    await stage.queue(TARGET, FEWER);
    await seen("some run", async () => (await run.ended()) >= FEWER / 10, 60_000);
    say(`history forgotten with ${await run.progress()}`);
    // What was watched is in the API server's own memory as well: a new one knows only what etcd still has.
    await plane.compact();
    await plane.kill("kube-apiserver");
    await plane.start("kube-apiserver");
    const back = performance.now();
    await seen("opjob is told 410", () => run.said("watch too old: listing anew") > 0, 60_000);
    await recovered(run, FEWER, back, "the API server forgot");
    await expectEachOnce(run, workers, FEWER);
  },
  LONGEST_MS,
);

describe("behind a proxy", () => {
  /** A deadline that a freeze of so many seconds is longer than. */
  const timeout = String(Math.min(30, Math.max(1, Math.floor(FREEZE_SECONDS / 2))));

  async function frozenWith(
    act: (proxy: TcpProxy, run: Run) => Promise<{ readonly since: number; readonly what: string }>,
  ) {
    let proxy: TcpProxy | undefined;
    const front = async (server: string): Promise<TcpProxy> => {
      proxy = await startProxy(server);
      return proxy;
    };
    await using stage = await setStage({ ...SLOWLY, OPJOB_KUBERNETES_TIMEOUT_SECONDS: timeout }, { front });
    if (proxy === undefined) throw new Error("the stage has no proxy");
    await stage.orchestrate(TARGET, FATE);
    await using workers = play(stage);
    const run = runOf(stage, FEWER);
    await stage.queue(TARGET, FEWER);
    await seen("some are launched", () => run.said("launched") >= FEWER / 4);
    const { since, what } = await act(proxy, run);
    await recovered(run, FEWER, since, what);
    await expectEachOnce(run, workers, FEWER);
    const failures = stage.daemon.lines.filter(({ msg }) => msg === "failed" || msg === "job deleted");
    expect(failures).toEqual([]);
  }

  test(
    `${FEWER} operations run once each although every connection stands still for ${FREEZE_SECONDS} s`,
    () =>
      frozenWith(async (proxy, run) => {
        const [held, cuts] = [run.said("held"), run.said("watch cut off")];
        proxy.freeze();
        say(`frozen with ${await run.progress()}`);
        const frozen = performance.now();
        await seen("it is noticed", () => run.said("held") > held || run.said("watch cut off") > cuts, 60_000);
        say(`noticed after ${((performance.now() - frozen) / 1_000).toFixed(1)} s`);
        await sleep(FREEZE_SECONDS * 1_000 - (performance.now() - frozen));
        proxy.thaw();
        return { since: performance.now(), what: "the thaw" };
      }),
    LONGEST_MS,
  );

  test(
    `${FEWER} operations run once each although the connections that there are never answer again`,
    () =>
      frozenWith(async (proxy, run) => {
        const before = proxy.connections();
        proxy.deafen();
        say(`deafened with ${await run.progress()}`);
        const since = performance.now();
        await seen("new connections", () => proxy.connections() > before, 60_000);
        say(`a new connection after ${((performance.now() - since) / 1_000).toFixed(1)} s`);
        return { since, what: "the connections died" };
      }),
    LONGEST_MS,
  );
});
