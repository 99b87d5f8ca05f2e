// The orchestrators as they are now: with plain records, and through the real door on a real database.
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Binary, type Document, ObjectId } from "mongodb";
import { OpjobError } from "../../src/errors.ts";
import { createLog } from "../../src/log.ts";
import { Directory } from "../../src/orchestrators/directory.ts";
import { encryptToken, fernetKey } from "../../src/orchestrators/fernet.ts";
import type { Keys } from "../../src/orchestrators/keys.ts";
import { openRecords, type Records } from "../../src/orchestrators/mongo.ts";
import type { Orchestrator } from "../../src/orchestrators/orchestrator.ts";
import { type TestDatabase, testDatabase } from "../mongo.ts";

const KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const KUBECONFIG = "apiVersion: v1\nkind: Config\n";
const token = (text = KUBECONFIG): string => encryptToken(fernetKey(KEY), text, Date.now());

const record = (instance_id: unknown, fields: Document = {}): Document => ({
  _id: new ObjectId(),
  instance_id,
  environment: "kubernetes",
  config: { kubernetes: { executionTmplUri: `/templates/${String(instance_id)}.yaml.j2` } },
  ...fields,
});

const keysOf = (text: string) => (): Promise<Keys> =>
  Promise.resolve({ current: { text, source: "FIFTYONE_ENCRYPTION_KEY" }, old: undefined });

type Given = {
  documents: Document[];
  tokens?: Record<string, string>;
  environment?: Record<string, string>;
  key?: string;
};

/** A directory over plain records, which the test may change between two loads. */
function directoryOf({ documents, tokens = {}, environment = {}, key = KEY }: Given) {
  const lines: string[] = [];
  const asked: string[] = [];
  const records: Records = {
    all: () => Promise.resolve(documents),
    token: (name) => {
      asked.push(name);
      return Promise.resolve(tokens[name]);
    },
  };
  const log = createLog({ level: "info", secrets: [], destination: { write: (line) => void lines.push(line) } });
  return {
    directory: new Directory({ records, keys: keysOf(key), environment, log }),
    lines,
    asked,
    tokens,
    documents,
  };
}

const withSecret = (kubeconfigSecret: string | undefined): Orchestrator => ({
  id: "a",
  image: undefined,
  executionTemplate: undefined,
  registrationTemplate: undefined,
  namespace: undefined,
  context: undefined,
  kubeconfigSecret,
  maxInFlight: undefined,
  updatedAt: undefined,
});

async function refusal(promise: Promise<unknown>): Promise<OpjobError> {
  const error: unknown = await promise.then(
    () => new Error("it was accepted"),
    (thrown: unknown) => thrown,
  );
  if (error instanceof OpjobError) return error;
  throw error;
}

describe("records", () => {
  test("nothing is known, and nothing is a target, before the first load", () => {
    const { directory } = directoryOf({ documents: [record("a")] });
    expect([directory.targets(), directory.ids(), directory.isActive("a")]).toEqual([[], [], false]);
    expect(() => directory.get("a")).toThrow(/no orchestrator "a"/);
  });

  test("a broken record keeps its error and disturbs no other", async () => {
    const broken = record("broken", { config: { kubernetes: { image: 5 } } });
    const { directory } = directoryOf({ documents: [record("a"), broken, record(undefined), record(7), record("b")] });
    await directory.load();
    expect(directory.get("a").executionTemplate).toBe("/templates/a.yaml.j2");
    expect(directory.get("b").id).toBe("b");
    expect(() => directory.get("broken")).toThrow(/"broken".*image must be a text/);
    // Its operations are ours all the same: they are held, and say why.
    expect(directory.targets()).toEqual(["a", "broken", "b"]);
  });

  test("a record that no operation can name makes no target, and the log tells of it", async () => {
    const { directory, lines } = directoryOf({ documents: [record(undefined), record(""), record(5)] });
    await directory.load();
    expect([directory.targets(), directory.ids()]).toEqual([[], []]);
    expect(lines).toHaveLength(3);
  });

  test("of two active records of one name the later one counts, and the log tells of it", async () => {
    const { directory, lines } = directoryOf({
      documents: [record("a"), record("a", { config: { executionTmplUri: "/new" } })],
    });
    await directory.load();
    expect(directory.get("a").executionTemplate).toBe("/new");
    expect(directory.ids()).toEqual(["a"]);
    expect(lines.join("")).toContain("two active records");
  });

  test.each([
    ["before", true],
    ["after", false],
  ])("a deactivated record %s an active one of its name changes nothing", async (_, first) => {
    const old = record("a", { deactivated_at: new Date(), config: { executionTmplUri: "/old" } });
    const { directory, lines } = directoryOf({ documents: first ? [old, record("a")] : [record("a"), old] });
    await directory.load();
    expect(directory.isActive("a")).toBe(true);
    expect(directory.get("a").executionTemplate).toBe("/templates/a.yaml.j2");
    expect(lines).toEqual([]);
  });

  test("a deactivated record, also one of null, is known but no target", async () => {
    const { directory } = directoryOf({
      documents: [record("a", { deactivated_at: new Date() }), record("b", { deactivated_at: null })],
    });
    await directory.load();
    expect([directory.targets(), directory.ids(), directory.isActive("b")]).toEqual([[], ["a", "b"], false]);
    expect(directory.get("a").id).toBe("a");
  });

  test("a load replaces everything, and says whether something changed", async () => {
    const { directory, documents } = directoryOf({ documents: [record("a")] });
    expect(await directory.load()).toBe(true);
    expect(await directory.load()).toBe(false);
    documents[0] = { ...documents[0], config: { executionTmplUri: "/new" } };
    expect(await directory.load()).toBe(true);
    documents.splice(0, 1, record("b"));
    expect(await directory.load()).toBe(true);
    expect(directory.ids()).toEqual(["b"]);
    expect(() => directory.get("a")).toThrow(OpjobError);
  });

  test("a load that was overtaken by a later one does not bring back old records", async () => {
    const first = Promise.withResolvers<Document[]>();
    const answers = [first.promise, Promise.resolve([record("new")])];
    const records: Records = {
      all: () => answers.shift() ?? Promise.resolve([]),
      token: () => Promise.resolve(undefined),
    };
    const log = createLog({ level: "silent", secrets: [] });
    const directory = new Directory({ records, keys: keysOf(KEY), environment: {}, log });
    const slow = directory.load();
    await directory.load();
    first.resolve([record("old")]);
    expect(await slow).toBe(false);
    expect(directory.ids()).toEqual(["new"]);
  });
});

describe("kubeconfigs", () => {
  test("without a secret there is none: in-cluster or default credentials", async () => {
    expect(await directoryOf({ documents: [] }).directory.kubeconfig(withSecret(undefined))).toBe("");
  });

  test("a stored secret is decrypted, and read once for as long as nothing changes", async () => {
    const { directory, asked } = directoryOf({ documents: [], tokens: { K: token() } });
    expect(await directory.kubeconfig(withSecret("K"))).toBe(KUBECONFIG);
    expect(await directory.kubeconfig(withSecret("K"))).toBe(KUBECONFIG);
    expect(asked).toEqual(["K"]);
  });

  test("after a load a secret is read anew: it may have been rotated", async () => {
    const { directory, tokens } = directoryOf({ documents: [], tokens: { K: token() } });
    await directory.kubeconfig(withSecret("K"));
    tokens["K"] = token("rotated");
    await directory.load();
    expect(await directory.kubeconfig(withSecret("K"))).toBe("rotated");
  });

  test("a load says so when a secret that was in use has changed, come or gone", async () => {
    const { directory, tokens } = directoryOf({ documents: [], tokens: { K: token() } });
    await directory.kubeconfig(withSecret("K"));
    tokens["UNUSED"] = token();
    expect(await directory.load()).toBe(false);
    await directory.kubeconfig(withSecret("K"));
    tokens["K"] = token("rotated");
    expect(await directory.load()).toBe(true);
    expect((await refusal(directory.kubeconfig(withSecret("LATER")))).code).toBe("SECRET_MISSING");
    tokens["LATER"] = token();
    expect(await directory.load()).toBe(true);
    await directory.kubeconfig(withSecret("K"));
    delete tokens["K"];
    expect(await directory.load()).toBe(true);
  });

  test.each([["my-secret"], ["MY_SECRET"]])("a variable %s wins over the stored secret", async (variable) => {
    const { directory, asked } = directoryOf({
      documents: [],
      tokens: { "my-secret": token() },
      environment: { [variable]: "from the environment" },
      key: "",
    });
    expect(await directory.kubeconfig(withSecret("my-secret"))).toBe("from the environment");
    expect(asked).toEqual([]);
  });

  test.each<[string, Given, string]>([
    ["a secret that does not exist", { documents: [] }, "SECRET_MISSING"],
    ["no encryption key", { documents: [], tokens: { K: token() }, key: "" }, "ENCRYPTION_KEY_MISSING"],
    ["a bad encryption key", { documents: [], tokens: { K: token() }, key: "x" }, "ENCRYPTION_KEY_INVALID"],
    ["a value that is no token", { documents: [], tokens: { K: "hunter2" } }, "SECRET_UNREADABLE"],
    ["an empty value", { documents: [], tokens: { K: "" } }, "SECRET_UNREADABLE"],
  ])("%s: refused, with no secret in the words", async (_, given, code) => {
    const error = await refusal(directoryOf(given).directory.kubeconfig(withSecret("K")));
    expect(error.code).toBe(code);
    expect(`${error.message} ${String(error.cause)}`).not.toMatch(/hunter2|gAAAA/);
  });

  test("a secret that failed is asked for again, and found once it is there", async () => {
    const { directory, tokens } = directoryOf({ documents: [] });
    expect((await refusal(directory.kubeconfig(withSecret("K")))).code).toBe("SECRET_MISSING");
    tokens["K"] = token();
    expect(await directory.kubeconfig(withSecret("K"))).toBe(KUBECONFIG);
  });
});

describe("through the door, on a real database", () => {
  let database: TestDatabase;
  let records: Records;

  beforeAll(async () => {
    database = await testDatabase();
    const { db } = database;
    records = openRecords(db.collection("orchestrators"), db.collection("secrets"), { key: "key", value: "value" });
  });
  afterAll(async () => database[Symbol.asyncDispose]());

  test("records on Kubernetes come oldest first, also deactivated ones, without their long list of operators", async () => {
    const long = { available_operators: ["@a/b"] };
    await database.db
      .collection("orchestrators")
      .insertMany([
        record("newer", { ...long, updated_at: new Date(2_000) }),
        record("older", { ...long, updated_at: new Date(1_000), deactivated_at: new Date() }),
        record("elsewhere", { environment: "databricks", updated_at: new Date(3_000) }),
        record("bare", { environment: undefined }),
      ]);
    const found = await records.all();
    expect(found.map((document) => document["instance_id"] as string)).toEqual(["older", "newer"]);
    expect(found.every((document) => !("available_operators" in document))).toBe(true);
  });

  test("tokens of Python's bytes and of text are read alike, by the name as given or as FiftyOne spells it", async () => {
    const stored = token();
    await database.db.collection("secrets").insertMany([
      { key: "AS_BYTES", value: new Binary(Buffer.from(stored)) },
      { key: "AS_TEXT", value: stored },
      { key: "AS_NUMBER", value: 5 },
      { key: "exact-name", value: "exact" },
      { key: "EXACT_NAME", value: "spelt" },
    ]);
    expect(await records.token("AS_BYTES")).toBe(stored);
    expect(await records.token("AS_TEXT")).toBe(stored);
    expect(await records.token("as bytes")).toBe(stored);
    expect(await records.token("AS_NUMBER")).toBe("");
    expect(await records.token("exact-name")).toBe("exact");
    expect(await records.token("exact.name")).toBe("spelt");
    expect(await records.token("NONE")).toBeUndefined();
  });

  test("an orchestrator's kubeconfig is found from its record to its plaintext", async () => {
    const { db } = database;
    const secrets = { kubernetes: { kubeConfig: "KUBE_CONFIG_WHOLE" } };
    await db.collection("orchestrators").insertOne(record("whole", { secrets }));
    await db.collection("secrets").insertOne({ key: "KUBE_CONFIG_WHOLE", value: new Binary(Buffer.from(token())) });
    const log = createLog({ level: "silent", secrets: [] });
    const directory = new Directory({ records, keys: keysOf(KEY), environment: {}, log });
    await directory.load();
    expect(await directory.kubeconfig(directory.get("whole"))).toBe(KUBECONFIG);
  });

  test("other names of collection and fields can be set", async () => {
    const { db } = database;
    await db.collection("vault").insertOne({ name: "K", data: "token" });
    const others = openRecords(db.collection("orchestrators"), db.collection("vault"), { key: "name", value: "data" });
    expect(await others.token("K")).toBe("token");
  });
});
