// What a template will hurt by later: each rule with a Job that breaks it, the sound templates that break none, and silence
// about every value.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import type { Json, JsonObject } from "../../src/templates/json.ts";
import { lintJob } from "../../src/templates/lint.ts";
import { compileTemplate } from "../../src/templates/render.ts";

const ID = "000000000000000000000000";
const SECRET = "hunter2hunter2";
const ENV: Json[] = ["FIFTYONE_DATABASE_URI", "API_URL", "FIFTYONE_ENCRYPTION_KEY", "FIFTYONE_INTERNAL_SERVICE"].map(
  (name) => ({ name, valueFrom: { secretKeyRef: { name: "s", key: "k" } } }),
);

type Parts = { spec?: JsonObject; pod?: JsonObject; container?: JsonObject; more?: Json[] };

const job = ({ spec, pod, container, more = [] }: Parts = {}): JsonObject => ({
  spec: {
    backoffLimit: 0,
    ttlSecondsAfterFinished: 60,
    activeDeadlineSeconds: 60,
    template: {
      spec: {
        restartPolicy: "Never",
        containers: [
          {
            name: "w",
            image: "a/b:1",
            args: ["run", ID],
            env: ENV,
            resources: { limits: { memory: "1Gi" } },
            ...container,
          },
          ...more,
        ],
        ...pod,
      },
    },
    ...spec,
  },
});

const lint = (parts?: Parts, openSource = false) => lintJob(job(parts), { operation: ID, openSource });
const rules = (parts?: Parts, openSource?: boolean) =>
  lint(parts, openSource).map(({ severity, rule, path }) => `${severity} ${rule} ${path}`);
const withEnv = (...env: Json[]): Parts => ({ container: { env: [...ENV, ...env] } });
const without = (...names: string[]): Parts => ({
  container: { env: ENV.filter((one) => !names.includes((one as { name: string }).name)) },
});

const WORKER = "spec.template.spec.containers[0]";

test("a sound Job has no findings", () => {
  expect(lint()).toEqual([]);
});

test.each<[string, Parts, string[]]>([
  ["no restartPolicy", { pod: { restartPolicy: null } }, ["error restart-policy spec.template.spec.restartPolicy"]],
  ["OnFailure", { pod: { restartPolicy: "OnFailure" } }, ["error restart-policy spec.template.spec.restartPolicy"]],
  ["a backoffLimit", { spec: { backoffLimit: 3 } }, ["warning backoff-limit spec.backoffLimit"]],
  ["two Pods", { spec: { parallelism: 2, completions: 1 } }, ["warning more-than-one spec.parallelism"]],
  ["a Pod's own deadline", { spec: { activeDeadlineSeconds: null }, pod: { activeDeadlineSeconds: 5 } }, []],
  ["no database", without("FIFTYONE_DATABASE_URI"), [`warning worker-database ${WORKER}.env`]],
  ["half of Enterprise", without("API_URL"), [`warning worker-enterprise ${WORKER}.env`]],
  ["variables from elsewhere", { container: { env: [], envFrom: [{ secretRef: { name: "s" } }] } }, []],
  ["no resources", { container: { resources: {} } }, [`hint no-resources ${WORKER}`]],
  ["no tag", { container: { image: "registry:5000/a" } }, [`hint latest-image ${WORKER}.image`]],
  ["latest", { container: { image: "a:latest" } }, [`hint latest-image ${WORKER}.image`]],
  ["latest with a policy", { container: { image: "a:latest", imagePullPolicy: "IfNotPresent" } }, []],
  ["a digest", { container: { image: "a@sha256:00" } }, []],
  [
    "a sidecar's variables are its own, its secrets are not",
    { more: [{ name: "s", image: "a:1", env: [{ name: "A_TOKEN", value: SECRET }] }] },
    ["warning plain-secret spec.template.spec.containers[1].env[0].value"],
  ],
])("%s", (_, parts, expected) => {
  const clean = JSON.parse(JSON.stringify(job(parts), (__, value: unknown) => value ?? undefined)) as JsonObject;
  const found = lintJob(clean, { operation: ID, openSource: false });
  expect(found.map(({ severity, rule, path }) => `${severity} ${rule} ${path}`)).toEqual(expected);
});

test("a Job that says nothing is told what Kubernetes would do", () => {
  const found = lintJob(
    { spec: { template: { spec: { containers: [{ name: "w" }] } } } },
    { operation: ID, openSource: true },
  );
  expect(found.map(({ rule }) => rule)).toEqual([
    "restart-policy",
    "backoff-limit",
    "no-ttl",
    "no-deadline",
    "worker-database",
    "no-resources",
  ]);
  expect(found[1]?.message).toContain("6 times more");
});

test("whoever runs the open-source worker is not told of Enterprise, unless half of it is there", () => {
  const all = ["API_URL", "FIFTYONE_ENCRYPTION_KEY", "FIFTYONE_INTERNAL_SERVICE"];
  expect(rules(without(...all), true)).toEqual([]);
  expect(rules(without(...all), false)).toEqual([`hint worker-enterprise ${WORKER}.env`]);
  expect(rules(without("API_URL"), true)).toEqual([`warning worker-enterprise ${WORKER}.env`]);
});

describe("a secret in plain text", () => {
  test.each([
    ["FIFTYONE_ENCRYPTION_KEY", SECRET],
    ["AWS_SECRET_ACCESS_KEY", SECRET],
    ["HF_TOKEN", SECRET],
    ["DB_PASSWORD", SECRET],
    ["MY_SECRET_VALUE", SECRET],
    ["apiKey", SECRET],
    ["DATABASE", `mongodb://user:${SECRET}@host/db`],
    ["BROKER", `amqps://:${SECRET}@host`],
  ])("%s is found by its name or its address, and not repeated", (name, value) => {
    const found = lint(withEnv({ name, value }));
    expect(found).toMatchObject([{ severity: "warning", rule: "plain-secret", path: `${WORKER}.env[4].value` }]);
    expect(found[0]?.message).toContain(name);
    expect(JSON.stringify(found)).not.toContain(SECRET);
  });

  test.each([
    ["FIFTYONE_ENCRYPTION_KEY", ""],
    ["USE_TOKEN", "true"],
    ["TOKEN", "/var/run/token"],
    ["PASSWORD_FILE", "secret.txt"],
    ["SECRET_NAME", "fiftyone-secrets"],
    ["AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"],
    ["CACHE_KEY", "$(POD_NAME)"],
    ["API_KEY", "<your key>"],
    ["API_URL", "http://teams-api:80"],
    ["DATABASE", "mongodb://user:$(PASSWORD)@host/db"],
    ["DATABASE", "mongodb://host:27017/db"],
    ["MONKEY", "business"],
  ])("%s=%s is none", (name, value) => {
    expect(rules(withEnv({ name, value }))).toEqual([]);
  });

  test("an argument with a password", () => {
    const found = rules({ container: { args: [ID, "--db", `postgres://u:${SECRET}@h`] } });
    expect(found).toEqual([`warning plain-secret ${WORKER}.args[2]`]);
  });
});

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");
const renderedJob = (path: string): JsonObject =>
  compileTemplate(read(path), path).manifest({
    _id: ID,
    _name: "check",
    _image: "a/b:1",
    _command: "run",
    _args: [ID],
  });

test.each(["minimal", "cpu", "gpu", "production"])("opjob's own template %s has no error and no warning", (name) => {
  const found = lintJob(renderedJob(`../../templates/${name}.yaml.j2`), { operation: ID, openSource: false });
  expect(found.filter(({ severity }) => severity !== "hint")).toEqual([]);
});

test("FiftyOne's own templates are hardly annoyed", () => {
  const found = (name: string) =>
    lintJob(renderedJob(`seed/${name}.yaml.j2`), { operation: ID, openSource: false }).map(
      ({ severity, rule }) => `${severity} ${rule}`,
    );
  expect(found("production")).toEqual(["hint no-deadline"]);
  for (const name of ["minimal", "cpu", "gpu"]) {
    expect(found(name).filter((one) => !one.startsWith("hint"))).toEqual([]);
  }
});

test("nothing that a Job may hold makes it fail", () => {
  const odd: Json[] = [null, true, 1, "x", [], {}, [null], [[]], { name: 1 }];
  for (const value of odd) {
    for (const parts of [
      { spec: { template: value } },
      { pod: { containers: value } },
      { pod: { containers: [value] } },
      { container: { env: value, args: value, resources: value, image: value } },
      { container: { env: [value], command: [value] } },
    ] satisfies Parts[]) {
      expect(Array.isArray(lint(parts))).toBe(true);
    }
  }
});
