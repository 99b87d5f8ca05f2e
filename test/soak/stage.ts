// What the soak's parts share: one mongod and a local Kubernetes whose Jobs end by themselves, databases in which an orchestrator is
// registered, and the daemon as the image starts it. Measures nothing.
import { setTimeout as sleep } from "node:timers/promises";
import { type Db, type Document, MongoClient } from "mongodb";
import { operationDocument } from "../../src/local/demo/cast.ts";
import { startLocalKubernetes } from "../../src/local/kubernetes/server.ts";
import { startMongod } from "../../src/local/mongod.ts";
import { ENCRYPTION_KEY, register, storeSecret } from "../local-daemon.ts";
import { type Sample, startWatched, type WatchedDaemon } from "./watched-daemon.ts";

export type Scene = { readonly db: Db; readonly start: () => Promise<WatchedDaemon> };

export type Stage = AsyncDisposable & {
  /** Another database, with a daemon of its own. */
  readonly scene: (name: string) => Promise<Scene>;
};

const TARGET = "kubernetes-cpu";
/** As the image and the Deployment start it, but that it can be told to collect its garbage. */
const SIZES = ["--max-semi-space-size=8", "--max-old-space-size=384"];
const NODE = [...SIZES, "--expose-gc", "--import", "./test/soak/collect.mjs", "dist/main.js"];
/** No part takes longer than this (ms). */
const LONGEST = 1_800_000;
/** As FiftyOne makes them (contract); opjob makes none. */
const INDEXES = ["operator", "updated_at", "run_state", "parent_id"];

const TEMPLATE = `
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ _name }}
spec:
  backoffLimit: 0
  ttlSecondsAfterFinished: 1
  template:
    metadata:
      annotations: { local/run-for-ms: "700" }
    spec:
      restartPolicy: Never
      containers:
        - { name: worker, image: "local/worker:1", command: ["{{ _command }}"] }
`;

export const say = (text: string): void => void process.stdout.write(`${text}\n`);

export const operation = (fields: Document = {}): Document => ({
  ...operationDocument(
    { label: "Soak", target: TARGET, ends: "completed", params: { fate: "succeed", seconds: 1 } },
    new Date(),
  ),
  ...fields,
});

export async function queue(db: Db, count: number): Promise<Document[]> {
  const documents = Array.from({ length: count }, () => operation());
  await db.collection("delegated_ops").insertMany(documents, { ordered: false });
  return documents;
}

export async function until(what: string, reached: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + LONGEST;
  while (!(await reached())) {
    if (Date.now() > end) throw new Error(`not reached: ${what}`);
    await sleep(50);
  }
}

export const show = ({ heapMb, rssMb, descriptors, lanes, jobs }: Sample): string =>
  `heap ${heapMb.toFixed(0)} MB, RSS ${rssMb.toFixed(0)} MB, ${descriptors} descriptors, ${lanes} lanes, ${jobs} Jobs observed`;

export async function openStage(): Promise<Stage> {
  const closers = new AsyncDisposableStack();
  const mongod = closers.use(await startMongod({ replicaSet: true, args: ["--oplogSize", "200"], say }));
  const kubernetes = closers.use(
    await startLocalKubernetes({
      run: "simulated",
      namespaces: ["fiftyone"],
      capacity: { cpu: "1000000", memory: "4000Ti", pods: "1000000" },
    }),
  );
  const client = closers.use(await MongoClient.connect(mongod.uri));
  const scene = async (name: string): Promise<Scene> => {
    const db = client.db(name);
    for (const field of INDEXES) await db.collection("delegated_ops").createIndex({ [field]: 1 });
    await storeSecret(db, "KUBE", kubernetes.kubeconfig());
    await register(db, { id: TARGET, template: TEMPLATE, secret: "KUBE", config: { namespace: "fiftyone" } });
    const environment = {
      PATH: process.env["PATH"] ?? "",
      FIFTYONE_DATABASE_URI: mongod.uri,
      FIFTYONE_DATABASE_NAME: name,
      FIFTYONE_ENCRYPTION_KEY: ENCRYPTION_KEY,
      OPJOB_HTTP_HOST: "127.0.0.1",
      OPJOB_HTTP_PORT: "0",
      OPJOB_LOG_LEVEL: "info",
    };
    return { db, start: () => startWatched(environment, NODE) };
  };
  return { scene, [Symbol.asyncDispose]: () => closers.disposeAsync() };
}
