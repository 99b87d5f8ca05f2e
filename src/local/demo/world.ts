// The demo's world: an embedded MongoDB and a local Kubernetes, with orchestrators, secrets and queued operations in them.
// Everything listens on loopback only, and ends with its closers.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Db, MongoClient } from "mongodb";
import { encryptToken, fernetKey } from "../../orchestrators/fernet.ts";
import { type LocalKubernetes, startLocalKubernetes } from "../kubernetes/server.ts";
import { startMongod } from "../mongod.ts";
import { CAST, type CastOperation, CPU, GPU, operationDocument, recordOf, TYPO } from "./cast.ts";

export type World = {
  readonly db: Db;
  readonly databaseUri: string;
  readonly kubernetes: LocalKubernetes;
  readonly kubeconfigFile: string;
  /** The settings, for a shell. */
  readonly settingsFile: string;
  /** The database, its key and the worker's command, as settings of the daemon. */
  readonly settings: Readonly<Record<string, string>>;
};

const DATABASE = "fiftyone";
const NAMESPACE = "fiftyone";
/** The image that the local cluster "has": its containers run as processes of this machine. */
const IMAGE = "local/fiftyone-worker:1";

export type WorldOptions = {
  /** Encrypts the kubeconfigs. */
  readonly key: string;
  readonly say: (line: string) => void;
  /** Where opjob's entry lies: the worker and the templates are found from there. */
  readonly entry: URL;
};

/** Builds the world; whatever was started is in `closers` also when a later step fails. */
export async function buildWorld(closers: AsyncDisposableStack, { key, say, entry }: WorldOptions): Promise<World> {
  const mongod = closers.use(await startMongod({ replicaSet: true, say }));
  const client = await MongoClient.connect(mongod.uri);
  closers.defer(() => client.close());
  const db = client.db(DATABASE);
  const kubernetes = closers.use(await startKubernetes());
  const folder = await mkdtemp(join(tmpdir(), "opjob-demo-"));
  closers.defer(() => rm(folder, { recursive: true, force: true }));
  const kubeconfigFile = join(folder, "kubeconfig");
  const settingsFile = join(folder, "settings.sh");
  await writeFile(kubeconfigFile, kubernetes.kubeconfig({ namespace: NAMESPACE }), { mode: 0o600 });

  await furnish(kubernetes, mongod.uri);
  await register(db, kubernetes, { key, entry });
  const worker = fileURLToPath(new URL(`./local/demo/worker${entry.pathname.slice(-3)}`, entry));
  const settings = {
    FIFTYONE_DATABASE_URI: mongod.uri,
    FIFTYONE_DATABASE_NAME: DATABASE,
    FIFTYONE_ENCRYPTION_KEY: key,
    OPJOB_WORKER_COMMAND: process.execPath,
    OPJOB_WORKER_ARGS: JSON.stringify([worker, "{operation}"]),
  };
  const lines = Object.entries(settings).map(([name, value]) => `export ${name}='${value.replaceAll("'", "'\\''")}'\n`);
  await writeFile(settingsFile, lines.join(""), { mode: 0o600 });
  return { db, databaseUri: mongod.uri, kubernetes, kubeconfigFile, settingsFile, settings };
}

/** Queues the whole cast, as FiftyOne does; returns each with its document's id. */
export async function queueCast(db: Db): Promise<{ readonly operation: CastOperation; readonly id: string }[]> {
  const documents = CAST.map((operation) => operationDocument(operation, new Date()));
  await db.collection("delegated_ops").insertMany(documents);
  return CAST.map((operation, i) => ({ operation, id: documents[i]?._id.toHexString() ?? "" }));
}

function startKubernetes(): Promise<LocalKubernetes> {
  return startLocalKubernetes({
    run: "process",
    namespaces: [NAMESPACE],
    // Room for two GPU operations: the third waits, and says why.
    capacity: { "nvidia.com/gpu": "2" },
  });
}

/** What a team has in its cluster already: the Secret that the templates refer to; and an image that was never pushed. */
async function furnish(kubernetes: LocalKubernetes, databaseUri: string): Promise<void> {
  kubernetes.faults.refuseImage(/wroker/);
  const secret = { "database-uri": databaseUri, "encryption-key": "not-used-by-the-demo" };
  await kubernetes.createSecret(NAMESPACE, "fiftyone-secrets", secret);
}

async function register(
  db: Db,
  kubernetes: LocalKubernetes,
  { key, entry }: Pick<WorldOptions, "key" | "entry">,
): Promise<void> {
  const now = new Date();
  const token = (text: string) => Buffer.from(encryptToken(fernetKey(key), text, now.getTime()));
  // Our own templates, but with room for a demo and not for a model.
  const template = async (name: string): Promise<string> => {
    const text = await readFile(new URL(`../templates/${name}.yaml.j2`, entry), "utf8");
    const small = text.replaceAll(/memory: \d+Gi/g, "memory: 320Mi");
    return `data:text/yaml;base64,${Buffer.from(small).toString("base64")}`;
  };
  const secretOf = (id: string) => `KUBE_CONFIG_${id.replaceAll("-", "_").toUpperCase()}`;
  const records = [
    { id: CPU, template: await template("cpu"), image: IMAGE },
    { id: GPU, template: await template("gpu"), image: IMAGE },
    { id: TYPO, template: await template("cpu"), image: "local/fiftyone-wroker:1" },
  ];
  await db.collection("secrets").insertMany(
    records.map(({ id }) => ({
      key: secretOf(id),
      value: token(kubernetes.kubeconfig({ namespace: NAMESPACE })),
      created_at: now,
    })),
  );
  await db
    .collection("orchestrators")
    .insertMany(records.map((record) => recordOf({ ...record, secret: secretOf(record.id) }, now)));
}
