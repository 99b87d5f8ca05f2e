// Bad input, seen from outside: a dozen broken orchestrators beside a sound one, in one database, under one daemon.
// Each says what is wrong and what to do; what can never succeed fails, what may pass waits; nobody else's work stops.
import { randomBytes } from "node:crypto";
import { expect, test } from "@jest/globals";
import { EJSON } from "bson";
import type { Db } from "mongodb";
import { encryptToken, fernetKey } from "../src/orchestrators/fernet.ts";
import { ENCRYPTION_KEY, type OrchestratorFields, register, storeSecret, until } from "./local-daemon.ts";
import { NAMESPACE, type Scene, scene, template } from "./scene.ts";

const TOKEN = "hunter2-hunter2-hunter2";
const WEAK = "weak-weak-weak";
const inNamespace = { config: { namespace: NAMESPACE } };

type Broken = {
  readonly name: string;
  readonly fields: Omit<OrchestratorFields, "id">;
  /** The code, and words that must stand in the message. */
  readonly reason: string;
  readonly words: RegExp;
  /** Whether it can never succeed as it is. */
  readonly fails: boolean;
};

const sound = template();
const broken = (name: string, fields: Omit<OrchestratorFields, "id">, reason: string, words: RegExp): Broken => ({
  name,
  fields,
  reason,
  words,
  fails: reason.startsWith("TEMPLATE_")
    ? !/MISSING|UNREADABLE|UNSUPPORTED|FORBIDDEN|UNREACHABLE/.test(reason)
    : reason === "JOB_REFUSED",
});

const BROKEN: readonly Broken[] = [
  broken("no such secret", { template: sound, secret: "NOWHERE" }, "SECRET_MISSING", /"NOWHERE"/),
  broken("another key's secret", { template: sound, secret: "FOREIGN" }, "SECRET_UNREADABLE", /"FOREIGN".*another key/),
  broken("a secret that is no token", { template: sound, secret: "PLAIN" }, "SECRET_UNREADABLE", /not a Fernet token/),
  broken("a kubeconfig that is no YAML", { template: sound, secret: "NO_YAML" }, "KUBECONFIG_INVALID", /"NO_YAML"/),
  broken(
    "a context that is missing",
    { template: sound, secret: "KUBE", config: { context: "prod" } },
    "KUBECONFIG_CONTEXT_MISSING",
    /no context "prod"; it has "local"/,
  ),
  broken("credentials by a command", { template: sound, secret: "EXEC" }, "KUBECONFIG_EXEC_REFUSED", /runs a command/),
  broken(
    "a cluster that is away",
    { template: sound, secret: "AWAY", ...inNamespace },
    "CLUSTER_UNREACHABLE",
    /ECONNREFUSED/,
  ),
  broken(
    "no rights",
    { template: sound, secret: "WEAK", ...inNamespace },
    "CLUSTER_FORBIDDEN",
    /User "weak" cannot create resource "jobs"/,
  ),
  broken(
    "a revoked token",
    { template: sound, secret: "REVOKED", ...inNamespace },
    "CLUSTER_UNAUTHORIZED",
    /Unauthorized/,
  ),
  broken(
    "a namespace that is missing",
    { template: sound, secret: "KUBE", config: { namespace: "nowhere" } },
    "CLUSTER_NAMESPACE_MISSING",
    /namespaces "nowhere" not found/,
  ),
  broken("no template at the path", { template: "/no/such.yaml.j2", secret: "KUBE" }, "TEMPLATE_MISSING", /\/no\/such/),
  broken(
    "a store it cannot read",
    { template: "ftp://host/a.yaml", secret: "KUBE" },
    "TEMPLATE_LOCATION_UNSUPPORTED",
    /ftp:\/\//,
  ),
  broken(
    "a template that is no Jinja2",
    { template: "a: 1\nb: {{ 1 +\n", secret: "KUBE" },
    "TEMPLATE_RENDER_FAILED",
    /line 2/,
  ),
  broken(
    "a template that is no YAML",
    { template: "a: 1\n b: [\n", secret: "KUBE" },
    "TEMPLATE_YAML_INVALID",
    /line \d+, column/,
  ),
  broken(
    "a template that is no Job",
    { template: "kind: Pod\napiVersion: v1\n", secret: "KUBE" },
    "TEMPLATE_NOT_A_JOB",
    /"v1 Pod"/,
  ),
  broken(
    "a Job without containers",
    { template: sound.replace(/containers:[\s\S]*/, "containers: []\n"), secret: "KUBE" },
    "TEMPLATE_NOT_A_JOB",
    /at least one container/,
  ),
  broken(
    "a name that Kubernetes refuses",
    { template: template({ name: "Not_A_Name" }), secret: "KUBE", ...inNamespace },
    "TEMPLATE_JOB_INVALID",
    /metadata\.name must consist of small letters/,
  ),
  broken(
    "a label that Kubernetes refuses",
    { template: sound.replace("task-id: {{ _id }}", 'task-id: "no spaces!"'), secret: "KUBE", ...inNamespace },
    "TEMPLATE_JOB_INVALID",
    /metadata\.labels/,
  ),
  broken(
    "a field that only Kubernetes can refuse",
    { template: template({ container: "imagePullPolicy: Perhaps" }), secret: "KUBE", ...inNamespace },
    "JOB_REFUSED",
    /imagePullPolicy/,
  ),
];

test("each broken orchestrator says what is wrong, and the sound one goes on", async () => {
  await using stage = await scene(sound, { accounts: { [WEAK]: { user: "weak", allow: () => false } } });
  await furnish(stage);
  await stage.start();
  const ids = new Map<string, Broken>();
  for (const [i, one] of BROKEN.entries()) {
    await register(stage.database.db, { id: `broken-${i}`, ...one.fields });
    ids.set(await stage.queue({ delegation_target: `broken-${i}` }), one);
  }
  await stage.launched(await stage.queue());
  for (const [id, { name, reason, words, fails }] of ids) {
    const operation = await stage.reaches(id, reason);
    const text = fails ? operation.result?.error : operation.opjob?.message;
    expect([name, operation.run_state]).toEqual([name, fails ? "failed" : "queued"]);
    expect([name, text]).toEqual([name, expect.stringMatching(words)]);
    if (fails) expect(text).toContain("What to do: ");
  }
  await stage.launched(await stage.queue());
  expect(await stage.jobs()).toHaveLength(2);
  await noSecretIn(stage);
});

test("a fault that passes is tried again by itself, and the operation goes on", async () => {
  await using stage = await scene();
  await stage.start();
  stage.kubernetes.faults.freeze();
  const id = await stage.queue();
  await until("the API server is asked", () => stage.kubernetes.counts().connections > 0);
  stage.kubernetes.faults.thaw();
  await stage.launched(id);
});

test("a wrong key holds what needs a secret, says so, and names the setting", async () => {
  await using stage = await scene();
  await stage.start({ FIFTYONE_ENCRYPTION_KEY: "too-short" });
  const operation = await stage.reaches(await stage.queue(), "ENCRYPTION_KEY_INVALID");
  expect(operation.run_state).toBe("queued");
  expect(operation.opjob?.message).toMatch(/^FIFTYONE_ENCRYPTION_KEY is not a Fernet key/);
  expect(operation.opjob?.message).not.toContain("too-short");
});

async function furnish({ database: { db }, kubernetes }: Scene): Promise<void> {
  const good = kubernetes.kubeconfig({ token: TOKEN });
  await storeSecret(db, "NO_YAML", `{ token: ${TOKEN}`);
  await storeSecret(db, "AWAY", good.replace(kubernetes.url, "http://127.0.0.1:1"));
  await storeSecret(
    db,
    "EXEC",
    good.replace(/token: .*/, "exec: { apiVersion: v1, command: cat, args: [/etc/passwd] }"),
  );
  await storeSecret(db, "WEAK", kubernetes.kubeconfig({ token: WEAK }));
  await storeSecret(db, "REVOKED", good);
  const otherKey = fernetKey(randomBytes(32).toString("base64url").padEnd(44, "="));
  await put(db, "FOREIGN", encryptToken(otherKey, good, Date.now()));
  await put(db, "PLAIN", TOKEN);
}

const put = (db: Db, key: string, value: string) => db.collection("secrets").insertOne({ key, value });

/** Neither what the daemon logged nor what it wrote to the database holds a key, a token or the database's address. */
async function noSecretIn({ database: { db, uri }, daemon }: Scene): Promise<void> {
  const documents = await db.collection("delegated_ops").find().toArray();
  const metrics = await (await fetch(`${daemon().url}/metrics`)).text();
  const written = JSON.stringify(daemon().lines) + EJSON.stringify(documents) + metrics;
  for (const secret of [ENCRYPTION_KEY, uri, TOKEN, WEAK]) expect(written).not.toContain(secret);
}
