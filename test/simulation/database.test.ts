// The simulated MongoDB is one: what opjob needs of a collection it does as a real mongod does, and so do random filters,
// updates and projections.
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { type Collection, type Document, type MongoClient, ObjectId } from "mongodb";
import { type TestDatabase, testDatabase } from "../mongo.ts";
import { type Database, describeDatabase } from "./contract/database.ts";
import { directLine } from "./contract/direct-line.ts";
import { simulatedClient } from "./mongo/driver.ts";
import { matches } from "./mongo/match.ts";
import { type Author, MongoServer } from "./mongo/server.ts";
import { projected, sorted, updated } from "./mongo/update.ts";
import type { Doc } from "./mongo/values.ts";
import { NotSimulated } from "./not-simulated.ts";

const NAME = "delegated_ops";

async function realDatabase(): Promise<Database> {
  const database = await testDatabase();
  const collection = database.db.collection(NAME);
  return {
    client: database.client,
    collection,
    insert: async (document) => void (await collection.insertOne(document)),
    set: async (id, fields) => void (await collection.updateOne({ _id: new ObjectId(id) }, { $set: fields })),
    remove: async (id) => void (await collection.deleteOne({ _id: new ObjectId(id) })),
    all: () => collection.find().toArray(),
    clear: async () => void (await collection.deleteMany({})),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

function simulatedDatabase(): Database {
  const server = new MongoServer(() => undefined);
  const author: Author = { kind: "user", name: "test" };
  const streams = { delay: () => 1, times: () => 1, open: new Set<never>() };
  const client: MongoClient = simulatedClient({ server, line: directLine, author, streams, onRead: () => undefined });
  const write = (filter: Doc, fields: Doc) =>
    server.write(author, NAME, { filter, update: { $set: fields }, many: false, majority: true });
  return {
    client,
    collection: client.db("test").collection(NAME) as Collection<Document>,
    insert: (document) => Promise.resolve(server.insert(author, NAME, document)),
    set: (id, fields) => Promise.resolve(void write({ _id: new ObjectId(id) }, fields)),
    remove: (id) => Promise.resolve(server.remove(author, NAME, id)),
    all: () => Promise.resolve([...server.all(NAME)]),
    clear: async () => {
      for (const { _id } of server.all(NAME)) server.remove(author, NAME, String(_id));
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

describeDatabase("a real mongod", realDatabase);
describeDatabase("the simulated MongoDB", () => Promise.resolve(simulatedDatabase()));

// Few names and few values, so that filters meet documents.
const name = fc.constantFrom("a", "b", "c");
const path = fc.oneof(
  name,
  fc.tuple(name, name).map((parts) => parts.join(".")),
);
const leaf = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, 0, 1, 2, "x", "y", new Date(1_000), new Date(2_000)),
  fc.constantFrom(new ObjectId("0".repeat(24)), new ObjectId("1".repeat(24))),
);
const flat = fc.dictionary(name, leaf, { maxKeys: 3, noNullPrototype: true });
const value = fc.oneof(
  { arbitrary: leaf, weight: 4 },
  { arbitrary: flat, weight: 2 },
  fc.array(leaf, { maxLength: 2 }),
);
const document = fc.dictionary(name, value, { maxKeys: 3, noNullPrototype: true });
const single = (operator: string, operand: fc.Arbitrary<unknown>): fc.Arbitrary<Doc> =>
  operand.map((given) => ({ [operator]: given }));
const scalarList = fc.array(leaf, { minLength: 1, maxLength: 3 });
const condition = fc.oneof(
  leaf,
  ...["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"].map((operator) => single(operator, leaf)),
  ...["$in", "$nin"].map((operator) => single(operator, scalarList)),
  single("$exists", fc.boolean()),
  single("$type", fc.constantFrom("string", "object", "array", "date", "null", "bool", "objectId")),
);
const field = fc.tuple(path, condition).map(([at, wanted]): Doc => ({ [at]: wanted }));
const operand = fc.oneof(
  path.map((at) => `$${at}`),
  fc.constantFrom<unknown>(null, 1, "x", new Date(1_000)),
);
const expression = fc.oneof(
  fc
    .tuple(fc.constantFrom("$eq", "$ne", "$gt", "$lte"), operand, operand)
    .map(([operator, a, b]) => ({ [operator]: [a, b] })),
  fc.tuple(operand, operand, operand).map(([a, b, c]) => ({ $ne: [a, { $ifNull: [b, c] }] })),
);
const filter = fc.oneof(
  { arbitrary: field, weight: 6 },
  fc
    .tuple(fc.constantFrom("$and", "$or", "$nor"), fc.array(field, { minLength: 1, maxLength: 3 }))
    .map(([operator, all]) => ({
      [operator]: all,
    })),
  expression.map(($expr): Doc => ({ $expr })),
);
const assignments = fc.dictionary(name, value, { minKeys: 1, maxKeys: 2, noNullPrototype: true });
const update = fc.oneof(
  assignments.map(($set): Doc => ({ $set })),
  fc.tuple(name, name, leaf).map(([outer, inner, given]): Doc => ({ $set: { [`${outer}.${inner}`]: given } })),
  name.map((one): Doc => ({ $unset: { [one]: 1 } })),
  fc.tuple(name, operand, operand).map(([one, a, b]): Doc[] => [{ $set: { [one]: { $ifNull: [a, b] } } }]),
  fc
    .tuple(name, flat, operand)
    .map(([one, given, a]): Doc[] => [
      { $set: { [one]: { $mergeObjects: [{ ...literals(given), z: { $ifNull: [a, 0] } }] } } },
    ]),
);

/** Texts of a literal must not be taken for paths. */
const literals = (doc: Doc): Doc =>
  Object.fromEntries(Object.entries(doc).map(([key, $literal]) => [key, { $literal }]));

describe("on random documents", () => {
  let database: TestDatabase;
  let collection: Collection<Document>;
  beforeAll(async () => {
    database = await testDatabase();
    collection = database.db.collection("random");
  });
  afterAll(() => database[Symbol.asyncDispose]());

  const RUNS = { numRuns: 200 };
  const stored = async (docs: readonly Doc[]): Promise<Document[]> => {
    await collection.deleteMany({});
    const numbered = docs.map((doc, _id) => ({ _id, ...doc }));
    if (numbered.length > 0) await collection.insertMany(numbered as unknown as Document[]);
    return numbered;
  };

  test("a filter finds what mongod finds", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(document, { minLength: 1, maxLength: 8 }), filter, async (docs, wanted) => {
        const numbered = await stored(docs);
        const real = await collection.find(wanted, { projection: { _id: 1 } }).toArray();
        const simulated = numbered.filter((doc) => known(() => matches(doc, wanted)));
        expect(simulated.map(({ _id }) => _id)).toEqual(real.map(({ _id }) => _id));
      }),
      RUNS,
    );
  }, 60_000);

  test("an update gives what it gives in mongod", async () => {
    await fc.assert(
      fc.asyncProperty(document, update, async (doc, change) => {
        const [numbered] = await stored([doc]);
        const real = await collection.findOneAndUpdate({}, change, { returnDocument: "after" }).catch(() => "refused");
        expect(attempt(() => updated(numbered as Doc, change))).toEqual(real);
      }),
      RUNS,
    );
  }, 60_000);

  test("sorting and projections give what they give in mongod", async () => {
    const order = fc.tuple(name, fc.constantFrom<1 | -1>(1, -1)).map(([one, way]) => ({ [one]: way, _id: 1 as const }));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.dictionary(name, leaf, { maxKeys: 3, noNullPrototype: true }), { maxLength: 8 }),
        order,
        path,
        async (docs, sort, shown) => {
          const numbered = await stored(docs);
          const real = await collection.find({}, { sort, projection: { [shown]: 1 } }).toArray();
          expect(sorted(numbered, sort).map((doc) => projected(doc, { [shown]: 1 }))).toEqual(real);
        },
      ),
      RUNS,
    );
  }, 60_000);
});

/** What the simulation refuses to answer it cannot answer wrongly. */
function known<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    fc.pre(!(error instanceof NotSimulated));
    throw error;
  }
}

function attempt(act: () => Doc): Doc | "refused" {
  try {
    return act();
  } catch {
    return "refused";
  }
}
