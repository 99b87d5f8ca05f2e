// `opjob secret …` on a real database: what FiftyOne would find there, what is refused, and that no value is shown unasked.
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { Binary, type Document } from "mongodb";
import { startLocalKubernetes } from "../src/local/kubernetes/server.ts";
import { decryptToken, encryptToken, fernetKey, tokenTime } from "../src/orchestrators/fernet.ts";
import { opjob, type Run } from "./command-line.ts";
import { type TestDatabase, testDatabase } from "./mongo.ts";

const newKey = (): string => randomBytes(32).toString("base64url").padEnd(44, "=");
const KEY = newKey();
const VALUE = "hunter2-hunter2";

let database: TestDatabase;
let folder: string;
const secrets = () => database.db.collection("secrets");
const orchestrators = () => database.db.collection("orchestrators");

beforeAll(async () => {
  database = await testDatabase();
  folder = await mkdtemp(join(tmpdir(), "opjob-secret-"));
});
afterEach(async () => {
  await secrets().deleteMany({});
  await orchestrators().deleteMany({});
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const run = (args: string[], { env, ...rest }: Run = {}) =>
  opjob(["secret", ...args], {
    env: {
      FIFTYONE_DATABASE_URI: database.uri,
      FIFTYONE_DATABASE_NAME: database.name,
      FIFTYONE_ENCRYPTION_KEY: KEY,
      ...env,
    },
    ...rest,
  });
const store = (key: string, value = VALUE, fields: Document = {}) =>
  secrets().insertOne({
    key,
    value: new Binary(Buffer.from(encryptToken(fernetKey(KEY), value, 1_700_000_000_000))),
    ...fields,
  });
const stored = async (key: string, by = KEY): Promise<string> => {
  const document = await secrets().findOne({ key });
  if (document === null) throw new Error(`there is no secret ${key}`);
  const { buffer } = document["value"] as Binary;
  return decryptToken(fernetKey(by), Buffer.from(buffer).toString("latin1"), key);
};
const orchestrator = (instance_id: string, secret: string, fields: Document = {}) =>
  orchestrators().insertOne({
    instance_id,
    environment: "kubernetes",
    config: { kubernetes: { executionTmplUri: "/t.yaml" } },
    secrets: { kubernetes: { kubeConfig: secret } },
    ...fields,
  });

describe("set", () => {
  test("makes a secret as FiftyOne does: the token as bytes, under the name as FiftyOne spells it", async () => {
    const { code, out } = await run(["set", "my-secret", "--description", "for me"], { input: `${VALUE}\n` });
    expect([code, out]).toEqual([0, "secret MY_SECRET made\n"]);
    const document = await secrets().findOne({});
    expect(document).toMatchObject({ key: "MY_SECRET", description: "for me", created_at: expect.any(Date) });
    expect(document?.["value"]).toBeInstanceOf(Binary);
    expect(Object.keys(document ?? {}).toSorted()).toEqual(["_id", "created_at", "description", "key", "value"]);
    expect(await stored("MY_SECRET")).toBe(VALUE);
  });

  test("takes a file's content as it is, but for the line end of a single line", async () => {
    const lines = join(folder, "lines");
    await writeFile(lines, "a: 1\nb: 2\n");
    await run(["set", "LINES", "--file", lines]);
    expect(await stored("LINES")).toBe("a: 1\nb: 2\n");
  });

  test("gives another value to one that is there, in the type that it had, and tells who names it", async () => {
    await secrets().insertOne({ key: "TEXT", value: encryptToken(fernetKey(KEY), "old", 0), other: 1 });
    await orchestrator("gpu", "TEXT");
    const { out } = await run(["set", "TEXT"], { input: "new" });
    expect(out).toBe("secret TEXT replaced (named by gpu)\n");
    const document = await secrets().findOne({ key: "TEXT" });
    expect(document).toMatchObject({ value: expect.stringMatching(/^gAAAA/), other: 1 });
    expect((await run(["set", "TEXT"], { input: "new" })).out).toContain("unchanged");
  });

  test.each<[string, string[], Run, RegExp]>([
    ["an empty value", ["X"], { input: "" }, /standard input is empty/],
    ["a name without letters", ["--", "--"], { input: VALUE }, /cannot name a secret/],
    ["a file that is missing", ["X", "--file", "/no/such"], {}, /\/no\/such cannot be read \(ENOENT\)/],
    ["a value typed on a terminal", ["X"], { terminal: true }, /--file, or pipe/],
    ["no key", ["X"], { input: VALUE, env: { FIFTYONE_ENCRYPTION_KEY: "" } }, /FIFTYONE_ENCRYPTION_KEY is not set/],
    [
      "a truncated key",
      ["X"],
      { input: VALUE, env: { FIFTYONE_ENCRYPTION_KEY: KEY.slice(0, 40) } },
      /it holds 30 bytes/,
    ],
    [
      "a database that is away",
      ["X"],
      { input: VALUE, env: { FIFTYONE_DATABASE_URI: "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=200" } },
      /MongoDB does not answer/,
    ],
  ])("refuses %s with one clear error, and writes nothing", async (_, args, given, words) => {
    const { code, out, err } = await run(["set", ...args], given);
    expect([code, out]).toEqual([1, ""]);
    expect(err).toMatch(words);
    expect(err).not.toMatch(/^\s+at |hunter2/m);
    expect(await secrets().countDocuments()).toBe(0);
  });

  test("refuses to write with a key that opens none of the secrets that there are: FiftyOne could not read it", async () => {
    await store("OTHER");
    const { code, err } = await run(["set", "NEW"], { input: VALUE, env: { FIFTYONE_ENCRYPTION_KEY: newKey() } });
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(/opens none of the secrets that there are \(1\)[\s\S]*opjob secret check/),
    ]);
    expect(await secrets().countDocuments()).toBe(1);
  });

  test("uses the collection and the fields of the settings", async () => {
    const env = {
      OPJOB_SECRETS_COLLECTION: "vault",
      OPJOB_SECRETS_KEY_FIELD: "name",
      OPJOB_SECRETS_VALUE_FIELD: "data",
    };
    await run(["set", "X"], { input: VALUE, env });
    expect(await database.db.collection("vault").findOne({})).toMatchObject({ name: "X", data: expect.any(Binary) });
  });
});

describe("list, show and check", () => {
  test("list shows names, ages and who names them, never a value", async () => {
    await store("B", VALUE, { description: "a\u001b[2J b" });
    await store("A");
    await secrets().insertOne({ key: "PLAIN", value: VALUE });
    await orchestrator("gpu", "b");
    await orchestrators().insertOne({ instance_id: "brick", environment: "databricks", secrets: { token: "B" } });
    const { code, out } = await run(["list"]);
    expect(code).toBe(0);
    expect(out.split("\n").map((line) => line.split(/ {2,}/))).toEqual([
      ["NAME", "VALUE OF", "ORCHESTRATORS", "DESCRIPTION"],
      ["A", "2023-11-14 22:13:20Z"],
      ["B", "2023-11-14 22:13:20Z", "gpu, brick", "a [2J b"],
      ["PLAIN", "not encrypted"],
      [""],
    ]);
    const listed = JSON.parse((await run(["list", "--json"])).out) as unknown[];
    expect(listed).toHaveLength(3);
    expect(out + JSON.stringify(listed)).not.toMatch(/hunter2|gAAAA/);
  });

  test("colours are for terminals only, and for those who want them", async () => {
    await store("A");
    expect((await run(["list"])).out).not.toContain("\u001b");
    expect((await run(["list"], { terminal: true })).out).toContain("\u001b[");
    expect((await run(["list"], { terminal: true, env: { NO_COLOR: "1" } })).out).not.toContain("\u001b");
  });

  test("show tells what is known, and by which key it opens", async () => {
    await store("A");
    const { out } = await run(["show", "a"]);
    expect(out).toMatch(/^Name: +A\n[\s\S]*Value of: +2023-11-14 22:13:20Z\nOpened by: +this key\n/);
    expect(out).not.toMatch(/hunter2|gAAAA/);
    const { out: other } = await run(["show", "A", "--json"], { env: { FIFTYONE_ENCRYPTION_KEY: newKey() } });
    expect(JSON.parse(other)).toMatchObject({ key: expect.stringContaining("another key") });
  });

  test("a value is revealed only if it is asked for twice", async () => {
    await store("A", "two\nlines");
    const alone = await run(["show", "A", "--reveal"]);
    expect([alone.code, alone.out, alone.err]).toEqual([1, "", expect.stringContaining("--yes")]);
    const no = await run(["show", "A", "--reveal"], { terminal: true, input: "n\n" });
    expect([no.code, no.out]).toEqual([1, ""]);
    const yes = await run(["show", "A", "--reveal"], { terminal: true, input: "y\n" });
    expect([yes.code, yes.out]).toEqual([0, "two\nlines"]);
    expect((await run(["show", "A", "--reveal", "--yes"])).out).toBe("two\nlines");
  });

  test("an unknown name is answered with the nearest", async () => {
    await store("KUBE_CONFIG_GPU");
    const { code, err } = await run(["show", "kube-config-gpo"]);
    expect([code, err]).toEqual([
      1,
      expect.stringContaining('no secret "KUBE_CONFIG_GPO". Did you mean "KUBE_CONFIG_GPU"?'),
    ]);
  });

  test("check tells which secrets the key opens, the old key, or neither: exit code 3 unless this key opens all", async () => {
    const old = newKey();
    await store("A");
    expect((await run(["check"])).code).toBe(0);
    await secrets().insertOne({ key: "B", value: encryptToken(fernetKey(old), VALUE, 0) });
    await secrets().insertOne({ key: "C", value: encryptToken(fernetKey(newKey()), VALUE, 0) });
    const { code, out } = await run(["check", "--json"], { env: { OPJOB_OLD_ENCRYPTION_KEY: old } });
    expect([code, JSON.parse(out)]).toEqual([
      3,
      [
        { name: "A", openedBy: "current" },
        { name: "B", openedBy: "old" },
        { name: "C", openedBy: "neither" },
      ],
    ]);
  });
});

describe("delete", () => {
  test("asks, and deletes", async () => {
    await store("A");
    expect((await run(["delete", "A"])).err).toContain("--yes");
    expect((await run(["delete", "A"], { terminal: true, input: "no\n" })).code).toBe(1);
    expect(await secrets().countDocuments()).toBe(1);
    expect((await run(["delete", "A", "--yes"])).out).toBe("secret A deleted\n");
    expect(await secrets().countDocuments()).toBe(0);
  });

  test("one that orchestrators name needs --force, and they are named", async () => {
    await store("A");
    await orchestrator("gpu", "A");
    const { code, err } = await run(["delete", "A", "--yes"]);
    expect([code, err]).toEqual([1, expect.stringMatching(/named by gpu\.\n.*--force/)]);
    expect((await run(["delete", "A", "--yes", "--force"])).code).toBe(0);
  });
});

describe("rotate", () => {
  test("a credential that its cluster refuses never takes the place of one that works", async () => {
    await using kubernetes = await startLocalKubernetes({ run: "simulated", tokens: { good: { user: "good" } } });
    await store("KUBE", kubernetes.kubeconfig({ token: "good" }));
    await orchestrator("gpu", "KUBE");
    const before = await secrets().findOne({});
    const refused: [string, RegExp][] = [
      [kubernetes.kubeconfig({ token: "revoked" }), /Unauthorized/],
      [kubernetes.kubeconfig({ token: "good" }).replace(kubernetes.url, "http://127.0.0.1:1"), /ECONNREFUSED/],
      ["no kubeconfig at all", /kubeconfig in the new value/],
    ];
    for (const [input, words] of refused) {
      const { code, err } = await run(["rotate", "KUBE"], { input });
      expect([code, err]).toEqual([1, expect.stringMatching(words)]);
    }
    expect(await secrets().findOne({})).toEqual(before);
    const good = kubernetes.kubeconfig({ token: "good", namespace: "new" });
    const { code, out } = await run(["rotate", "KUBE"], { input: good });
    expect([code, out]).toEqual([0, `gpu: ${kubernetes.url} takes it\nsecret KUBE rotated\n`]);
    expect(await stored("KUBE")).toBe(good);
  });

  test("a context that an orchestrator asks for must be in the new kubeconfig", async () => {
    await using kubernetes = await startLocalKubernetes({ run: "simulated" });
    await store("KUBE");
    await orchestrator("gpu", "KUBE", { config: { context: "prod", execution_tmpl_uri: "/t" } });
    const { err } = await run(["rotate", "KUBE"], { input: kubernetes.kubeconfig() });
    expect(err).toContain('no context "prod"; it has "local"');
  });

  test("what no orchestrator names, or may not be tried, is only replaced", async () => {
    await store("OTHER");
    expect((await run(["rotate", "OTHER"], { input: "new" })).out).toBe("secret OTHER rotated\n");
    await orchestrator("gpu", "OTHER");
    expect((await run(["rotate", "OTHER", "--no-try"], { input: "newer" })).code).toBe(0);
    expect(await stored("OTHER")).toBe("newer");
    expect((await run(["rotate", "NONE"], { input: "new" })).err).toContain("opjob secret set");
  });
});

describe("reencrypt", () => {
  test("puts every secret under the new key, keeps its time and type, and tells what neither key opens", async () => {
    const key = newKey();
    await store("BYTES", "pässwörd-✓");
    await secrets().insertOne({ key: "TEXT", value: encryptToken(fernetKey(KEY), VALUE, 1_700_000_000_000) });
    await secrets().insertOne({ key: "DONE", value: encryptToken(fernetKey(key), VALUE, 0) });
    await secrets().insertOne({ key: "FOREIGN", value: encryptToken(fernetKey(newKey()), VALUE, 0) });
    const env = { FIFTYONE_ENCRYPTION_KEY: key, OPJOB_OLD_ENCRYPTION_KEY: KEY };
    const { code, out } = await run(["reencrypt", "--yes"], { env });
    expect([code, out]).toEqual([
      3,
      "BYTES: re-encrypted\nFOREIGN: neither key opens it: left as it is\nTEXT: re-encrypted\n" +
        "2 re-encrypted, 1 under the new key already, 1 that neither key opens\n",
    ]);
    expect(await stored("BYTES", key)).toBe("pässwörd-✓");
    const text = (await secrets().findOne({ key: "TEXT" }))?.["value"] as string;
    expect([decryptToken(fernetKey(key), text, "TEXT"), tokenTime(text)]).toEqual([VALUE, 1_700_000_000_000]);
    await secrets().deleteOne({ key: "FOREIGN" });
    const again = await run(["reencrypt", "--yes"], { env });
    expect([again.code, again.out]).toEqual([
      0,
      "0 re-encrypted, 3 under the new key already, 0 that neither key opens\n",
    ]);
  });

  test("needs both keys, and a yes; a wrong new key is told before anything is written", async () => {
    await store("A");
    const before = await secrets().findOne({});
    expect((await run(["reencrypt", "--yes"])).err).toContain("OPJOB_OLD_ENCRYPTION_KEY is not set");
    const env = { FIFTYONE_ENCRYPTION_KEY: newKey(), OPJOB_OLD_ENCRYPTION_KEY: KEY };
    expect((await run(["reencrypt"], { env })).err).toContain("--yes");
    const wrong = await run(["reencrypt", "--yes"], { env: { ...env, FIFTYONE_ENCRYPTION_KEY: "x" } });
    expect(wrong.err).toContain("FIFTYONE_ENCRYPTION_KEY is not a Fernet key");
    expect(await secrets().findOne({})).toEqual(before);
  });
});
