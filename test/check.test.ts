// `opjob check`, as a person and as a program see it: one sound orchestrator, and each thing that can be wrong with one.
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { check } from "../src/cli/check.ts";
import { type Row, reportJson, reportTable } from "../src/cli/check-report.ts";
import { type LocalKubernetes, startLocalKubernetes } from "../src/local/kubernetes/server.ts";
import { encryptToken, fernetKey } from "../src/orchestrators/fernet.ts";
import { run } from "./command.ts";
import { ENCRYPTION_KEY, type OrchestratorFields, register, storeSecret } from "./local-daemon.ts";
import { type TestDatabase, testDatabase } from "./mongo.ts";
import { template } from "./scene.ts";

const NAMESPACE = "fiftyone";
const ADMIN = "admin-admin-admin-token";
const READER = "reader-reader-reader-token";
const seed = (name: string): string => readFileSync(`test/templates/seed/${name}.yaml.j2`, "utf8");
const SOUND = template({ job: "ttlSecondsAfterFinished: 60\nactiveDeadlineSeconds: 60" })
  .replace("command:", "resources: { limits: { memory: 1Gi } }\n        command:")
  .replace(
    "command:",
    "env: [{ name: FIFTYONE_DATABASE_URI, valueFrom: { secretKeyRef: { name: s, key: k } } }]\n        command:",
  );

let database: TestDatabase;
let kubernetes: LocalKubernetes;
let environment: Record<string, string>;
/** An address where nobody listens any more. */
let nobody: string;

beforeAll(async () => {
  database = await testDatabase();
  kubernetes = await startLocalKubernetes({
    run: "simulated",
    namespaces: [NAMESPACE, "your-org-fiftyone-ai"],
    tokens: { [ADMIN]: { user: "admin" }, [READER]: { user: "reader", allow: (verb) => verb !== "create" } },
  });
  const { db } = database;
  const good = kubernetes.kubeconfig({ token: ADMIN });
  await storeSecret(db, "KUBE", good);
  await storeSecret(db, "READER", kubernetes.kubeconfig({ token: READER }));
  await storeSecret(db, "REVOKED", kubernetes.kubeconfig({ token: "revoked-revoked-token" }));
  await storeSecret(db, "AWAY", good.replace(kubernetes.url, "http://127.0.0.1:1"));
  const otherKey = fernetKey(randomBytes(32).toString("base64url").padEnd(44, "="));
  await db.collection("secrets").insertOne({ key: "FOREIGN", value: encryptToken(otherKey, good, Date.now()) });
  const gone = await startLocalKubernetes({ run: "simulated" });
  nobody = gone.url;
  await gone.stop();
  environment = {
    FIFTYONE_DATABASE_URI: database.uri,
    FIFTYONE_DATABASE_NAME: database.name,
    FIFTYONE_ENCRYPTION_KEY: ENCRYPTION_KEY,
    OPJOB_KUBERNETES_TIMEOUT_SECONDS: "5",
  };
});
afterAll(async () => {
  await kubernetes?.[Symbol.asyncDispose]();
  await database?.[Symbol.asyncDispose]();
});

const surroundings = { inCluster: false, serviceAccountNamespace: undefined };
let count = 0;

/** Registers an orchestrator and checks it alone. */
async function checked(
  fields: Partial<Omit<OrchestratorFields, "id">>,
  more: Record<string, string> = {},
): Promise<Row[]> {
  const id = `o-${++count}`;
  const config = { namespace: NAMESPACE, ...fields.config };
  await register(database.db, { id, template: SOUND, secret: "KUBE", ...fields, config });
  const rows = await check({ environment: { ...environment, ...more }, surroundings }, id);
  const text = reportTable(rows, false) + reportJson(rows);
  for (const secret of [ADMIN, READER, ENCRYPTION_KEY, database.uri]) expect(text).not.toContain(secret);
  return rows.filter(({ subject }) => subject === `orchestrator ${id}`);
}
const states = (rows: readonly Row[]) => rows.map(({ step, state }) => `${step} ${state}`);
const wrong = (rows: readonly Row[]) => rows.filter(({ state }) => state !== "ok" && state !== "skipped");

test("a sound orchestrator is in order at every step, and nothing was created", async () => {
  const rows = await checked({});
  expect(states(rows)).toEqual(
    ["record", "credentials", "template", "cluster", "permissions", "dry run"].map((s) => `${s} ok`),
  );
  const jobs = await fetch(`${kubernetes.url}/apis/batch/v1/jobs`, { headers: { authorization: `Bearer ${ADMIN}` } });
  expect(((await jobs.json()) as { items: unknown[] }).items).toEqual([]);
});

type Wrong = {
  readonly what: string;
  readonly fields: Partial<Omit<OrchestratorFields, "id">>;
  readonly step: string;
  readonly code: string;
  readonly words: RegExp;
  readonly remedy: RegExp;
  /** What the template's line holds. */
  readonly at?: string;
};

const WRONG: readonly Wrong[] = [
  {
    what: "no template at the path",
    fields: { template: "/templates/none.yaml.j2" },
    step: "template",
    code: "TEMPLATE_MISSING",
    words: /no template file "\/templates\/none\.yaml\.j2"/,
    remedy: /Mount the template/,
  },
  {
    what: "a template that is no Jinja2",
    fields: { template: SOUND.replace("{% endfor %}", "{% endfro %}") },
    step: "template",
    code: "TEMPLATE_RENDER_FAILED",
    words: /endfro/,
    remedy: /named line/,
    at: "endfor",
  },
  {
    what: "a template that is no YAML",
    fields: { template: SOUND.replace("backoffLimit: 0", "backoffLimit: 0\n  bad: [") },
    step: "template",
    code: "TEMPLATE_YAML_INVALID",
    words: /invalid YAML/,
    remedy: /opjob render/,
  },
  {
    what: "a template that is no Job",
    fields: { template: SOUND.replace("kind: Job", "kind: CronJob") },
    step: "template",
    code: "TEMPLATE_NOT_A_JOB",
    words: /not "batch\/v1 CronJob"/,
    remedy: /exactly one document/,
  },
  {
    what: "a value that Kubernetes refuses",
    fields: { template: SOUND.replace("restartPolicy: Never", "restartPolicy: Sometimes") },
    step: "dry run",
    code: "JOB_REFUSED",
    words: /spec\.template\.spec\.restartPolicy: Unsupported value: "Sometimes"/,
    remedy: /Correct the named fields/,
    at: "restartPolicy",
  },
  {
    what: "a number where a text belongs",
    fields: { template: SOUND.replace("backoffLimit: 0", 'backoffLimit: "none"') },
    step: "dry run",
    code: "JOB_REFUSED",
    words: /cannot unmarshal string into Go struct field JobSpec\.spec\.backoffLimit/,
    remedy: /Correct the named fields/,
    at: "backoffLimit",
  },
  {
    what: "no right to create Jobs",
    fields: { secret: "READER" },
    step: "permissions",
    code: "CLUSTER_FORBIDDEN",
    words: /may not create jobs in the namespace "fiftyone"/,
    remedy: /deploy\/role\.yaml/,
  },
  {
    what: "a token that was revoked",
    fields: { secret: "REVOKED" },
    step: "cluster",
    code: "CLUSTER_UNAUTHORIZED",
    words: /Unauthorized/,
    remedy: /Renew the kubeconfig/,
  },
  {
    what: "a namespace that is missing",
    fields: { config: { namespace: "nowhere" } },
    step: "dry run",
    code: "CLUSTER_NAMESPACE_MISSING",
    words: /namespaces "nowhere" not found/,
    remedy: /Create the namespace/,
  },
  {
    what: "a secret that is missing",
    fields: { secret: "NO_SUCH_SECRET" },
    step: "credentials",
    code: "SECRET_MISSING",
    words: /no secret "NO_SUCH_SECRET"/,
    remedy: /Create the secret/,
  },
  {
    what: "a secret of another key",
    fields: { secret: "FOREIGN" },
    step: "credentials",
    code: "SECRET_UNREADABLE",
    words: /"FOREIGN" cannot be decrypted: it was encrypted with another key/,
    remedy: /FIFTYONE_ENCRYPTION_KEY/,
  },
  {
    what: "a kubeconfig without the context",
    fields: { config: { context: "prod" } },
    step: "credentials",
    code: "KUBECONFIG_CONTEXT_MISSING",
    words: /no context "prod"; it has "local"/,
    remedy: /Correct `context`/,
  },
  {
    what: "a cluster that is away",
    fields: { secret: "AWAY" },
    step: "cluster",
    code: "CLUSTER_UNREACHABLE",
    words: /http:\/\/127\.0\.0\.1:1 could not be reached .*ECONNREFUSED/,
    remedy: /server address/,
  },
  {
    what: "a store that is away",
    fields: { template: "gs://templates/gpu.yaml.j2" },
    step: "template",
    code: "TEMPLATE_STORE_UNREACHABLE",
    words: /store of the template "gs:\/\/templates\/gpu\.yaml\.j2" is away: ECONNREFUSED/,
    remedy: /network between opjob and the store/,
  },
];

test.each(WRONG)(
  "$what is one error, with its place and its remedy",
  async ({ fields, step, code, words, remedy, at }) => {
    const rows = await checked(fields, { STORAGE_EMULATOR_HOST: nobody });
    const errors = rows.filter(({ state, code: found }) => state === "error" && found === code);
    expect(errors).toHaveLength(1);
    expect(rows.filter(({ state }) => state === "error").map(({ code: found }) => found)).toContain(code);
    const [error] = errors;
    expect([error?.step, error?.message]).toEqual([step, expect.stringMatching(words)]);
    expect(error?.remedy).toMatch(remedy);
    const { template: source = SOUND } = fields;
    if (at !== undefined) expect(SOUND.split("\n")[(error?.line ?? 0) - 1]).toContain(at);
    else if (source.includes("\n") === false) expect(error?.line).toBeUndefined();
  },
);

test("FiftyOne's production template runs, with a warning that names its unknown field, the line and the right name", async () => {
  const source = seed("production");
  const rows = await checked({ template: source });
  expect(rows.filter(({ state }) => state === "error")).toEqual([]);
  const warnings = rows.filter(({ state }) => state === "warning");
  expect(warnings).toEqual([
    {
      subject: expect.any(String),
      step: "dry run",
      state: "warning",
      code: "unknown-field",
      message: expect.stringContaining('no field "spec.template.spec.podSecurityContext"'),
      remedy: "Did you mean securityContext? Correct its name, or take it out.",
      line: source.split("\n").findIndex((line) => line.includes("podSecurityContext")) + 1,
    },
  ]);
});

test("what hurts later is told with its line", async () => {
  const rows = await checked({ template: SOUND.replace("backoffLimit: 0", "backoffLimit: 3") });
  expect(wrong(rows)).toMatchObject([{ state: "warning", code: "backoff-limit", line: 9 }]);
});

test("two faults are both told, and the cluster is asked although the template is wrong", async () => {
  const rows = await checked({ template: "/none", secret: "READER" });
  expect(states(rows)).toEqual([
    "record ok",
    "credentials ok",
    "template error",
    "cluster ok",
    "permissions error",
    "dry run skipped",
  ]);
});

describe("what concerns all orchestrators", () => {
  const all = (more: Record<string, string>) =>
    check({ environment: { ...environment, ...more }, surroundings }, undefined);
  const errors = (rows: readonly Row[]) => rows.filter(({ state }) => state === "error");

  test("the settings", async () => {
    expect(errors(await all({ OPJOB_SWEEP: "x" }))).toMatchObject([{ subject: "settings", code: "SETTING_INVALID" }]);
    const [row] = errors(await all({ FIFTYONE_ENCRYPTION_KEY: "too-short-a-key" }));
    expect(row).toMatchObject({ subject: "settings", code: "ENCRYPTION_KEY_INVALID" });
  });

  test("a database that does not answer ends the check", async () => {
    const rows = await all({
      FIFTYONE_DATABASE_URI: "mongodb://user:hunter2hunter2@127.0.0.1:1/?serverSelectionTimeoutMS=300",
    });
    expect(errors(rows)).toMatchObject([{ subject: "database", step: "reachable", code: "DATABASE_UNREACHABLE" }]);
    expect(JSON.stringify(rows)).not.toContain("hunter2");
  });

  test("a database that is empty is likely not the one that was meant", async () => {
    const rows = await all({ FIFTYONE_DATABASE_NAME: "nothing_here" });
    expect(errors(rows)).toEqual([]);
    expect(wrong(rows)).toMatchObject([
      { step: "content", remedy: expect.stringContaining("FIFTYONE_DATABASE_NAME") },
      { subject: "orchestrators" },
    ]);
  });

  test("an orchestrator that is not there, with the name that was likely meant", async () => {
    await register(database.db, { id: "kubernetes-gpu", template: SOUND, secret: "KUBE" });
    const rows = await check({ environment, surroundings }, "kubernetes-gpuu");
    expect(errors(rows)).toMatchObject([{ step: "record", remedy: "Did you mean kubernetes-gpu?" }]);
  });

  test("nothing was written anywhere", async () => {
    const names = (await database.db.listCollections().toArray()).map(({ name }) => String(name));
    expect(names.toSorted()).toEqual(["orchestrators", "secrets"]);
  });
});

describe("the command", () => {
  const id = "command";
  beforeAll(async () => {
    await register(database.db, { id, template: seed("production"), secret: "KUBE", config: { namespace: NAMESPACE } });
    await register(database.db, { id: "broken", template: "/none", secret: "KUBE", config: { namespace: NAMESPACE } });
  });

  test("prints a table without colours into a pipe, and ends with 0 although it warns", async () => {
    const { code, out, err } = await run(["check", id], environment);
    expect([code, err]).toEqual([0, ""]);
    expect(out).not.toContain("\u001b");
    expect(out).toMatch(/^ {2}! dry run +line 21: There is no field "spec\.template\.spec\.podSecurityContext"/m);
    expect(out).toMatch(/^ {2}✓ permissions +all that opjob needs in the namespace "your-org-fiftyone-ai"$/m);
    expect(out).toMatch(/1 warning, \d hints?\.\n$/);
  });

  test("--strict ends with 2 for a warning, and an error with 1", async () => {
    expect((await run(["check", id, "--strict"], environment)).code).toBe(2);
    expect((await run(["check", "broken", "--strict"], environment)).code).toBe(1);
  });

  test("--json is for programs", async () => {
    const { code, out } = await run(["check", "broken", "--json"], environment);
    const report = JSON.parse(out) as { ok: boolean; errors: number; checks: Row[] };
    expect([code, report.ok, report.errors]).toEqual([1, false, 1]);
    expect(report.checks).toContainEqual(
      expect.objectContaining({ code: "TEMPLATE_MISSING", subject: "orchestrator broken" }),
    );
  });
});

test("colours are for terminals", () => {
  const rows: Row[] = [{ subject: "s", step: "t", state: "error", message: "m", remedy: "r", line: 3 }];
  expect(reportTable(rows, false)).toBe("s\n  ✗ t  line 3: m\n       → r\n\n1 error.\n");
  expect(reportTable(rows, true)).toContain("\u001b[31m✗\u001b[0m");
  expect(reportTable([], false)).toBe("\n\nNothing is wrong.\n");
});
