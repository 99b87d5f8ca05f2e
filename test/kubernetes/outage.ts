// A real API server fails in the ways that there are, while operations drain: it dies and comes back, forgets its history, or
// stands still on every connection. Counts what became of each operation, by the workers' own ledger: opjob never sees it.
import { setTimeout as sleep } from "node:timers/promises";
import { startProxy, type TcpProxy } from "./proxy.ts";
import { seen } from "./seen.ts";
import { NAMESPACE, type Stage, setStage } from "./stage.ts";
import { playWorkers, type Workers } from "./worker.ts";

export type OutageOptions = {
  readonly operations: number;
  /** For how long every connection stands still, or the API server is away. */
  readonly freezeSeconds: number;
  /** With opjob's own graces, deadlines and lanes: else with short ones. */
  readonly deployed: boolean;
  readonly say: (line: string) => void;
};

/** Nothing of it may be there, but the times and what the Job controller did. */
export type Toll = {
  /** Operations that have not ended in time, or of which no worker knows. */
  readonly lost: number;
  /** Operations that were executed more than once, or had more than one Job. */
  readonly doubled: number;
  /** Operations that failed: none of them has done so by itself. */
  readonly falselyFailed: number;
  /** Jobs that opjob deleted. */
  readonly deleted: number;
  /**
   * Kubernetes' own Job controller makes a second Pod when the answer to the first one's creation is lost: its documentation says
   * so, and a worker that finds its operation running refuses it.
   */
  readonly extraPods: number;
  /** Since the fault was over (s): until the next operation was launched, and until all had ended. */
  readonly launchedAfter: number;
  readonly endedAfter: number;
};

type Run = {
  readonly stage: Stage;
  readonly options: OutageOptions;
  /** Only the faults at it have one. */
  readonly proxy: () => TcpProxy;
  readonly said: (text: string) => number;
  readonly ended: () => Promise<number>;
  readonly progress: () => Promise<string>;
};

/** What happens, amid the launches. @returns when it was over: performance.now() */
type Fault = (run: Run) => Promise<number>;

const TARGET = "kubernetes-cpu";
const ENDED = { run_state: { $in: ["completed", "failed"] } };
/** Until all have ended, after the last fault. */
const RECOVER_MS = 120_000;
const seconds = (since: number): number => Math.round((performance.now() - since) / 100) / 10;

const FATE = { annotations: { "plane/start-after": "500ms", "plane/run-for": "1s" } };

function settingsOf({ freezeSeconds, deployed }: OutageOptions, name: FaultName): Record<string, string> {
  if (deployed) {
    const graces = { OPJOB_IMAGE_GRACE_SECONDS: "30", OPJOB_RESULT_GRACE_SECONDS: "5" };
    return { ...graces, OPJOB_SWEEP_CRON: "*/30 * * * * *" };
  }
  // So few lanes that a fault meets launches, and a deadline that a freeze is longer than.
  const slowly = { OPJOB_LAUNCH_CONCURRENCY: "8", OPJOB_RESULT_GRACE_SECONDS: "5" };
  const deadline = String(Math.min(30, Math.max(1, Math.floor(freezeSeconds / 2))));
  return AT_PROXY.includes(name) ? { ...slowly, OPJOB_KUBERNETES_TIMEOUT_SECONDS: deadline } : slowly;
}

/** When a fault was over. @throws Error where it met nothing at work */
async function overAmid({ ended, options }: Run): Promise<number> {
  const at = performance.now();
  if ((await ended()) >= options.operations) throw new Error("all had ended before the fault was over");
  return at;
}

async function revive(run: Run, amid: () => Promise<unknown>): Promise<number> {
  const { plane } = run.stage;
  await plane.kill("kube-apiserver");
  await amid();
  await plane.start("kube-apiserver");
  return overAmid(run);
}

const some = (run: Run, share: number): Promise<unknown> =>
  seen("some are launched", () => run.said("launched") >= run.options.operations / share, 60_000);

/** At once, and again when some have ended. */
async function killed(run: Run): Promise<number> {
  const { said, ended, options } = run;
  const outage = async (): Promise<number> => {
    const cuts = said("watch cut off");
    options.say(`killed with ${await run.progress()}`);
    return revive(run, () => seen("opjob notices", () => said("watch cut off") > cuts));
  };
  await some(run, 8);
  await outage();
  await seen("some have ended", async () => (await ended()) >= options.operations / 4, 90_000);
  return outage();
}

/** For long: every connection is refused meanwhile. */
async function away(run: Run): Promise<number> {
  const { options } = run;
  await some(run, 4);
  options.say(`killed with ${await run.progress()}`);
  return revive(run, () => sleep(options.freezeSeconds * 1_000));
}

/** What was watched is in the API server's own memory as well: a new one knows only what etcd still has. */
async function forgotten(run: Run): Promise<number> {
  const { ended, said, options, stage } = run;
  await seen("some run", async () => (await ended()) >= options.operations / 10, 60_000);
  options.say(`history forgotten with ${await run.progress()}`);
  await stage.plane.compact();
  const over = await revive(run, async () => undefined);
  await seen("opjob is told 410", () => said("watch too old: listing anew") > 0, 60_000);
  return over;
}

async function frozen(run: Run): Promise<number> {
  const { said, options } = run;
  const proxy = run.proxy();
  await some(run, 4);
  const [held, cuts] = [said("held"), said("watch cut off")];
  proxy.freeze();
  options.say(`frozen with ${await run.progress()}`);
  const begun = performance.now();
  await seen("it is noticed", () => said("held") > held || said("watch cut off") > cuts, 60_000);
  options.say(`noticed after ${seconds(begun)} s`);
  await sleep(options.freezeSeconds * 1_000 - (performance.now() - begun));
  proxy.thaw();
  return overAmid(run);
}

async function deafened(run: Run): Promise<number> {
  const proxy = run.proxy();
  await some(run, 4);
  const before = proxy.connections();
  proxy.deafen();
  run.options.say(`deafened with ${await run.progress()}`);
  const begun = performance.now();
  await seen("new connections", () => proxy.connections() > before, 60_000);
  run.options.say(`a new connection after ${seconds(begun)} s`);
  await overAmid(run);
  return begun;
}

const FAULTS = { killed, away, forgotten, frozen, deafened } satisfies Record<string, Fault>;
export type FaultName = keyof typeof FAULTS;
export const FAULT_NAMES = Object.keys(FAULTS) as readonly FaultName[];
const AT_PROXY: readonly FaultName[] = ["frozen", "deafened"];

/** Lets operations drain through one of the faults. @throws Error where the fault did not meet them at work */
export async function suffer(name: FaultName, options: OutageOptions): Promise<Toll> {
  let proxy: TcpProxy | undefined;
  const front = async (server: string): Promise<TcpProxy> => {
    proxy = await startProxy(server);
    return proxy;
  };
  await using stage = await setStage(settingsOf(options, name), AT_PROXY.includes(name) ? { front } : {});
  const { admin, db } = stage;
  await stage.orchestrate(TARGET, FATE);
  await using workers = playWorkers(admin, `/api/v1/namespaces/${NAMESPACE}/pods`, db);
  const run = runOf(stage, options, () => {
    if (proxy === undefined) throw new Error("the stage has no proxy");
    return proxy;
  });
  const { operations, say } = options;
  await stage.queue(TARGET, operations);
  const over = await FAULTS[name](run);
  const launched = run.said("launched");
  await seen("the next launch", () => run.said("launched") > launched || launched >= operations, RECOVER_MS);
  const launchedAfter = seconds(over);
  // Of a creation whose answer was lost nothing is said before its Job is found, and that may be at its end.
  const hadJobs = { $or: [{ "opjob.uid": { $exists: true } }, ENDED] };
  const haveJobs = () => db.collection("delegated_ops").countDocuments(hadJobs);
  await seen("all have Jobs", async () => (await haveJobs()) === operations, RECOVER_MS)
    .then(() => say(`the last was launched ${seconds(over)} s after it was over`))
    .catch((error: Error) => say(error.message));
  const inTime = seen("all have ended", async () => (await run.ended()) === operations, RECOVER_MS);
  await inTime.catch(async (error: Error) => say(`${error.message}: ${await run.progress()}`));
  const endedAfter = seconds(over);
  say(`the next was launched ${launchedAfter} s after it was over, and all had ended ${endedAfter} s after`);
  return { ...(await tollOf(run, workers)), launchedAfter, endedAfter };
}

function runOf(stage: Stage, options: OutageOptions, proxy: Run["proxy"]): Run {
  const { daemon, db } = stage;
  const said = (text: string): number => daemon.lines.filter(({ msg }) => msg === text).length;
  const ended = (): Promise<number> => db.collection("delegated_ops").countDocuments(ENDED);
  const progress = async () => `${said("launched")} of ${options.operations} launched and ${await ended()} ended`;
  return { stage, options, proxy, said, ended, progress };
}

type Counts = Omit<Toll, "launchedAfter" | "endedAfter">;

async function tollOf({ stage, options: { operations }, said }: Run, workers: Workers): Promise<Counts> {
  const documents = stage.db.collection("delegated_ops");
  const completed = await documents.distinct("_id", { run_state: "completed" });
  const executed = completed.filter((id) => workers.executions.has(id.toHexString())).length;
  const falselyFailed = await documents.countDocuments({ run_state: "failed" });
  const jobs = new Map<string, Set<string>>([...workers.jobs].map(([id, uids]) => [id, new Set(uids)]));
  for (const { metadata } of await stage.jobs()) {
    const id = metadata.labels["opjob/operation"] ?? "";
    jobs.set(id, (jobs.get(id) ?? new Set()).add(metadata.uid));
  }
  const twice = [...jobs].filter(([id, uids]) => uids.size > 1 || (workers.executions.get(id) ?? 0) > 1);
  const pods = [...workers.pods.values()].reduce((sum, { size }) => sum + size, 0);
  return {
    lost: operations - executed - falselyFailed,
    doubled: twice.length,
    falselyFailed,
    deleted: said("job deleted"),
    extraPods: pods - executed,
  };
}
