// A scene for tests of the whole daemon: a database, a local Kubernetes whose Pods are simulated, and a daemon on both.
// Knows how the three are put together; must not know what a test expects.
import { ObjectId } from "mongodb";
import { operationDocument } from "../src/local/demo/cast.ts";
import type { Allow } from "../src/local/kubernetes/access.ts";
import {
  type LocalKubernetes,
  type LocalKubernetesOptions,
  startLocalKubernetes,
} from "../src/local/kubernetes/server.ts";
import type { OperationDocument } from "../src/operations/operation.ts";
import { closing } from "./left-open.ts";
import { type DaemonUnderTest, daemonUnderTest, register, storeSecret, testConfig, until } from "./local-daemon.ts";
import { type TestDatabase, testDatabase } from "./mongo.ts";

export const TARGET = "kubernetes-cpu";
export const NAMESPACE = "fiftyone";

export type Json = Readonly<Record<string, unknown>>;
export type Job = {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly labels: Record<string, string>;
    readonly annotations: Record<string, string>;
    readonly deletionTimestamp?: string;
  };
  readonly spec: {
    readonly template: { readonly metadata: { readonly labels: Record<string, string> }; readonly spec: Json };
  };
  readonly status?: Json;
};

export type Scene = {
  readonly database: TestDatabase;
  readonly kubernetes: LocalKubernetes;
  readonly daemon: () => DaemonUnderTest;
  readonly start: (environment?: Record<string, string>) => Promise<DaemonUnderTest>;
  readonly queue: (fields?: Partial<OperationDocument> & Json) => Promise<string>;
  readonly read: (id: string) => Promise<OperationDocument & { run_link?: string; result?: { error?: string } | null }>;
  /** Waits until the operation is as wanted. */
  readonly reaches: (
    id: string,
    wanted: string,
    ms?: number,
  ) => Promise<OperationDocument & { result?: { error?: string } | null }>;
  /** Waits until the operation's Job was created and recorded. */
  readonly launched: (id: string, ms?: number) => Promise<OperationDocument>;
  readonly jobs: () => Promise<Job[]>;
  readonly jobOf: (id: string) => Promise<Job | undefined>;
  /** Of the Pod of its Job. @throws Error where it has none */
  readonly podOf: (id: string) => Promise<{ readonly namespace: string; readonly name: string }>;
  [Symbol.asyncDispose](): Promise<void>;
};

/** A template with what a test wants to add to the container and to the Pod. */
export const template = (more: { pod?: string; container?: string; job?: string; name?: string } = {}): string => `
apiVersion: batch/v1
kind: Job
metadata:
  name: ${more.name ?? "{{ _name }}"}
  labels:
    task-id: {{ _id }}
spec:
  backoffLimit: 0
${indent(2, more.job)}
  template:
    spec:
      restartPolicy: Never
${indent(6, more.pod)}
      containers:
      - name: task-worker
        image: ${"local/worker:1"}
        command:
          - {{ _command }}
        args:
        {% for arg in _args %}
          - {{ arg }}
        {% endfor %}
${indent(8, more.container)}
`;

/** The administrator's token, where a scene has accounts at all. */
const ADMIN = "admin-admin-admin";

export type SceneOptions = {
  /** Accounts with less than all rights: by their tokens. */
  readonly accounts?: Readonly<Record<string, { readonly user: string; readonly allow: Allow }>>;
  /** Of a MongoDB other than the shared replica set. */
  readonly uri?: string;
  readonly timing?: LocalKubernetesOptions["timing"];
};

/** Builds a scene with one orchestrator; the daemon is not started yet. */
export async function scene(
  templateText = template(),
  { accounts, uri, timing = {} }: SceneOptions = {},
): Promise<Scene> {
  const closers = new AsyncDisposableStack();
  const database = closers.use(await testDatabase(uri));
  const tokens = accounts && { ...accounts, [ADMIN]: { user: "admin" } };
  const kubernetes = closers.use(
    await startLocalKubernetes({ run: "simulated", namespaces: [NAMESPACE], timing, ...(tokens && { tokens }) }),
  );
  const { db } = database;
  await db.collection("delegated_ops").createIndex({ run_state: 1 });
  await storeSecret(db, "KUBE", kubernetes.kubeconfig(tokens && { token: ADMIN }));
  await register(db, { id: TARGET, template: templateText, secret: "KUBE", config: { namespace: NAMESPACE } });
  const operations = db.collection<OperationDocument>("delegated_ops");
  let running: DaemonUnderTest | undefined;

  const jobs = async (): Promise<Job[]> => {
    const answer = await fetch(`${kubernetes.url}/apis/batch/v1/jobs`, {
      headers: { authorization: `Bearer ${ADMIN}` },
    });
    return ((await answer.json()) as { items: Job[] }).items;
  };
  const read: Scene["read"] = async (id) => {
    const found = await operations.findOne({ _id: new ObjectId(id) });
    if (found === null) throw new Error(`operation ${id} is gone`);
    return found as never;
  };
  return {
    database,
    kubernetes,
    jobs,
    read,
    jobOf: async (id) => (await jobs()).find(({ metadata }) => metadata.labels["opjob/operation"] === id),
    podOf: async (id) => {
      const path = `/api/v1/namespaces/${NAMESPACE}/pods?labelSelector=opjob/operation%3D${id}`;
      const { items } = (await (await fetch(`${kubernetes.url}${path}`)).json()) as { items: Job[] };
      const [pod] = items;
      if (pod === undefined) throw new Error(`operation ${id} has no Pod`);
      return { namespace: NAMESPACE, name: pod.metadata.name };
    },
    daemon: () => {
      if (running === undefined) throw new Error("the daemon is not started");
      return running;
    },
    async start(environment = {}) {
      running = closers.use(await daemonUnderTest(testConfig(database.uri, database.name, environment)));
      const { url } = running;
      await until("the daemon is ready", async () => (await fetch(`${url}/readyz`)).status === 200);
      return running;
    },
    async queue(fields = {}) {
      const params = { fate: "succeed", seconds: 1 } as const;
      const document = operationDocument({ label: "Test", target: TARGET, params, ends: "completed" }, new Date());
      await operations.insertOne({ ...document, ...fields } as never);
      return document._id.toHexString();
    },
    reaches: (id, wanted, ms) =>
      until(
        `operation ${id} is ${wanted}`,
        async () => {
          const operation = await read(id);
          return [operation.run_state, operation.opjob?.phase, operation.opjob?.reason].includes(wanted) && operation;
        },
        ms,
      ),
    launched: (id, ms) =>
      until(
        `operation ${id} is launched`,
        async () => {
          const operation = await read(id);
          return operation.opjob?.timeline?.created !== undefined && operation;
        },
        ms,
      ),
    [Symbol.asyncDispose]: closing("a scene", async () => {
      // What a fault holds up would hold up the daemon's end as well.
      kubernetes.faults.clear();
      await closers.disposeAsync();
    }),
  };
}

function indent(spaces: number, text = ""): string {
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => " ".repeat(spaces) + line)
    .join("\n");
}
