// The operation that a person means: by its whole id, or by a beginning that only it has.
import type { MongoClient } from "mongodb";
import { OpjobError } from "../errors.ts";
import type { Reads, Shown } from "../operations/mongo-reads.ts";
import { openReads } from "../operations/mongo-reads.ts";

export type Looking = {
  readonly reads: Reads;
  readonly client: MongoClient;
  readonly config: { readonly databaseName: string };
};

/** An id begins with its second of queueing: fewer digits would mean all of a day. */
const SHORTEST = 6;
const SHOWN = 5;

/** @throws OpjobError OPERATION_UNKNOWN, INPUT_INVALID */
export async function operationNamed(looking: Looking, given: string): Promise<Shown> {
  const id = given.trim().toLowerCase();
  if (!/^[0-9a-f]+$/.test(id) || id.length < SHORTEST || id.length > 24) {
    const message = `"${given}" is no operation's id: 24 hexadecimal digits, or the first of them.`;
    throw new OpjobError("INPUT_INVALID", message);
  }
  const ids = await looking.reads.beginning(id, SHOWN + 1);
  if (ids.length > 1) throw ambiguous(id, ids);
  const found = ids[0] === undefined ? undefined : await looking.reads.read(ids[0]);
  if (found) return found;
  throw unknown(looking, id, await otherDatabase(looking, id));
}

function ambiguous(id: string, ids: readonly string[]): OpjobError {
  const listed = `${ids.slice(0, SHOWN).join(", ")}${ids.length > SHOWN ? ", …" : ""}`;
  return new OpjobError("OPERATION_UNKNOWN", `More than one operation begins with "${id}": ${listed}.`);
}

function unknown({ config }: Looking, id: string, elsewhere: string | undefined): OpjobError {
  const message = `There is no operation ${id} in the database "${config.databaseName}".`;
  if (elsewhere === undefined) return new OpjobError("OPERATION_UNKNOWN", message);
  const remedy = `Set FIFTYONE_DATABASE_NAME=${elsewhere}, here and for the daemon.`;
  return new OpjobError("OPERATION_UNKNOWN", `${message} It is in the database "${elsewhere}".`, { remedy });
}

/** Which other database of the server has it; undefined where none does, or they may not be looked at. */
async function otherDatabase({ client, config }: Looking, id: string): Promise<string | undefined> {
  if (id.length < 24) return undefined;
  try {
    const { databases } = await client.db("admin").admin().listDatabases({ nameOnly: true, authorizedDatabases: true });
    const others = databases.map(({ name }) => name).filter((name) => name !== config.databaseName);
    for (const name of others.slice(0, 100)) {
      const ids = await openReads(client.db(name).collection("delegated_ops")).beginning(id, 1);
      if (ids.length > 0) return name;
    }
  } catch {
    // A user with the least role may not.
  }
  return undefined;
}
