// A real replica set of three mongods on this machine, whose members can be killed, frozen and made to step down.
// Knows processes and the server's admin commands; nothing of what is stored.
import { setTimeout as sleep } from "node:timers/promises";
import { MongoClient } from "mongodb";
import { type Mongod, startMongod } from "../../src/local/mongod.ts";

export type ReplicaSet = AsyncDisposable & {
  readonly uri: string;
  /** The member that takes writes now. @throws Error if none does within a minute */
  readonly primary: () => Promise<Member>;
  readonly secondary: () => Promise<Member>;
};

export type Member = {
  readonly host: string;
  /** Steps down, and is not elected for so many seconds. */
  readonly stepDown: (seconds: number) => Promise<void>;
  /** SIGKILL, and a start with the same data after so many milliseconds. */
  readonly crash: (ms: number) => Promise<void>;
  /** SIGSTOP, and SIGCONT after so many milliseconds: to the others it is cut off. */
  readonly freeze: (ms: number) => Promise<void>;
};

const NAME = "storm";
const MEMBERS = 3;
const PRIMARY_WITHIN_MS = 60_000;
/** Soon, so that a run has room for many failovers (ms). */
const ELECTION = { electionTimeoutMillis: 2_000, heartbeatIntervalMillis: 500 };

type Running = { readonly mongod: Mongod; readonly host: string };

export async function startReplicaSet(): Promise<ReplicaSet> {
  const closers = new AsyncDisposableStack();
  try {
    const args = ["--replSet", NAME, "--oplogSize", "100"];
    const members: Running[] = [];
    for (let i = 0; i < MEMBERS; i++) {
      const mongod = closers.use(await startMongod({ replicaSet: false, args }));
      members.push({ mongod, host: new URL(mongod.uri).host });
    }
    const config = { _id: NAME, settings: ELECTION, members: members.map(({ host }, _id) => ({ _id, host })) };
    await command(members[0]?.host ?? "", { replSetInitiate: config });
    const uri = `mongodb://${members.map(({ host }) => host).join(",")}/?replicaSet=${NAME}`;
    const role = (wanted: boolean) => findMember(members, wanted);
    await role(true);
    return {
      uri,
      primary: () => role(true),
      secondary: () => role(false),
      [Symbol.asyncDispose]: () => closers.disposeAsync(),
    };
  } catch (error) {
    await closers.disposeAsync();
    throw error;
  }
}

async function findMember(members: readonly Running[], primary: boolean): Promise<Member> {
  const end = Date.now() + PRIMARY_WITHIN_MS;
  while (Date.now() < end) {
    for (const running of members) {
      const hello = await command(running.host, { hello: 1 }).catch(() => undefined);
      if (hello?.["isWritablePrimary"] === primary && (primary || hello["secondary"] === true))
        return memberOf(running);
    }
    await sleep(100);
  }
  throw new Error(`no ${primary ? "primary" : "secondary"} within ${PRIMARY_WITHIN_MS} ms`);
}

const memberOf = ({ mongod, host }: Running): Member => ({
  host,
  stepDown: async (seconds) =>
    void (await command(host, { replSetStepDown: seconds, force: true }).catch(() => undefined)),
  crash: async (ms) => {
    await mongod.kill();
    await sleep(ms);
    await mongod.restart();
  },
  freeze: async (ms) => {
    const { pid } = mongod;
    if (pid === undefined) return;
    process.kill(pid, "SIGSTOP");
    await sleep(ms);
    process.kill(pid, "SIGCONT");
  },
});

async function command(host: string, asked: object): Promise<Record<string, unknown>> {
  const options = { directConnection: true, serverSelectionTimeoutMS: 1_000, socketTimeoutMS: 2_000 };
  await using client = new MongoClient(`mongodb://${host}/`, options);
  return await client.db("admin").command(asked);
}
