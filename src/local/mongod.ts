// Starts and ends one real mongod, as a replica set of one member or as a standalone, for the demo and the tests.
// Knows mongodb-memory-server, a development dependency; must not know what is stored in the database.
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MongoMemoryServer } from "mongodb-memory-server";
import { type Environment, findMongod, type Say } from "./mongod-binary.ts";
import { becomePrimary, type Credentials, REPLICA_SET, untilPrimary } from "./mongod-replica-set.ts";
import { mongodSources } from "./mongod-sources.ts";

export interface MongodOptions {
  /** true: a replica set of one, which has change streams; false: a standalone, which has none. */
  readonly replicaSet: boolean;
  /** More arguments for mongod. */
  readonly args?: readonly string[];
  /** Data are kept here and left after `stop`; without it they are thrown away. */
  readonly dbPath?: string;
  /** Default: a free one. */
  readonly port?: number;
  /** Access control, with this one user of the role root in fresh data. */
  readonly auth?: Credentials;
  readonly say?: Say;
  /** Default: the process's own. */
  readonly env?: Environment;
}

export interface Mongod {
  /** With the credentials, if there are any. The same after `restart`. */
  readonly uri: string;
  /** The process's id; undefined while it does not run. */
  readonly pid: number | undefined;
  /** Ends it, and removes the data unless a `dbPath` was given. May be called again. */
  stop(): Promise<void>;
  /** SIGKILL, as a crash; the data stay. */
  kill(): Promise<void>;
  /** Ends it if it runs and starts it again on the same port with the same data; waits until it takes writes. */
  restart(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const ARGS = [
  ["--wiredTigerCacheSizeGB", "0.25"],
  ["--setParameter", "diagnosticDataCollectionEnabled=false"],
  ["--nounixsocket"],
  // By default the journal alone is 300 MB on disk, written before the first answer.
  ["--wiredTigerEngineConfigString", "log=(file_max=10MB,prealloc=false)"],
].flat();

/**
 * Starts a mongod on 127.0.0.1 and waits until it takes writes. It ends with this process, however that ends (some
 * seconds after a SIGKILL, and then its data stay in the temporary directory).
 * @throws Error with the remedy if there is no mongod and none can be fetched, or if the development dependencies are missing.
 */
export async function startMongod(options: MongodOptions): Promise<Mongod> {
  const { MongoMemoryServer } = await memoryServer();
  // The environment is read here and not handed down from main: the tests and the demo start it alike, without a configuration.
  const env = options.env ?? process.env;
  const binary = await findMongod({ env, say: options.say, sources: mongodSources(process) });
  const scratch = await mkdtemp(join(tmpdir(), "opjob-mongod-"));
  const server = new MongoMemoryServer({
    binary: { systemBinary: binary.path, version: binary.version },
    instance: await instanceOptions(options, scratch),
    // In a group of its own: Ctrl-C must reach only the one who started it, who then still needs the database to end in order.
    spawn: { detached: true },
    ...(options.auth
      ? { auth: { enable: true, customRootName: options.auth.user, customRootPwd: options.auth.password } }
      : {}),
  });
  try {
    await server.start();
    const host = `127.0.0.1:${server.instanceInfo?.port}`;
    if (options.replicaSet) await becomePrimary(host, options.auth);
    return lifetime(server, { host, scratch, options });
  } catch (cause) {
    await server.stop({ doCleanup: false, force: false });
    await rm(scratch, { recursive: true, force: true });
    throw cause;
  }
}

async function instanceOptions({ replicaSet, args = [], port, auth, dbPath }: MongodOptions, scratch: string) {
  const data = dbPath ?? join(scratch, "data");
  await mkdir(data, { recursive: true });
  const keyfileLocation = join(scratch, "key");
  // Members of a set with access control know each other by a key; this one is alone.
  if (replicaSet && auth) await writeFile(keyfileLocation, "b3Bqb2I=", { mode: 0o600 });
  return {
    ip: "127.0.0.1",
    storageEngine: "wiredTiger" as const,
    dbPath: data,
    args: [...ARGS, ...args],
    launchTimeout: 30_000,
    ...(replicaSet ? { replSet: REPLICA_SET } : {}),
    ...(replicaSet && auth ? { keyfileLocation } : {}),
    ...(port === undefined ? {} : { port, portGeneration: false }),
  };
}

interface Running {
  readonly host: string;
  readonly scratch: string;
  readonly options: MongodOptions;
}

function lifetime(server: MongoMemoryServer, { host, scratch, options }: Running): Mongod {
  const running = () => server.instanceInfo?.instance.mongodProcess;
  const end = async (): Promise<void> => {
    await server.stop({ doCleanup: false, force: false });
  };
  const kill = async (): Promise<void> => {
    const child = running();
    if (child && child.exitCode === null && child.signalCode === null) {
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
    }
    await end();
  };
  const stop = async (): Promise<void> => {
    // What is thrown away need not be written down first: that takes half a second.
    await (options.dbPath ? end() : kill());
    await rm(scratch, { recursive: true, force: true });
  };
  return {
    uri: connectionString(host, options),
    get pid() {
      return running()?.pid;
    },
    stop,
    kill,
    restart: async () => {
      await end();
      await server.start(true);
      if (options.replicaSet) await untilPrimary(host);
    },
    [Symbol.asyncDispose]: stop,
  };
}

function connectionString(host: string, { replicaSet, auth }: MongodOptions): string {
  const login = auth ? `${encodeURIComponent(auth.user)}:${encodeURIComponent(auth.password)}@` : "";
  const query = [...(auth ? ["authSource=admin"] : []), ...(replicaSet ? [`replicaSet=${REPLICA_SET}`] : [])];
  return `mongodb://${login}${host}/${query.length > 0 ? `?${query.join("&")}` : ""}`;
}

async function memoryServer(): Promise<typeof import("mongodb-memory-server")> {
  try {
    return await import("mongodb-memory-server");
  } catch (cause) {
    throw new Error("a local MongoDB needs the development dependencies: npm ci", { cause });
  }
}
