// Makes a fresh or reopened mongod the primary of a replica set of one, with a first user if asked for.
// Knows the server's admin commands; must not know how the process is started or ended.
import { setTimeout as sleep } from "node:timers/promises";
import { type Db, MongoClient, MongoServerError } from "mongodb";

export const REPLICA_SET = "opjob";

const PRIMARY_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 20;

/** Of one user with the role root. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/**
 * Initiates the set, or corrects the member's address in data that once ran on another port, and waits for the primary.
 * @param host "127.0.0.1:port"
 */
export async function becomePrimary(host: string, credentials?: Credentials): Promise<void> {
  const initiated = await initiate(host);
  if (!initiated) await correctHost(host, credentials);
  await untilPrimary(host);
  if (initiated && credentials) await createRoot(host, credentials);
}

/** Waits until the only member takes writes. */
export async function untilPrimary(host: string): Promise<void> {
  const deadline = Date.now() + PRIMARY_WITHIN_MS;
  await using client = direct(host);
  while (Date.now() < deadline) {
    const { isWritablePrimary } = await client.db("admin").command({ hello: 1 });
    if (isWritablePrimary) return;
    await sleep(LOOK_EVERY_MS);
  }
  throw new Error(`the mongod at ${host} did not become primary within ${PRIMARY_WITHIN_MS / 1000} s`);
}

/** false if the data already belong to a set. */
async function initiate(host: string): Promise<boolean> {
  await using client = direct(host);
  try {
    await client.db("admin").command({ replSetInitiate: { _id: REPLICA_SET, members: [{ _id: 0, host }] } });
    return true;
  } catch (cause) {
    // With users in the data, the server asks for a login before it looks whether there is a set.
    if (hasName(cause, "AlreadyInitialized") || hasName(cause, "Unauthorized")) return false;
    throw cause;
  }
}

async function correctHost(host: string, credentials?: Credentials): Promise<void> {
  await using client = direct(host, credentials);
  const admin = client.db("admin");
  const { config } = await admin.command({ replSetGetConfig: 1 });
  if (config.members[0].host === host) return;
  config.members[0].host = host;
  await reconfigure(admin, { ...config, version: config.version + 1 });
}

/** A server that has just started takes its old configuration first, and refuses a new one while it does. */
async function reconfigure(admin: Db, config: object): Promise<void> {
  const deadline = Date.now() + PRIMARY_WITHIN_MS;
  for (;;) {
    try {
      await admin.command({ replSetReconfig: config, force: true });
      return;
    } catch (cause) {
      if (!hasName(cause, "ConfigurationInProgress") || Date.now() > deadline) throw cause;
      await sleep(LOOK_EVERY_MS);
    }
  }
}

/** Creates the first user, which a server with access control allows to a local connection as long as it has none. */
async function createRoot(host: string, { user, password }: Credentials): Promise<void> {
  await using client = direct(host);
  await client.db("admin").command({ createUser: user, pwd: password, roles: ["root"] });
}

function direct(host: string, credentials?: Credentials): MongoClient {
  const auth = credentials && { username: credentials.user, password: credentials.password };
  return new MongoClient(`mongodb://${host}/`, {
    directConnection: true,
    serverSelectionTimeoutMS: PRIMARY_WITHIN_MS,
    ...(auth ? { auth } : {}),
  });
}

function hasName(cause: unknown, name: string): boolean {
  return cause instanceof MongoServerError && cause.codeName === name;
}
