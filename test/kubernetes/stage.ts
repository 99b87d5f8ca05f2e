// A control plane and a database on which the real daemon works, with no more rights than deploy/role.yaml gives.
// Knows how the three are joined; must not know what a test expects.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Db, ObjectId } from "mongodb";
import { parseAllDocuments } from "yaml";
import { type DaemonUnderTest, daemonUnderTest, register, storeSecret, testConfig } from "../local-daemon.ts";
import { type TestDatabase, testDatabase } from "../mongo.ts";
import { queued } from "../operations/documents.ts";
import { Client, type Thing } from "./client.ts";
import { type Plane, startPlane } from "./plane/plane.ts";
import type { Level } from "./plane/settings.ts";
import { seen } from "./seen.ts";

export const NAMESPACE = "fiftyone";
const SECRET = "KUBE_CONFIG";

export type Fate = {
  /** Of the Job. */
  readonly metadata?: object;
  readonly job?: object;
  /** Of the Pod. */
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly pod?: object;
  readonly container?: object;
};

/** All but the daemon. */
export type Setting = {
  readonly plane: Plane;
  readonly db: Db;
  /** Of the database's server. */
  readonly uri: string;
  /** Asks as the administrator. */
  readonly admin: Client;
  /** Registers an orchestrator of this name whose Jobs meet this fate, or are made of this template. */
  readonly orchestrate: (name: string, fate: Fate | string, namespace?: string) => Promise<void>;
  /** Makes a namespace with what opjob asks its users for. */
  readonly furnish: (namespace: string) => Promise<void>;
  /** Queues operations for an orchestrator. */
  readonly queue: (name: string, count?: number) => Promise<ObjectId[]>;
  readonly jobs: () => Promise<readonly Thing[]>;
  /** The one Job of an operation, if it is there. */
  readonly jobOf: (operation: ObjectId) => Promise<Thing | undefined>;
  readonly podsOf: (operation: ObjectId) => Promise<readonly Thing[]>;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

export type Stage = Setting & { readonly daemon: DaemonUnderTest };

const JOBS = `/apis/batch/v1/namespaces/${NAMESPACE}/jobs`;
const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`;

/** What stands before the API server, for the daemon alone. */
export type Front = (server: string) => Promise<{ readonly url: string } & AsyncDisposable>;

export type StageOptions = {
  readonly level?: Level;
  readonly front?: Front;
  /** Of a database server; default: the one that jest has started. */
  readonly uri?: string;
};

export async function setStage(environment: Record<string, string> = {}, options: StageOptions = {}): Promise<Stage> {
  const setting = await setScene(options);
  const stack = new AsyncDisposableStack();
  stack.use(setting);
  try {
    const { uri, db } = setting;
    const daemon = stack.use(await daemonUnderTest(testConfig(uri, db.databaseName, environment)));
    return { ...setting, daemon, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

/** Everything but a daemon, for tests that start their own. */
export async function setScene({ level = "kwok", front, uri: server }: StageOptions = {}): Promise<Setting> {
  const stack = new AsyncDisposableStack();
  try {
    const plane = stack.use(await startPlane({ level, users: ["opjob"] }));
    const admin = stack.adopt(new Client(plane.kubeconfig()), (client) => client.close());
    await furnish(admin, NAMESPACE);
    const database: TestDatabase = stack.use(await testDatabase(server));
    const { db, uri } = database;
    const { url } = front ? stack.use(await front(plane.server)) : { url: plane.server };
    await storeSecret(db, SECRET, plane.kubeconfig("opjob").replaceAll(plane.server, url));
    const labelled = async (path: string, operation: ObjectId): Promise<readonly Thing[]> => {
      const query = { labelSelector: `opjob/operation=${operation.toHexString()}` };
      return (await admin.send("GET", path, { query })).body.items;
    };
    return {
      plane,
      db,
      uri,
      admin,
      orchestrate: (id, fate, namespace = NAMESPACE) =>
        register(db, {
          id,
          template: typeof fate === "string" ? fate : templateOf(fate),
          secret: SECRET,
          config: { namespace },
        }),
      furnish: (namespace) => furnish(admin, namespace),
      queue: async (target, count = 1) => {
        const documents = Array.from({ length: count }, () =>
          queued({ delegation_target: target, queued_at: new Date() }),
        );
        await db.collection("delegated_ops").insertMany(documents);
        return documents.map(({ _id }) => _id);
      },
      jobs: async () => (await admin.send("GET", JOBS)).body.items,
      jobOf: async (operation) => (await labelled(JOBS, operation))[0],
      podsOf: (operation) => labelled(PODS, operation),
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

/** A namespace, and in it the rights that opjob asks its users for: nothing more. */
export async function furnish(admin: Client, namespace: string): Promise<void> {
  const create = async (path: string, body: object): Promise<void> => {
    const { code, text } = await admin.send("POST", path, { body });
    if (code !== 201) throw new Error(text);
  };
  await create("/api/v1/namespaces", { metadata: { name: namespace } });
  const account = `/api/v1/namespaces/${namespace}/serviceaccounts/default`;
  await seen("the service account", async () => (await admin.send("GET", account)).code === 200);
  const rights = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
  const apiGroup = "rbac.authorization.k8s.io";
  for (const file of ["role.yaml", "role-lease.yaml"]) {
    const [role] = parseAllDocuments(readFileSync(join("deploy", file), "utf8")).map((document) => document.toJS());
    const { metadata, rules } = role as RoleFile;
    await create(`${rights}/roles`, { metadata, rules });
    await create(`${rights}/rolebindings`, {
      metadata,
      roleRef: { kind: "Role", name: metadata.name, apiGroup },
      subjects: [{ kind: "User", name: "opjob", apiGroup }],
    });
  }
}

type RoleFile = { readonly metadata: { readonly name: string }; readonly rules: unknown };

/** A template as a team could write it; JSON is YAML. Indented, so that no two braces meet that Jinja2 would read. */
function templateOf({
  metadata = {},
  job = {},
  annotations = {},
  labels = {},
  pod = {},
  container = {},
}: Fate): string {
  const worker = { name: "worker", image: "test/worker:1", command: ["{{ _command }}"], ...container };
  const manifest = {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: "{{ _name }}", ...metadata },
    spec: {
      backoffLimit: 0,
      ...job,
      template: { metadata: { annotations, labels }, spec: { restartPolicy: "Never", containers: [worker], ...pod } },
    },
  };
  return JSON.stringify(manifest, undefined, 1);
}
