// The MongoDB driver's face, as much of it as an orchestrator uses, on the simulated server. Each call goes over a line, on
// which it may be delayed, repeated or lost. What is not known here stops the simulation.
import { type MongoClient, MongoNetworkError, MongoServerError, Timestamp } from "mongodb";
import type { Doing } from "../calls.ts";
import { NotSimulated } from "../not-simulated.ts";
import { type DriverParts, strict } from "./parts.ts";
import { aggregated } from "./pipeline.ts";
import type { Write } from "./server.ts";
import { openStream, type StreamOptions } from "./stream.ts";
import { projected, type Sort, type Update } from "./update.ts";
import type { Doc } from "./values.ts";

type Options = {
  readonly projection?: Doc;
  readonly sort?: Sort;
  readonly limit?: number;
  readonly returnDocument?: string;
  readonly writeConcern?: { readonly w?: unknown };
  readonly readConcern?: { readonly level?: string };
  readonly maxTimeMS?: number;
  readonly session?: { operationTime?: unknown };
};

/** How many documents a cursor brings at once: few, so that things change between two of its calls. */
const CURSOR_BATCH = 3;

/** A client of the simulated server. */
export function simulatedClient(parts: DriverParts): MongoClient {
  const client = {
    db: (name: string) => ({
      databaseName: name,
      collection: (collection: string) => simulatedCollection(parts, collection),
      command: async (command: Doc, { session }: Options = {}) => {
        if (command["ping"] !== 1) throw new NotSimulated(`the command ${JSON.stringify(command)}`);
        return call(parts, "ping", "", () => {
          if (session) session.operationTime = new Timestamp({ t: 1, i: parts.server.newest });
          return { ok: 1 };
        });
      },
    }),
    withSession: <T>(work: (session: object) => Promise<T>): Promise<T> => work({}),
    close: () => Promise.resolve(),
  };
  return strict(client, "the client") as unknown as MongoClient;
}

/** Refusals by their names: what a server says that is not the primary (any more). */
function refuse(refusal: string): never {
  if (refusal === "not-primary") throw new MongoServerError({ message: "not primary", code: 10_107 });
  throw new MongoServerError({ message: `refused: ${refusal}`, code: 13 });
}

const broken = (): Error => new MongoNetworkError("connection closed");

function call<T>({ line }: DriverParts, verb: string, about: string, effect: Doing<T>["effect"]): Promise<T> {
  return line.call({ service: "database", verb, about }, { effect, broken, refuse });
}

/** Without a write concern of its own a write waits for the majority, as MongoDB has it by default. */
const waits = (options: Options | undefined): boolean => options?.writeConcern?.w !== 1;

function simulatedCollection(parts: DriverParts, collection: string): object {
  const { server, author } = parts;

  /** A majority that an isolated primary cannot reach never acknowledges: the caller's connection breaks at last. */
  const write = (asked: Omit<Write, "majority">, options: Options | undefined) => {
    const majority = waits(options);
    const written = server.write(author, collection, { ...asked, majority });
    if (majority && server.isolated) throw broken();
    return written;
  };
  const one = (filter: Doc, update: Update) => ({ filter, update, many: false });

  const face = {
    collectionName: collection,
    findOneAndUpdate: (filter: Doc, update: Update, options: Options = {}) =>
      call(parts, "findOneAndUpdate", idsOf(filter), () => {
        const { docs } = write(one(filter, update), options);
        return docs[0] === undefined ? null : projected(docs[0], options.projection);
      }),
    updateOne: (filter: Doc, update: Update, options?: Options) =>
      call(parts, "updateOne", idsOf(filter), () => counts(write(one(filter, update), options))),
    updateMany: (filter: Doc, update: Update, options?: Options) =>
      call(parts, "updateMany", idsOf(filter), (leftOut) => {
        // Documents are updated one by one: a call that breaks may have reached some of them.
        const ids = server.find(collection, { filter }).map(({ _id }) => _id);
        const each = ids
          .filter(() => !leftOut())
          .map((_id) => write(one({ $and: [filter, { _id }] }, update), options));
        // One that changes nothing waits for a majority as any other: for whatever was written before it.
        return total(each.length > 0 ? each : [write(one({ _id: { $in: [] } }, update), options)]);
      }),
    bulkWrite: (operations: readonly Doc[], options?: Options) =>
      call(parts, "bulkWrite", operations.map((op) => idsOf(oneOf(op).filter)).join(), (leftOut) =>
        total(operations.filter(() => !leftOut()).map((op) => write(one(oneOf(op).filter, oneOf(op).update), options))),
      ),
    aggregate: (pipeline: readonly Doc[]) => ({
      toArray: () =>
        call(parts, "aggregate", "", () => {
          parts.onRead(collection);
          return aggregated(server.all(collection), pipeline);
        }),
    }),
    countDocuments: (filter: Doc = {}) =>
      call(parts, "count", idsOf(filter), () => server.find(collection, { filter }).length),
    findOne: async (filter: Doc, options: Options = {}) =>
      (await readAll(parts, collection, { filter, options: { ...options, limit: 1 } }))[0] ?? null,
    find: (filter: Doc = {}, options: Options = {}) => cursor(parts, collection, { filter, options }),
    watch: (pipeline: readonly Doc[], options: StreamOptions = {}) =>
      openStream(parts, { collection, pipeline, options }),
  };
  return strict(face, "a collection");
}

/** Only single updates are sent together. */
function oneOf(operation: Doc): { filter: Doc; update: Update } {
  const given = operation["updateOne"] as { filter: Doc; update: Update } | undefined;
  if (given === undefined) throw new NotSimulated(`in a bulk write: ${Object.keys(operation).join()}`);
  return given;
}

type Counts = { readonly matched: number; readonly modified: number };
const counts = ({ matched, modified }: Counts) => ({ matchedCount: matched, modifiedCount: modified });
const total = (all: readonly Counts[]) =>
  counts(
    all.reduce(
      (sum, { matched, modified }) => ({ matched: sum.matched + matched, modified: sum.modified + modified }),
      { matched: 0, modified: 0 },
    ),
  );

type Query = { readonly filter: Doc; readonly options: Options };

function cursor(parts: DriverParts, collection: string, query: Query): object {
  const chained = (options: Options) =>
    cursor(parts, collection, { ...query, options: { ...query.options, ...options } });
  const face = {
    toArray: () => readAll(parts, collection, query),
    sort: (sort: Sort) => chained({ sort }),
    limit: (limit: number) => chained({ limit }),
    project: (projection: Doc) => chained({ projection }),
    [Symbol.asyncIterator]: () => iterate(parts, collection, query),
  };
  return strict(face, "a cursor");
}

async function readAll(parts: DriverParts, collection: string, query: Query): Promise<Doc[]> {
  const { sort, limit, projection, readConcern } = query.options;
  const { level = "local" } = readConcern ?? {};
  const linearizable = level === "linearizable";
  if (!["local", "linearizable", "majority"].includes(level)) throw new NotSimulated(`the read concern ${level}`);
  return call(parts, linearizable ? "settle" : "find", idsOf(query.filter), () => {
    if (linearizable && parts.server.isolated) throw broken();
    parts.onRead(collection);
    return parts.server
      .find(collection, { filter: query.filter, sort, limit, committed: level === "majority" })
      .map((doc) => projected(doc, projection));
  });
}

/** Brings batch after batch; a document that has changed or gone since the first one is as it is when its batch is read. */
async function* iterate(parts: DriverParts, collection: string, { filter, options }: Query): AsyncGenerator<Doc> {
  const { sort, limit, projection } = options;
  const ids = await call(parts, "find", idsOf(filter), () =>
    parts.server.find(collection, { filter, sort, limit }).map(({ _id }) => _id),
  );
  for (let i = 0; i < ids.length; i += CURSOR_BATCH) {
    const batch = { $and: [filter, { _id: { $in: ids.slice(i, i + CURSOR_BATCH) } }] };
    const read = () => parts.server.find(collection, { filter: batch, sort }).map((doc) => projected(doc, projection));
    for (const doc of i === 0 ? read() : await call(parts, "getMore", "", read)) yield doc;
  }
}

/** The ids that a filter names, for the trace. */
function idsOf(filter: Doc): string {
  const { _id } = filter;
  if (_id === undefined) return "";
  const { $in } = _id as { $in?: unknown[] };
  return ($in ?? [_id]).map((id) => String(id).slice(-4)).join(",");
}
