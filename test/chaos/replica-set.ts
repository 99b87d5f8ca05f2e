// A real replica set of three mongods on this machine, whose members can be killed, frozen, cut off from one another and made to
// step down. Knows processes, doors and the server's admin commands; nothing of what is stored.
import { setTimeout as sleep } from "node:timers/promises";
import { MongoClient } from "mongodb";
import { type Mongod, startMongod } from "../../src/local/mongod.ts";
import { createDoors, type Doors } from "./doors.ts";

export type ReplicaSet = AsyncDisposable & {
  readonly uri: string;
  /** The member that takes writes now. @throws Error if none does within a minute */
  readonly primary: () => Promise<Member>;
  readonly secondary: () => Promise<Member>;
};

export type Member = {
  readonly host: string;
  /** Steps down, and is not elected for so many seconds. @returns whether it did */
  readonly stepDown: (seconds: number) => Promise<boolean>;
  /** SIGKILL, and a start with the same data after so many milliseconds. */
  readonly crash: (ms: number) => Promise<void>;
  /** SIGSTOP, and SIGCONT after so many milliseconds: it does not even know that time passed. */
  readonly freeze: (ms: number) => Promise<void>;
  /** For so many milliseconds it and the others do not hear from one another; clients reach all of them. */
  readonly part: (ms: number) => Promise<void>;
};

const NAME = "storm";
const MEMBERS = 3;
const PRIMARY_WITHIN_MS = 60_000;
/** Soon, so that a run has room for many failovers (ms). */
const ELECTION = { electionTimeoutMillis: 2_000, heartbeatIntervalMillis: 500 };

/** `host`: its door; it is known by it alone, to clients and to the other members. */
type Running = { readonly mongod: Mongod; readonly host: string };

const portOf = ({ mongod }: Running): number => Number(new URL(mongod.uri).port);

export async function startReplicaSet(): Promise<ReplicaSet> {
  const closers = new AsyncDisposableStack();
  try {
    const args = ["--replSet", NAME, "--oplogSize", "100"];
    const members: Running[] = [];
    const doors = closers.use(createDoors(() => members.map(({ mongod }) => mongod.pid)));
    for (let i = 0; i < MEMBERS; i++) {
      const mongod = closers.use(await startMongod({ replicaSet: false, args }));
      const door = await doors.open(Number(new URL(mongod.uri).port));
      members.push({ mongod, host: `127.0.0.1:${door}` });
    }
    const config = { _id: NAME, settings: ELECTION, members: members.map(({ host }, _id) => ({ _id, host })) };
    await command(members[0]?.host ?? "", { replSetInitiate: config });
    const uri = `mongodb://${members.map(({ host }) => host).join(",")}/?replicaSet=${NAME}`;
    const role = async (wanted: boolean) => memberOf(await findMember(members, wanted), doors);
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

async function findMember(members: readonly Running[], primary: boolean): Promise<Running> {
  const end = Date.now() + PRIMARY_WITHIN_MS;
  while (Date.now() < end) {
    for (const running of members) {
      const hello = await command(running.host, { hello: 1 }).catch(() => undefined);
      if (hello?.["isWritablePrimary"] === primary && (primary || hello["secondary"] === true)) return running;
    }
    await sleep(100);
  }
  throw new Error(`no ${primary ? "primary" : "secondary"} within ${PRIMARY_WITHIN_MS} ms`);
}

const memberOf = (running: Running, doors: Doors): Member => ({
  host: running.host,
  stepDown: (seconds) =>
    command(running.host, { replSetStepDown: seconds, force: true }).then(
      () => true,
      () => false,
    ),
  crash: async (ms) => {
    await running.mongod.kill();
    await sleep(ms);
    await running.mongod.restart();
  },
  freeze: async (ms) => {
    const { pid } = running.mongod;
    if (pid === undefined) return;
    process.kill(pid, "SIGSTOP");
    await sleep(ms);
    process.kill(pid, "SIGCONT");
  },
  part: async (ms) => {
    const [own, port] = [running.mongod.pid, portOf(running)];
    doors.cut(({ from, to }) => from !== undefined && (from === own) !== (to === port));
    await sleep(ms);
    doors.mend();
  },
});

async function command(host: string, asked: object): Promise<Record<string, unknown>> {
  const options = { directConnection: true, serverSelectionTimeoutMS: 1_000, socketTimeoutMS: 2_000 };
  await using client = new MongoClient(`mongodb://${host}/`, options);
  return await client.db("admin").command(asked);
}
