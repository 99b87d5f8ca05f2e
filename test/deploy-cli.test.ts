// Whether the roles of deploy/ suffice for people's commands, with users who have nothing more; and allow nothing else.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { MongoClient } from "mongodb";
import { type LocalKubernetes, startLocalKubernetes } from "../src/local/kubernetes/server.ts";
import { type Mongod, startMongod } from "../src/local/mongod.ts";
import { opjob, type Run } from "./command-line.ts";
import { dataUri, until } from "./local-daemon.ts";
import { makeUser } from "./mongodb-role.ts";
import { queued } from "./operations/documents.ts";
import { template } from "./scene.ts";

const KEY = Buffer.alloc(32, 5).toString("base64");
let mongod: Mongod;
let admin: MongoClient;
let folder: string;

beforeAll(async () => {
  mongod = await startMongod({ replicaSet: true, auth: { user: "root", password: "root-pass" } });
  admin = await MongoClient.connect(mongod.uri);
  await makeUser(admin, "deploy/mongodb-role.js", "opjob");
  await makeUser(admin, "deploy/mongodb-cli-role.js", "opjob-cli");
  folder = await mkdtemp(join(tmpdir(), "opjob-roles-"));
}, 60_000);
afterAll(async () => {
  await admin.close();
  await mongod.stop();
  await rm(folder, { recursive: true });
});

const uriOf = (user: string): string => mongod.uri.replace("root:root-pass@", `${user}:${user}-pass@`);
const as = (user: string, args: readonly string[], { env, ...rest }: Run = {}) =>
  opjob(args, { env: { FIFTYONE_DATABASE_URI: uriOf(user), FIFTYONE_ENCRYPTION_KEY: KEY, ...env }, ...rest });
/** Runs a command that must go well. */
async function well(user: string, args: readonly string[], run?: Run): Promise<string> {
  const { code, out, err } = await as(user, args, run);
  expect([args.join(" "), code, err]).toEqual([args.join(" "), 0, expect.any(String)]);
  return out;
}

describe("the role for commands", () => {
  const cli = (args: readonly string[], run?: Run) => well("opjob-cli", args, run);

  test("lets a person do everything that commands do", async () => {
    await using kubernetes = await startLocalKubernetes({ run: "simulated" });
    const kubeconfig = join(folder, "kubeconfig");
    const file = join(folder, "orchestrators.yaml");
    await writeFile(kubeconfig, kubernetes.kubeconfig());
    await writeFile(file, `instance_id: applied\nconfig: { executionTmplUri: "${dataUri(template())}" }\n`);
    const uri = ["--execution-template", dataUri(template())];
    await cli(["orchestrator", "register", "gpu", ...uri, "--kubeconfig", kubeconfig]);
    await cli(["orchestrator", "update", "gpu", "--namespace", "default"]);
    await cli(["orchestrator", "list"]);
    await cli(["orchestrator", "show", "gpu"]);
    await refreshed(kubernetes, () => cli(["orchestrator", "refresh", "gpu"]));
    await cli(["orchestrator", "deactivate", "gpu"]);
    await cli(["orchestrator", "activate", "gpu"]);
    await cli(["apply", "-f", file, "--yes"]);
    await cli(["secret", "set", "OTHER", "--description", "d"], { input: "value" });
    await cli(["secret", "set", "OTHER", "--description", "e"], { input: "another" });
    await cli(["secret", "list"]);
    await cli(["secret", "show", "OTHER", "--reveal", "--yes"]);
    await cli(["secret", "check"]);
    await cli(["secret", "rotate", "KUBE_CONFIG_GPU", "--file", kubeconfig]);
    const next = { FIFTYONE_ENCRYPTION_KEY: Buffer.alloc(32, 6).toString("base64"), OPJOB_OLD_ENCRYPTION_KEY: KEY };
    expect(await cli(["secret", "reencrypt", "--yes"], { env: next })).toContain("2 re-encrypted");
    await cli(["secret", "delete", "OTHER", "--yes"]);
    await cli(["orchestrator", "delete", "gpu", "--yes", "--secret"]);
    await cli(["ops"]);
    expect(await admin.db("fiftyone").collection("orchestrators").distinct("instance_id")).toEqual(["applied"]);
    expect(await admin.db("fiftyone").collection("secrets").countDocuments()).toBe(0);
  });

  /** Plays the worker of the registration Job, with rights of its own. */
  async function refreshed(kubernetes: LocalKubernetes, refresh: () => Promise<string>): Promise<void> {
    const refreshing = refresh();
    const name = await until("its Pod", async () => {
      const pods = (await (await fetch(`${kubernetes.url}/api/v1/namespaces/default/pods`)).json()) as Pods;
      return pods.items[0]?.metadata.name;
    });
    const reported = { available_operators: ["@team/plugin/a"], updated_at: new Date() };
    await admin.db("fiftyone").collection("orchestrators").updateOne({ instance_id: "gpu" }, { $set: reported });
    kubernetes.simulate.finish({ namespace: "default", name }, 0);
    expect(await refreshing).toContain("+ @team/plugin/a");
  }
  type Pods = { readonly items: readonly { readonly metadata: { readonly name: string } }[] };

  test("allows nothing else", async () => {
    const own = await MongoClient.connect(uriOf("opjob-cli"));
    const db = own.db("fiftyone");
    const refused = [
      () => db.collection("delegated_ops").updateMany({}, { $set: { run_state: "queued" } }),
      () => db.collection("delegated_ops").insertOne({}),
      () => db.collection("delegated_ops").deleteMany({}),
      () => db.collection("orchestrators").createIndex({ instance_id: 1 }),
      () => db.collection("orchestrators").drop(),
      () => db.collection("datasets").findOne({}),
      () => db.listCollections({}, { nameOnly: false }).toArray(),
    ];
    for (const act of refused) await expect(act()).rejects.toMatchObject({ code: 13 });
    await own.close();
  });
});

describe("the daemon's role", () => {
  test("suffices to look, and every write is refused with words", async () => {
    const operation = queued({ delegation_target: null });
    await admin.db("fiftyone").collection("delegated_ops").insertOne(operation);
    const id = operation._id.toHexString();
    for (const args of [
      ["ops"],
      ["status"],
      ["explain", id],
      ["orchestrator", "list"],
      ["secret", "list"],
      ["secret", "check"],
    ]) {
      expect([args[0], (await as("opjob", args)).err]).toEqual([args[0], ""]);
    }
    await admin.db("fiftyone").collection("secrets").insertOne({ key: "S", value: "x" });
    const writes: [string[], Run?][] = [
      [["orchestrator", "register", "mine", "--execution-template", "/t"]],
      [["secret", "delete", "S", "--yes"]],
    ];
    for (const [args, run] of writes) {
      const { code, err } = await as("opjob", args, run);
      expect([code, err]).toEqual([
        1,
        expect.stringMatching(/^opjob: MongoDB refused: not authorized.*\nGive the user/),
      ]);
    }
  });
});
