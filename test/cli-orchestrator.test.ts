// `opjob orchestrator …` on a real database: the records that FiftyOne finds there, and what is refused with nothing written.
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { stringify } from "yaml";
import type { Run } from "./command-line.ts";
import { type FiftyoneDatabase, fiftyoneDatabase } from "./fiftyone-database.ts";
import { dataUri } from "./local-daemon.ts";
import { queued } from "./operations/documents.ts";
import { template } from "./scene.ts";

const kubeconfig = (contexts: readonly string[] = ["main"]): string =>
  stringify({
    clusters: [{ name: "c", cluster: { server: "https://k8s.example" } }],
    users: [{ name: "u", user: { token: "t0ken-t0ken" } }],
    contexts: contexts.map((name) => ({ name, context: { cluster: "c", user: "u" } })),
    "current-context": contexts[0],
  });

let fiftyone: FiftyoneDatabase;
let folder: string;
const file = (name: string): string => join(folder, name);

beforeAll(async () => {
  fiftyone = await fiftyoneDatabase();
  folder = await mkdtemp(join(tmpdir(), "opjob-orchestrator-"));
  await writeFile(file("kubeconfig"), kubeconfig(["main", "other"]));
  await writeFile(file("job.yaml.j2"), template());
  await writeFile(file("broken.yaml.j2"), "a: {{ 1 +\n");
});
afterEach(() => fiftyone.clear());
afterAll(async () => {
  await fiftyone[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const run = (args: readonly string[], given?: Run) => fiftyone.run(["orchestrator", ...args], given);
const register = (id: string, ...more: string[]) =>
  run(["register", id, "--execution-template", "/t/gpu.yaml.j2", ...more]);

describe("register", () => {
  test("writes a record that FiftyOne reads as its own, and a secret named in FiftyOne's way", async () => {
    const more = [
      "--description",
      "GPU",
      "--max-in-flight",
      "2",
      "--registration-template",
      "/t/cpu.yaml.j2",
      "--image",
      "i:1",
    ];
    const place = ["--namespace", "fiftyone", "--context", "other", "--kubeconfig", file("kubeconfig")];
    const { code, out } = await register("kubernetes-gpu", ...more, ...place);
    expect([code, out]).toEqual([
      0,
      "orchestrator kubernetes-gpu registered, secret KUBE_CONFIG_KUBERNETES_GPU made\n",
    ]);
    const { _id, created_at, updated_at, ...record } = (await fiftyone.record("kubernetes-gpu")) ?? {};
    expect(record).toEqual({
      instance_id: "kubernetes-gpu",
      description: "GPU",
      environment: "kubernetes",
      available_operators: [],
      config: {
        execution_tmpl_uri: "/t/gpu.yaml.j2",
        registration_tmpl_uri: "/t/cpu.yaml.j2",
        image: "i:1",
        namespace: "fiftyone",
        context: "other",
        max_in_flight: 2,
      },
      secrets: { kube_config: "KUBE_CONFIG_KUBERNETES_GPU" },
    });
    expect([created_at, updated_at]).toEqual([expect.any(Date), created_at]);
    expect(await fiftyone.secretValue("KUBE_CONFIG_KUBERNETES_GPU")).toBe(kubeconfig(["main", "other"]));
  });

  test("uses an existing secret as it is, and makes no other", async () => {
    await fiftyone.storeSecret("MINE", kubeconfig());
    const { out } = await register("gpu", "--kubeconfig-secret", "mine", "--json");
    expect(JSON.parse(out)).toEqual({ id: "gpu", secret: "MINE", secretMade: false });
    expect(await fiftyone.record("gpu")).toMatchObject({ description: null, secrets: { kube_config: "MINE" } });
    expect(await fiftyone.secrets.countDocuments()).toBe(1);
  });

  test("writes in the shape of the records that are there", async () => {
    const config = { kubernetes: { executionTmplUri: "/a" } };
    await fiftyone.orchestrators.insertOne({ instance_id: "theirs", environment: "kubernetes", config });
    await register("ours", "--namespace", "n");
    expect(await fiftyone.record("ours")).toMatchObject({
      config: { kubernetes: { executionTmplUri: "/t/gpu.yaml.j2", namespace: "n" } },
    });
  });

  test("embeds a template of this machine", async () => {
    const { code } = await run(["register", "gpu", "--execution-template", file("job.yaml.j2"), "--embed"]);
    expect(code).toBe(0);
    expect(await fiftyone.record("gpu")).toMatchObject({ config: { execution_tmpl_uri: dataUri(template()) } });
  });

  test("goes on where it was killed: a secret of the same value is taken for its own", async () => {
    await fiftyone.storeSecret("KUBE_CONFIG_GPU", kubeconfig(["main", "other"]));
    const { code, out } = await register("gpu", "--kubeconfig", file("kubeconfig"));
    expect([code, out]).toEqual([0, "orchestrator gpu registered\n"]);
    expect(await fiftyone.secrets.countDocuments()).toBe(1);
  });

  const wrongKey = { FIFTYONE_ENCRYPTION_KEY: randomBytes(32).toString("base64") };
  const uri = ["--execution-template", "/t"];
  test.each<[string, string[], RegExp, Run?]>([
    ["no template", ["gpu"], /names no Job template/],
    ["a name of nothing", ["", ...uri], /cannot name an orchestrator/],
    ["a name with spaces around it", [" gpu", ...uri], /cannot name an orchestrator/],
    ["a relative path", ["gpu", "--execution-template", "gpu.yaml"], /relative path[\s\S]*--embed/],
    ["a store that cannot be read", ["gpu", "--execution-template", "ftp://x/y"], /ftp:\/\//],
    ["an embedded template that is broken", ["gpu", "--execution-template", dataUri("a: {{ 1 +\n")], /fails at line 1/],
    ["a template file that is missing", ["gpu", "--execution-template", "/no/such", "--embed"], /ENOENT/],
    ["a kubeconfig file that is missing", ["gpu", ...uri, "--kubeconfig", "/no/such"], /ENOENT/],
    ["a kubeconfig that is none", ["gpu", ...uri, "--kubeconfig", "LICENSE"], /kubeconfig in the file LICENSE/],
    ["an unknown secret", ["gpu", ...uri, "--kubeconfig-secret", "MINA"], /"MINA". Did you mean "MINE"\?/],
    [
      "a context that is missing",
      ["gpu", ...uri, "--kubeconfig-secret", "MINE", "--context", "x"],
      /no context "x"; it has "main"/,
    ],
    [
      "a secret that another key wrote",
      ["gpu", ...uri, "--kubeconfig-secret", "MINE"],
      /"MINE" cannot be decrypted.*another key/,
      { env: wrongKey },
    ],
    [
      "a wrong key",
      ["gpu", ...uri, "--kubeconfig", "KUBECONFIG"],
      /opens none of the secrets that there are \(1\)/,
      { env: wrongKey },
    ],
    [
      "a truncated key",
      ["gpu", ...uri, "--kubeconfig", "KUBECONFIG"],
      /not a Fernet key/,
      { env: { FIFTYONE_ENCRYPTION_KEY: "QUFB" } },
    ],
    [
      "no key",
      ["gpu", ...uri, "--kubeconfig", "KUBECONFIG"],
      /FIFTYONE_ENCRYPTION_KEY is not set/,
      { env: { FIFTYONE_ENCRYPTION_KEY: "" } },
    ],
    [
      "a kubeconfig of something else",
      ["gpu", ...uri, "--kubeconfig", "package.json"],
      /no contexts, and so is no kubeconfig/,
    ],
    [
      "a namespace that cannot be one",
      ["gpu", ...uri, "--namespace", "Not_A Name"],
      /"Not_A Name" cannot name a namespace/,
    ],
    ["a limit that is no number", ["gpu", ...uri, "--max-in-flight", "many"], /--max-in-flight must be/],
    ["two kubeconfigs", ["gpu", ...uri, "--kubeconfig", "KUBECONFIG", "--kubeconfig-secret", "MINE"], /Only one of/],
  ])("%s: one clear error, and nothing is written", async (_, args, words, ...[given]) => {
    await fiftyone.storeSecret("MINE", kubeconfig());
    const { code, out, err } = await run(
      ["register", ...args.map((arg) => (arg === "KUBECONFIG" ? file("kubeconfig") : arg))],
      given,
    );
    expect([code, out]).toEqual([1, ""]);
    expect(err).toMatch(words);
    expect(err).not.toMatch(/^\s+at |t0ken/m);
    expect([await fiftyone.orchestrators.countDocuments(), await fiftyone.secrets.countDocuments()]).toEqual([0, 1]);
  });

  test("a template is checked where it lies on this machine and is embedded", async () => {
    const { err } = await run(["register", "gpu", "--execution-template", file("broken.yaml.j2"), "--embed"]);
    expect(err).toMatch(/broken\.yaml\.j2" fails at line 1/);
  });

  test("is refused twice, also for a deactivated one and one of another environment", async () => {
    await register("gpu");
    expect((await register("gpu")).err).toMatch(/"gpu" is registered already\.\n.*update/);
    await run(["deactivate", "gpu"]);
    expect((await register("gpu")).err).toMatch(/registered and deactivated\.\n.*activate/);
    await fiftyone.orchestrators.insertOne({ instance_id: "brick", environment: "databricks" });
    expect((await register("brick")).err).toMatch(/"brick" is an orchestrator on databricks/);
    expect(await fiftyone.orchestrators.countDocuments()).toBe(2);
  });

  test("a secret of that name with another value is never overwritten", async () => {
    await fiftyone.storeSecret("KUBE_CONFIG_A_B", kubeconfig(["theirs"]));
    const { code, err } = await register("a-b", "--kubeconfig", file("kubeconfig"));
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(/secret "KUBE_CONFIG_A_B" already.*\n.*--kubeconfig-secret/),
    ]);
    expect(await fiftyone.secretValue("KUBE_CONFIG_A_B")).toBe(kubeconfig(["theirs"]));
  });
});

describe("update", () => {
  test("changes what is given, in the record's shape, and shows it", async () => {
    await fiftyone.orchestrators.insertOne({
      instance_id: "gpu",
      description: "d",
      environment: "kubernetes",
      config: { kubernetes: { executionTmplUri: "/a", image: "i:1", custom: 1 } },
      secrets: { kubernetes: { kubeConfig: "" } },
    });
    const { out } = await run(["update", "gpu", "--image", "i:2", "--namespace", "n", "--description", ""]);
    expect(out).toBe("orchestrator gpu: changed\n  - description  d\n  ~ image        i:1 → i:2\n  + namespace    n\n");
    expect(await fiftyone.record("gpu")).toMatchObject({
      description: null,
      config: { kubernetes: { executionTmplUri: "/a", image: "i:2", namespace: "n", custom: 1 } },
      secrets: { kubernetes: { kubeConfig: "" } },
    });
    expect((await run(["update", "gpu", "--image", "i:2"])).out).toBe("orchestrator gpu: no difference\n");
  });

  test("another kubeconfig replaces the orchestrator's own secret, and never one that others name", async () => {
    await register("gpu", "--kubeconfig", file("kubeconfig"));
    await writeFile(file("next"), kubeconfig(["next"]));
    const { out } = await run(["update", "gpu", "--kubeconfig", file("next")]);
    expect(out).toContain("~ secret KUBE_CONFIG_GPU  (its value) → (another value)");
    expect(await fiftyone.secretValue("KUBE_CONFIG_GPU")).toBe(kubeconfig(["next"]));
    await register("cpu", "--kubeconfig-secret", "KUBE_CONFIG_GPU");
    const { code, err } = await run(["update", "gpu", "--kubeconfig", file("kubeconfig")]);
    expect([code, err]).toEqual([1, expect.stringContaining('"KUBE_CONFIG_GPU" already')]);
    expect((await run(["update", "cpu", "--in-cluster"])).out).toContain("- kubeConfig  KUBE_CONFIG_GPU");
  });

  test("a secret that no key opens is replaced by whoever alone names it", async () => {
    await register("gpu", "--kubeconfig", file("kubeconfig"));
    await fiftyone.secrets.updateOne({}, { $set: { value: "garbage" } });
    expect((await run(["update", "gpu", "--kubeconfig", file("kubeconfig")])).code).toBe(0);
    expect((await fiftyone.secrets.findOne({}))?.["value"]).toMatch(/^gAAAA/);
  });

  test("a context is checked against the kubeconfig that is stored", async () => {
    await register("gpu", "--kubeconfig", file("kubeconfig"));
    expect((await run(["update", "gpu", "--context", "nope"])).err).toContain('no context "nope"');
    expect((await run(["update", "gpu", "--context", "other"])).code).toBe(0);
    expect((await run(["update", "gpu", "--context", "nope", "--unchecked"])).code).toBe(0);
  });

  test("what cannot be written leaves the secret as it was", async () => {
    await register("gpu", "--kubeconfig", file("kubeconfig"));
    await writeFile(file("next"), kubeconfig(["next"]));
    await fiftyone.db.command({ collMod: "orchestrators", validator: { "config.namespace": { $exists: false } } });
    const { code, err } = await run(["update", "gpu", "--kubeconfig", file("next"), "--namespace", "n"]);
    await fiftyone.db.command({ collMod: "orchestrators", validator: {} });
    expect([code, err]).toEqual([1, expect.stringContaining("Document failed validation")]);
    expect(await fiftyone.secretValue("KUBE_CONFIG_GPU")).toBe(kubeconfig(["main", "other"]));
  });

  test("a registration whose record cannot be written takes its secret back", async () => {
    await register("first");
    await fiftyone.db.command({ collMod: "orchestrators", validator: { instance_id: "first" } });
    const { code } = await register("second", "--kubeconfig", file("kubeconfig"));
    await fiftyone.db.command({ collMod: "orchestrators", validator: {} });
    expect([code, await fiftyone.secrets.countDocuments()]).toEqual([1, 0]);
  });
});

describe("list and show", () => {
  test("list shows every record in one form; one that makes no sense says why", async () => {
    await register("gpu", "--description", "GPU");
    await run(["register", "cpu", "--execution-template", file("job.yaml.j2"), "--embed"]);
    await run(["deactivate", "cpu"]);
    await fiftyone.orchestrators.insertMany([
      { instance_id: "brick", environment: "databricks", available_operators: ["@a/b"] },
      { instance_id: "odd", environment: "kubernetes", config: { image: 5 } },
    ]);
    const { code, out } = await run(["list"]);
    expect(code).toBe(0);
    const rows = out.split("\n").map((line) => line.split(/ {2,}/));
    expect(rows.map(([id, state]) => [id, state])).toEqual([
      ["ID", "STATE"],
      ["brick", "databricks"],
      ["cpu", "deactivated"],
      ["gpu", "active"],
      ["odd", "wrong"],
      ["", undefined],
    ]);
    expect(out).toMatch(/cpu .*\(embedded, \d+ bytes, [0-9a-f]{8}\)/);
    expect(out).toContain('The record of orchestrator "odd" is wrong: image must be a text.');
    expect(JSON.parse((await run(["list", "--json"])).out)).toHaveLength(4);
  });

  test("show tells everything, and gives a file that `opjob apply` finds no difference to", async () => {
    await fiftyone.storeSecret("MINE", kubeconfig());
    await register(
      "gpu",
      "--description",
      "GPU: all",
      "--max-in-flight",
      "0",
      "--namespace",
      "n",
      "--kubeconfig-secret",
      "MINE",
    );
    await fiftyone.orchestrators.updateOne({}, { $set: { available_operators: ["@a/b", "@a/c"] } });
    const { out } = await run(["show", "gpu", "--operators"]);
    expect(out).toMatch(/Kubeconfig: +MINE\n[\s\S]*Operators: +2\n {2}@a\/b\n {2}@a\/c\n$/);
    await writeFile(file("gpu.yaml"), (await run(["show", "gpu", "--yaml"])).out);
    const { code, out: applied } = await fiftyone.run(["apply", "-f", file("gpu.yaml"), "--dry-run"]);
    expect([code, applied]).toEqual([0, "orchestrator gpu: no difference\n"]);
  });

  test.each(["show", "update", "deactivate", "activate", "delete"])(
    "%s of an unknown one names the nearest",
    async (command) => {
      await register("kubernetes-gpu");
      const { code, err } = await run([command, "kubernetes-gpo"]);
      expect([code, err]).toEqual([
        1,
        expect.stringContaining('no orchestrator "kubernetes-gpo". Did you mean "kubernetes-gpu"?'),
      ]);
    },
  );

  test.each(["update", "deactivate", "activate", "delete"])("%s leaves other environments alone", async (command) => {
    await fiftyone.orchestrators.insertOne({ instance_id: "brick", environment: "databricks" });
    expect((await run([command, "brick"])).err).toContain("on databricks: opjob does not change it");
  });
});

test("deactivate sets deactivated_at, activate takes it away; never a null", async () => {
  await register("gpu");
  expect((await run(["deactivate", "gpu"])).out).toBe("orchestrator gpu is deactivated\n");
  expect(await fiftyone.record("gpu")).toMatchObject({ deactivated_at: expect.any(Date) });
  expect((await run(["deactivate", "gpu"])).out).toContain("already deactivated");
  expect((await run(["activate", "gpu"])).out).toBe("orchestrator gpu is active\n");
  expect(await fiftyone.record("gpu")).not.toHaveProperty("deactivated_at");
});

test("the record that counts is changed where several have one name", async () => {
  const record = { instance_id: "gpu", environment: "kubernetes", config: { executionTmplUri: "/a" } };
  await fiftyone.orchestrators.insertMany([
    { ...record, updated_at: new Date(2), active: true },
    { ...record, updated_at: new Date(3), deactivated_at: new Date(3) },
    { ...record, updated_at: new Date(1) },
  ]);
  await run(["update", "gpu", "--image", "i"]);
  expect(await fiftyone.orchestrators.findOne({ "config.image": "i" })).toMatchObject({ active: true });
});

describe("delete", () => {
  test("asks, and leaves the secret unless told else", async () => {
    await register("gpu", "--kubeconfig", file("kubeconfig"));
    expect((await run(["delete", "gpu"])).err).toContain("--yes");
    expect((await run(["delete", "gpu"], { terminal: true, input: "\n" })).code).toBe(1);
    expect((await run(["delete", "gpu", "--yes"])).out).toBe("orchestrator gpu deleted\n");
    expect(await fiftyone.secrets.countDocuments()).toBe(1);
  });

  test("deletes the secret as well, unless another orchestrator names it", async () => {
    await register("gpu", "--kubeconfig", file("kubeconfig"));
    await register("cpu", "--kubeconfig-secret", "KUBE_CONFIG_GPU");
    expect((await run(["delete", "gpu", "--yes", "--secret"])).out).toContain(
      "secret KUBE_CONFIG_GPU kept: cpu names it",
    );
    expect((await run(["delete", "cpu", "--yes", "--secret"])).out).toContain("secret KUBE_CONFIG_GPU deleted");
    expect(await fiftyone.secrets.countDocuments()).toBe(0);
  });

  test("is refused while operations have not ended, unless forced", async () => {
    await register("gpu");
    await fiftyone.operations.insertMany([
      queued({ delegation_target: "gpu" }),
      queued({ delegation_target: "gpu", run_state: "completed" }),
    ]);
    const { code, err } = await run(["delete", "gpu", "--yes"]);
    expect([code, err]).toEqual([1, expect.stringContaining('1 operations of "gpu" have not ended')]);
    expect((await run(["delete", "gpu", "--yes", "--force"])).code).toBe(0);
  });
});
