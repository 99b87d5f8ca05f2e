// What `opjob check` finds out about MongoDB: whether it answers, and whether opjob's user may do what opjob does. Writes nothing:
// the update that is tried matches no document.
import { type Db, type Document, MongoServerError, ObjectId } from "mongodb";
import type { Config } from "../config.ts";
import { databaseError } from "../database.ts";
import type { Row } from "./check-report.ts";

const SUBJECT = "database";

type Fields = Pick<Row, "code" | "remedy">;
const row = (step: string, state: Row["state"], message: string, fields: Fields = {}): Row => ({
  subject: SUBJECT,
  step,
  state,
  message,
  ...fields,
});

/** What came of trying something. */
type Tried = { readonly fault: Row | undefined; readonly document: Document | null };

/** @returns rows; the database cannot be used if any is an error */
export async function checkDatabase(db: Db, config: Config): Promise<Row[]> {
  const reached = await attempt("reachable", () => db.command({ ping: 1 }));
  if (reached.fault) return [reached.fault];
  const rows = [row("reachable", "ok", await describe(db))];
  const found = new Map<string, boolean>();
  for (const name of ["delegated_ops", "orchestrators", config.secretsCollection]) {
    const read = await attempt(name, () => db.collection(name).findOne({}, { projection: { _id: 1 } }));
    found.set(name, read.document !== null);
    rows.push(read.fault ?? (await checkChanges(db, name, config.changes)));
  }
  const updated = await attempt("delegated_ops", () => updateNothing(db));
  rows.push(updated.fault ?? row("delegated_ops", "ok", "may be updated"));
  if (!rows.some(({ state }) => state === "error") && !found.get("delegated_ops") && !found.get("orchestrators")) {
    const message = `The database "${config.databaseName}" holds neither operations nor orchestrators.`;
    rows.push(
      row("content", "warning", message, { remedy: "If FiftyOne uses another one, set FIFTYONE_DATABASE_NAME." }),
    );
  }
  return rows;
}

async function attempt(step: string, act: () => Promise<Document | null>): Promise<Tried> {
  try {
    return { fault: undefined, document: await act() };
  } catch (thrown) {
    const { code, message, remedy } = databaseError(thrown);
    return { fault: row(step, "error", message, { code, remedy }), document: null };
  }
}

async function describe(db: Db): Promise<string> {
  const [hello, build] = await Promise.all([
    db.command({ hello: 1 }).catch(() => ({}) as Document),
    db.command({ buildInfo: 1 }).catch(() => ({}) as Document),
  ]);
  const version = typeof build["version"] === "string" ? ` ${build["version"]}` : "";
  const kind = typeof hello["setName"] === "string" ? `replica set ${hello["setName"]}` : "no replica set";
  return `MongoDB${version} answers (${kind}), database "${db.databaseName}"`;
}

/** Its id was never given to a document: it matches nothing, but is refused to those who may not update. */
async function updateNothing(db: Db): Promise<Document> {
  return db.collection("delegated_ops").updateOne({ _id: new ObjectId() }, { $set: { "opjob.phase": "claimed" } });
}

/** Whether changes are noticed at once or by polling. Without a stream opjob works, only a little later. */
async function checkChanges(db: Db, name: string, mode: Config["changes"]): Promise<Row> {
  if (mode === "poll") return row(name, "ok", "may be read; changes are polled, as OPJOB_CHANGES says");
  try {
    const opened = await db.command({ aggregate: name, pipeline: [{ $changeStream: {} }], cursor: { batchSize: 0 } });
    const id = (opened["cursor"] as { id?: unknown } | undefined)?.id;
    await db.command({ killCursors: name, cursors: [id] }).catch(() => undefined);
    return row(name, "ok", "may be read; changes are followed by a stream");
  } catch (thrown) {
    const { code, message, remedy } = databaseError(thrown);
    if (!(thrown instanceof MongoServerError) || mode === "stream")
      return row(name, "error", message, { code, remedy });
    const why = thrown.code === 40_573 ? "MongoDB is no replica set" : message;
    return row(name, "warning", `Changes of ${name} are polled: ${why.replace(/\.$/, "")}.`, {
      code,
      remedy:
        "Operations start a little later. For streams: a replica set, and the right changeStream (deploy/mongodb-role.js).",
    });
  }
}
