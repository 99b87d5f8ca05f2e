// kill -9 of the daemon at random moments while 200 operations drain: each runs exactly once.
// The ledger is the workers' own: each start and each execution is a document that opjob never sees.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { operationDocument } from "../../src/local/demo/cast.ts";
import { startLocalKubernetes } from "../../src/local/kubernetes/server.ts";
import { ENCRYPTION_KEY, register, storeSecret, until } from "../local-daemon.ts";
import { testDatabase } from "../mongo.ts";
import { random } from "../random.ts";

const OPERATIONS = 200;
const KILLS = 20;
const TARGET = "kubernetes-cpu";

const TEMPLATE = `
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ _name }}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: task-worker
        image: local/worker:1
        command: [{{ _command }}]
        args:
        {% for arg in _args %}
          - {{ arg }}
        {% endfor %}
`;

test(`each of ${OPERATIONS} operations runs exactly once while the daemon is killed ${KILLS} times`, async () => {
  const seed = Number(process.env["SEED"] ?? Date.now() % 1_000_000);
  process.stderr.write(`SEED=${seed}\n`);
  const draw = random(seed);
  await using database = await testDatabase();
  const { db, uri, name } = database;
  const folder = await mkdtemp(join(tmpdir(), "opjob-kill-"));
  await using kubernetes = await startLocalKubernetes({
    run: "process",
    namespaces: ["fiftyone"],
    capacity: { pods: "6" },
    env: { FIFTYONE_DATABASE_URI: uri, FIFTYONE_DATABASE_NAME: name },
  });
  // Launching takes the most of all lives, so that kills fall into it: before, while and after a Job is created.
  kubernetes.faults.slow(40, { verb: "create", resource: "jobs" });
  await storeSecret(db, "KUBE", kubernetes.kubeconfig());
  await register(db, { id: TARGET, template: TEMPLATE, secret: "KUBE", config: { namespace: "fiftyone" } });
  const cast = Array.from({ length: OPERATIONS }, (_, i) =>
    operationDocument(
      { label: `Operation ${i}`, target: TARGET, ends: "completed", params: { fate: "succeed", seconds: 0 } },
      new Date(),
    ),
  );
  await db.collection("delegated_ops").insertMany(cast);

  const environment = {
    PATH: process.env["PATH"],
    FIFTYONE_DATABASE_URI: uri,
    FIFTYONE_DATABASE_NAME: name,
    FIFTYONE_ENCRYPTION_KEY: ENCRYPTION_KEY,
    OPJOB_HTTP_PORT: "0",
    OPJOB_WORKER_COMMAND: process.execPath,
    OPJOB_WORKER_ARGS: JSON.stringify([join(import.meta.dirname, "ledger-worker.mjs"), "{operation}"]),
    OPJOB_LAUNCH_CONCURRENCY: "1",
    OPJOB_SWEEP_CRON: "*/5 * * * * *",
  };
  /** What each daemon wrote, life by life. */
  const output: string[] = [];
  const start = (): ChildProcess => {
    const child = spawn(process.execPath, ["src/main.ts", "daemon"], {
      env: environment,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const life = output.push("") - 1;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        output[life] += chunk.toString();
      });
    }
    return child;
  };
  const ended = () => db.collection("delegated_ops").countDocuments({ run_state: { $in: ["completed", "failed"] } });
  let kills = 0;
  try {
    while (kills < KILLS) {
      const child = start();
      const life = output.length - 1;
      // One life in four ends while it starts, the others in the middle of their work.
      if (draw() < 0.75) await until("a daemon is at work", () => output[life]?.includes("first scan done"), 30_000);
      await new Promise((resolve) => setTimeout(resolve, draw() * 700));
      child.kill("SIGKILL");
      await once(child, "exit");
      kills++;
    }
    const endedAtLastKill = await ended();
    expect(endedAtLastKill).toBeLessThan(OPERATIONS);
    const last = start();
    await until("all operations ended", async () => (await ended()) === OPERATIONS, 240_000);
    last.kill("SIGTERM");
    const [code] = (await once(last, "exit")) as [number];
    expect(code).toBe(0);
    const lives = output.slice(0, KILLS).filter((text) => text.includes('"msg":"launched"')).length;
    process.stderr.write(
      `${kills} kills, ${lives} amid launches; ${endedAtLastKill} of ${OPERATIONS} ended at the last\n`,
    );
    expect(lives).toBeGreaterThanOrEqual(KILLS / 4);
  } catch (error) {
    const file = join(folder, "daemon.log");
    writeFileSync(file, output.join(""));
    throw new Error(`seed ${seed}; the daemons' output is in ${file}`, { cause: error });
  }
  const states = await db.collection("delegated_ops").distinct("run_state");
  expect(states).toEqual(["completed"]);
  const ledger = await db.collection<{ operation: string; act: string }>("ledger").find().toArray();
  const executed = ledger.filter(({ act }) => act === "executed").map(({ operation }) => operation);
  expect(executed.toSorted()).toEqual(cast.map(({ _id }) => _id.toHexString()).toSorted());
  // Not only executed once: no second worker was ever started.
  expect(ledger.filter(({ act }) => act === "started")).toHaveLength(OPERATIONS);
  await rm(folder, { recursive: true });
});
