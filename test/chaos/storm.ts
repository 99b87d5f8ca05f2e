// A storm over real parts: operations drain through real daemons, a real replica set of three and a real control plane, while
// one fault after the other strikes. What became of each operation is read from the workers' own ledger.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { type Db, MongoClient } from "mongodb";
import { Client } from "../kubernetes/client.ts";
import { type Plane, startPlane } from "../kubernetes/plane/plane.ts";
import { ENCRYPTION_KEY, register, storeSecret } from "../local-daemon.ts";
import { queued } from "../operations/documents.ts";
import { random } from "../random.ts";
import { keepLedger, type Ledger } from "./ledger.ts";
import { type ReplicaSet, startReplicaSet } from "./replica-set.ts";

export type StormOptions = {
  readonly operations: number;
  readonly faults: number;
  readonly replicas: number;
  readonly seed: number;
  readonly say: (line: string) => void;
};

export type Toll = {
  readonly faults: Readonly<Record<string, number>>;
  readonly completed: number;
  readonly failed: readonly string[];
  /** Operations that are neither completed nor failed. */
  readonly lost: number;
  /** Operations that were executed more than once, or not at all although they are completed. */
  readonly doubled: readonly string[];
  readonly missing: readonly string[];
  /** Jobs that still live although their operation has ended. */
  readonly leftOver: number;
  readonly refusedPods: number;
  /** Milliseconds from queueing to execution: the median while all is calm, and what the storm adds to it. */
  readonly calm: number;
  readonly delay: { readonly p50: number; readonly p99: number; readonly most: number };
};

const NAMESPACE = "fiftyone";
const TARGET = "kubernetes-cpu";
const DATABASE = "fiftyone";
const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`;
const JOBS = `/apis/batch/v1/namespaces/${NAMESPACE}/jobs`;
const CALM = 30;
/** All must have ended so long after the last fault (ms). */
const END_WITHIN = 300_000;

const TEMPLATE = JSON.stringify(
  {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: "{{ _name }}" },
    spec: {
      backoffLimit: 0,
      ttlSecondsAfterFinished: 30,
      template: {
        metadata: { annotations: { "plane/hang": "", "plane/start-after": "100ms" } },
        spec: {
          restartPolicy: "Never",
          containers: [{ name: "worker", image: "test/worker:1", command: ["{{ _command }}"] }],
        },
      },
    },
  },
  undefined,
  1,
);

type Scene = {
  readonly plane: Plane;
  readonly set: ReplicaSet;
  readonly db: Db;
  readonly daemons: Daemon[];
  readonly draw: () => number;
};

/** A daemon that is started again whenever it is gone. */
type Daemon = { child: ChildProcess; readonly start: () => void };

export async function storm(options: StormOptions): Promise<Toll> {
  const { say } = options;
  await using closers = new AsyncDisposableStack();
  const plane = closers.use(await startPlane({ level: "kwok" }));
  const set = closers.use(await startReplicaSet());
  const admin = closers.adopt(new Client(plane.kubeconfig()), (client) => client.close());
  const client = closers.use(await MongoClient.connect(set.uri));
  const db = client.db(DATABASE);
  await furnish(admin, db, plane);
  const ledger = closers.use(keepLedger({ client: admin, path: PODS, db, workMs: 500 }));
  const scene: Scene = { plane, set, db, draw: random(options.seed), daemons: [] };
  closers.defer(() => stopDaemons(scene));
  for (let i = 0; i < options.replicas; i++) scene.daemons.push(daemonOn(set.uri));

  const before = await queueCalmly(db);
  await ended(db, CALM, END_WITHIN);
  const calm = quantile(delays(before, ledger), 0.5);
  say(`calm: ${calm.toFixed(0)} ms from queueing to execution (median of ${CALM})`);
  const queueing = queueOverTime(db, options);
  const faults = await strike(scene, options);
  const after = await queueing;
  await ended(db, CALM + options.operations, END_WITHIN);
  return judge({ db, admin, ledger }, { faults, calm, ids: after });
}

async function furnish(admin: Client, db: Db, plane: Plane): Promise<void> {
  const { code, text } = await admin.send("POST", "/api/v1/namespaces", { body: { metadata: { name: NAMESPACE } } });
  if (code !== 201) throw new Error(text);
  await db.collection("delegated_ops").createIndex({ run_state: 1 });
  await storeSecret(db, "KUBE", plane.kubeconfig());
  await register(db, { id: TARGET, template: TEMPLATE, secret: "KUBE", config: { namespace: NAMESPACE } });
}

function daemonOn(uri: string): Daemon {
  const env = {
    PATH: process.env["PATH"],
    FIFTYONE_DATABASE_URI: uri,
    FIFTYONE_DATABASE_NAME: DATABASE,
    FIFTYONE_ENCRYPTION_KEY: ENCRYPTION_KEY,
    OPJOB_HTTP_HOST: "127.0.0.1",
    OPJOB_HTTP_PORT: "0",
    OPJOB_INSTANCE: "storm",
    OPJOB_KUBERNETES_TIMEOUT_SECONDS: "10",
    OPJOB_RESULT_GRACE_SECONDS: "15",
    OPJOB_SWEEP_CRON: "*/10 * * * * *",
    OPJOB_LOG_LEVEL: "warn",
  };
  const start = (): ChildProcess => spawn(process.execPath, ["src/main.ts", "daemon"], { env, stdio: "ignore" });
  const daemon: Daemon = {
    child: start(),
    start: () => {
      daemon.child = start();
    },
  };
  return daemon;
}

async function stopDaemons({ daemons }: Scene): Promise<void> {
  for (const { child } of daemons) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill("SIGKILL");
    await once(child, "exit");
  }
}

type Queued = { readonly id: string; readonly at: number };

async function queue(db: Db, count: number): Promise<Queued[]> {
  const at = Date.now();
  const documents = Array.from({ length: count }, () =>
    queued({ delegation_target: TARGET, queued_at: new Date(at), metadata: {} }),
  );
  for (let tries = 0; ; tries++) {
    try {
      await db.collection("delegated_ops").insertMany(documents, { ordered: false });
      break;
    } catch (error) {
      // Some may be in already; a user's program would not know, either.
      if ((error as { code?: number }).code === 11_000) break;
      if (tries > 60) throw error;
      await sleep(500);
    }
  }
  return documents.map(({ _id }) => ({ id: _id.toHexString(), at }));
}

/** The first ones find daemons that are still starting: they only wake them. */
async function queueCalmly(db: Db): Promise<Queued[]> {
  const all: Queued[] = [];
  for (let i = 0; i < CALM; i++) {
    all.push(...(await queue(db, 1)));
    if (i === 0) await ended(db, 1, END_WITHIN);
    else await sleep(300);
  }
  return all.slice(1);
}

/** Spread over the storm: there is always something on its way. */
async function queueOverTime(db: Db, { operations, faults }: StormOptions): Promise<Queued[]> {
  const portions = Math.max(1, faults);
  const all: Queued[] = [];
  for (let i = 0; i < portions; i++) {
    const count = Math.floor((operations * (i + 1)) / portions) - all.length;
    if (count > 0) all.push(...(await queue(db, count)));
    await sleep(BETWEEN_MS / 2);
  }
  return all;
}

const BETWEEN_MS = 4_000;

type Fault = (scene: Scene) => Promise<void>;

const between = ({ draw }: Scene, least: number, most: number): number => least + draw() * (most - least);
const anyDaemon = ({ daemons, draw }: Scene): Daemon => daemons[Math.floor(draw() * daemons.length)] as Daemon;

const endDaemon =
  (signal: "SIGKILL" | "SIGTERM"): Fault =>
  async (scene) => {
    const daemon = anyDaemon(scene);
    const gone = once(daemon.child, "exit");
    daemon.child.kill(signal);
    await gone;
    await sleep(between(scene, 0, 2_000));
    daemon.start();
  };

const freezeDaemon =
  (least: number, most: number): Fault =>
  async (scene) => {
    const { child } = anyDaemon(scene);
    child.kill("SIGSTOP");
    await sleep(between(scene, least, most));
    child.kill("SIGCONT");
  };

const killPart =
  (part: "kube-apiserver" | "kube-controller-manager" | "kube-scheduler"): Fault =>
  async (scene) => {
    await scene.plane.kill(part);
    await sleep(between(scene, 0, 2_000));
    await scene.plane.start(part);
  };

const FAULTS: Readonly<Record<string, Fault>> = {
  "daemon killed": endDaemon("SIGKILL"),
  "daemon stopped": endDaemon("SIGTERM"),
  "daemon frozen": freezeDaemon(2_000, 12_000),
  "primary stepped down": async ({ set }) => (await set.primary()).stepDown(5),
  "primary killed": async (scene) => (await scene.set.primary()).crash(between(scene, 500, 4_000)),
  "primary frozen": async (scene) => (await scene.set.primary()).freeze(between(scene, 4_000, 10_000)),
  "secondary frozen": async (scene) => (await scene.set.secondary()).freeze(between(scene, 2_000, 6_000)),
  "API server killed": killPart("kube-apiserver"),
  "API server frozen": async (scene) => {
    const pid = scene.plane.pid("kube-apiserver");
    if (pid === undefined) return;
    process.kill(pid, "SIGSTOP");
    await sleep(between(scene, 2_000, 12_000));
    process.kill(pid, "SIGCONT");
  },
  "controllers killed": killPart("kube-controller-manager"),
  "scheduler killed": killPart("kube-scheduler"),
  "history forgotten": ({ plane }) => plane.compact().catch(() => undefined),
};

/** Once in a storm a daemon stands still for half a minute, as a machine that is moved does. */
const LONG_FREEZE = freezeDaemon(30_000, 30_000);

async function strike(scene: Scene, { faults, say }: StormOptions): Promise<Record<string, number>> {
  const struck: Record<string, number> = {};
  const names = Object.keys(FAULTS);
  for (let i = 0; i < faults; i++) {
    // Each kind once, and then as it comes.
    const long = faults >= 10 && i === Math.floor(faults / 2);
    const name = long
      ? "daemon frozen for 30 s"
      : (names[i < names.length ? i : Math.floor(scene.draw() * names.length)] ?? "");
    struck[name] = (struck[name] ?? 0) + 1;
    say(`${i + 1}: ${name}`);
    await (long ? LONG_FREEZE(scene) : FAULTS[name]?.(scene));
    await sleep(between(scene, BETWEEN_MS / 4, BETWEEN_MS));
  }
  return struck;
}

async function ended(db: Db, count: number, withinMs: number): Promise<void> {
  const end = Date.now() + withinMs;
  const filter = { run_state: { $in: ["completed", "failed"] } };
  const reached = async (): Promise<boolean> =>
    (await db
      .collection("delegated_ops")
      .countDocuments(filter)
      .catch(() => 0)) >= count;
  while (!(await reached())) {
    if (Date.now() > end) return;
    await sleep(200);
  }
}

const quantile = (values: readonly number[], q: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))] ?? Number.NaN;

const delays = (ids: readonly Queued[], { began }: Ledger): number[] =>
  ids.flatMap(({ id, at }) => {
    const begun = began.get(id);
    return begun === undefined ? [] : [begun - at];
  });

type Judged = { readonly faults: Record<string, number>; readonly calm: number; readonly ids: readonly Queued[] };

async function judge(
  { db, admin, ledger }: { readonly db: Db; readonly admin: Client; readonly ledger: Ledger },
  { faults, calm, ids }: Judged,
): Promise<Toll> {
  const leftOver = await tidied(admin);
  const documents = await db.collection("delegated_ops").find().toArray();
  const state = new Map(documents.map((document) => [String(document["_id"]), document]));
  const failed = documents.filter(({ run_state }) => run_state === "failed");
  const late = delays(ids, ledger).map((ms) => Math.max(0, ms - calm));
  const done = ids.filter(({ id }) => state.get(id)?.["run_state"] === "completed").map(({ id }) => id);
  return {
    faults,
    completed: done.length,
    failed: failed.map(({ _id, result }) => `${String(_id)}: ${String(result?.error)}`),
    lost: ids.length - done.length - failed.length,
    doubled: [...ledger.executed].filter(([, pods]) => pods.length > 1).map(([id]) => id),
    missing: done.filter((id) => !ledger.executed.has(id)),
    leftOver,
    refusedPods: ledger.refused(),
    calm,
    delay: { p50: quantile(late, 0.5), p99: quantile(late, 0.99), most: Math.max(...late) },
  };
}

/** How many Jobs still live when all had a minute to end. */
async function tidied(admin: Client): Promise<number> {
  const end = Date.now() + 60_000;
  for (;;) {
    const { code, body } = await admin.send("GET", JOBS);
    const live = code === 200 ? body.items.filter(({ status }) => !status.conditions?.some(isEnd)).length : Number.NaN;
    if (live === 0 || Date.now() > end) return live;
    await sleep(500);
  }
}

const isEnd = ({ type, status }: { readonly type: string; readonly status: string }): boolean =>
  (type === "Complete" || type === "Failed") && status === "True";
