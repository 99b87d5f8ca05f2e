// `opjob render` as a person uses it: a template or an orchestrator's, with made-up values or an operation's, against another
// template, and against a cluster that is asked and creates nothing.
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { parse } from "yaml";
import { type LocalKubernetes, startLocalKubernetes } from "../src/local/kubernetes/server.ts";
import { run as start, start as startProcess } from "./command.ts";
import { opjob, type Ran } from "./command-line.ts";
import { ENCRYPTION_KEY, register, storeSecret } from "./local-daemon.ts";
import { type TestDatabase, testDatabase } from "./mongo.ts";
import { queued } from "./operations/documents.ts";
import { template } from "./scene.ts";

const ADMIN = "admin-admin-admin-token";
const SEED = "test/templates/seed";
const PLAIN = template().replace("namespace: fiftyone", "labels: {}");

let database: TestDatabase;
let kubernetes: LocalKubernetes;
let folder: string;
let environment: Record<string, string>;

beforeAll(async () => {
  database = await testDatabase();
  kubernetes = await startLocalKubernetes({
    run: "simulated",
    namespaces: ["fiftyone", "team-a", "your-org-fiftyone-ai"],
    tokens: { [ADMIN]: { user: "admin" } },
  });
  folder = mkdtempSync(join(tmpdir(), "opjob-render-"));
  await storeSecret(database.db, "KUBE", kubernetes.kubeconfig({ token: ADMIN }));
  await storeSecret(
    database.db,
    "AWAY",
    kubernetes.kubeconfig({ token: ADMIN }).replace(kubernetes.url, "http://127.0.0.1:1"),
  );
  await register(database.db, {
    id: "gpu",
    template: PLAIN,
    secret: "KUBE",
    config: { namespace: "team-a", image: "registry/gpu:7" },
  });
  await register(database.db, { id: "away", template: PLAIN, secret: "AWAY", config: {} });
  await register(database.db, { id: "locked", template: PLAIN, secret: "NOWHERE", config: {} });
  environment = {
    FIFTYONE_DATABASE_URI: database.uri,
    FIFTYONE_DATABASE_NAME: database.name,
    FIFTYONE_ENCRYPTION_KEY: ENCRYPTION_KEY,
    OPJOB_KUBERNETES_TIMEOUT_SECONDS: "5",
    OPJOB_WORKERS: '{"gpu": {"command": "worker", "args": ["execute", "{operation}"]}}',
  };
});
afterAll(async () => {
  await kubernetes?.[Symbol.asyncDispose]();
  await database?.[Symbol.asyncDispose]();
  if (folder) rmSync(folder, { recursive: true });
});

const render = (...args: string[]): Promise<Ran> => opjob(["render", ...args], { env: environment });
const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
type Job = {
  metadata: { name: string; namespace: string; labels: Record<string, string> };
  spec: { template: { spec: { containers: { image: string; command: string[]; args: string[] }[] } } };
};
const jobOf = ({ out }: Ran): Job => parse(out) as Job;

describe("an orchestrator's", () => {
  test("template, image, worker and namespace are those of its record and of the settings", async () => {
    const ran = await render("--orchestrator", "gpu");
    expect([ran.code, ran.err]).toEqual([0, ""]);
    const { metadata, spec } = jobOf(ran);
    expect(metadata).toMatchObject({ namespace: "team-a", labels: { "opjob/orchestrator": "gpu" } });
    const id = metadata.labels["opjob/operation"] ?? "";
    expect(spec.template.spec.containers[0]).toMatchObject({ command: ["worker"], args: ["execute", id] });
  });

  test("template may be replaced, and so may everything else", async () => {
    const path = file("image.yaml.j2", PLAIN.replace(/image: .*/, "image: {{ _image }}"));
    const ours = jobOf(await render(path, "--orchestrator", "gpu"));
    expect(ours.spec.template.spec.containers[0]?.image).toBe("registry/gpu:7");
    const more = ["--image", "other:1", "--namespace", "fiftyone", "--command", "sh", "--arg", "-c", "id {operation}"];
    const { metadata, spec } = jobOf(await render(path, "--orchestrator", "gpu", ...more));
    expect(metadata.namespace).toBe("fiftyone");
    const id = metadata.labels["opjob/operation"];
    expect(spec.template.spec.containers[0]).toMatchObject({
      image: "other:1",
      command: ["sh"],
      args: ["-c", `id ${id}`],
    });
  });

  test("Job is shown although its kubeconfig cannot be read here", async () => {
    const ran = await render("--orchestrator", "locked");
    expect([ran.code, jobOf(ran).metadata.namespace]).toEqual([0, "default"]);
  });

  test("operation is rendered as it would be launched", async () => {
    const operation = queued({ operator: "@voxel51/brain/compute_visualization", delegation_target: "gpu" });
    await database.db.collection("delegated_ops").insertOne(operation);
    const id = operation._id.toHexString();
    const { metadata, spec } = jobOf(await render("--operation", id));
    expect(metadata).toMatchObject({
      name: `echo-${id}`.replace("echo", "compute-visualization"),
      namespace: "team-a",
    });
    expect(spec.template.spec.containers[0]?.args).toEqual(["execute", id]);
  });
});

describe("--diff", () => {
  const CHANGED = PLAIN.replace(/image: .*/, "image: registry/other:2").replace(
    "restartPolicy: Never",
    "restartPolicy: OnFailure",
  );

  test("shows what changes with another template, and says so by the exit code", async () => {
    const { code, out } = await render("--orchestrator", "gpu", "--diff", file("changed.yaml.j2", CHANGED));
    expect(code).toBe(3);
    expect(out).toMatch(/^--- inline template\n\+\+\+ .*changed\.yaml\.j2\n@@ /);
    expect(out).toMatch(/^-\s+image: .*\n(?:[ -].*\n)*?\+\s+image: registry\/other:2$/m);
    expect(out).toMatch(/^-\s+restartPolicy: Never\n\+\s+restartPolicy: OnFailure$/m);
  });

  test("of two templates that give the same Job is empty, whatever their texts", async () => {
    const same = file("same.yaml.j2", `# another text\n${PLAIN}`);
    expect(await render("--orchestrator", "gpu", "--diff", same)).toMatchObject({ code: 0, out: "no difference\n" });
    const raw = await render(file("plain.yaml.j2", PLAIN), "--diff", same, "--raw");
    expect([raw.code, raw.out]).toEqual([3, expect.stringContaining("+# another text")]);
  });
});

describe("--dry-run", () => {
  const nothing = async () => expect(await jobNames()).toEqual([]);
  const jobNames = async (): Promise<string[]> => {
    const names = ["fiftyone", "team-a", "your-org-fiftyone-ai"].map(async (namespace) => {
      const answer = await fetch(`${kubernetes.url}/apis/batch/v1/namespaces/${namespace}/jobs`, {
        headers: { authorization: `Bearer ${ADMIN}` },
      });
      return ((await answer.json()) as { items: Job[] }).items.map(({ metadata }) => metadata.name);
    });
    return (await Promise.all(names)).flat();
  };

  test("tells that the cluster would create the Job, and creates nothing", async () => {
    const { code, out } = await render("--orchestrator", "gpu", "--dry-run");
    expect([code, out]).toEqual([0, expect.stringMatching(/^accepted: http:\S+ would create the Job team-a\/\S+\n$/)]);
    await nothing();
  });

  test("tells the cluster's warnings: the documentation's own template has a field that does not exist", async () => {
    const { code, out } = await render(`${SEED}/production.yaml.j2`, "--orchestrator", "gpu", "--dry-run");
    expect(code).toBe(0);
    expect(out).toContain("accepted: ");
    expect(out).toContain('warning: unknown field "spec.template.spec.podSecurityContext"\n');
    await nothing();
  });

  test("tells why the cluster refuses it, with the field", async () => {
    const path = file("wrong.yaml.j2", PLAIN.replace("restartPolicy: Never", "restartPolicy: Sometimes"));
    const { code, out } = await render(path, "--orchestrator", "gpu", "--dry-run");
    expect([code, out]).toEqual([3, expect.stringMatching(/^refused: .*restartPolicy.*\nCorrect the named fields/)]);
    await nothing();
  });

  test("with --diff asks about the other template", async () => {
    const path = file("other.yaml.j2", PLAIN.replace("restartPolicy: Never", "restartPolicy: Sometimes"));
    const { code, out } = await render("--orchestrator", "gpu", "--diff", path, "--dry-run");
    expect([code, out]).toEqual([3, expect.stringMatching(/restartPolicy: Sometimes\n[\s\S]*\nrefused: /)]);
  });

  test("a cluster that cannot be asked gives no verdict", async () => {
    const { code, out, err } = await render("--orchestrator", "away", "--dry-run");
    expect([code, out]).toEqual([1, ""]);
    expect(err).toMatch(/could not be reached .*\nCheck the kubeconfig/);
    const locked = await render("--orchestrator", "locked", "--dry-run");
    expect([locked.code, locked.err]).toEqual([1, expect.stringContaining('There is no secret "NOWHERE"')]);
  });

  test("without an orchestrator the default kubeconfig is asked, and its namespace counts", async () => {
    const KUBECONFIG = file("config", kubernetes.kubeconfig({ token: ADMIN, namespace: "team-a" }));
    const { code, out } = await start(["render", file("p.yaml.j2", PLAIN), "--dry-run"], { KUBECONFIG });
    expect([code, out]).toEqual([0, expect.stringMatching(/would create the Job team-a\//)]);
    const HOME = folder;
    const missing = await start(["render", file("p.yaml.j2", PLAIN), "--dry-run"], { HOME });
    expect([missing.code, missing.err]).toEqual([1, expect.stringContaining("There is no kubeconfig")]);
  });
});

describe("settings of Jinja2", () => {
  test("trim_blocks and lstrip_blocks hold for every template", async () => {
    const path = file("blocks.yaml.j2", "a\n  {% if true %}\nb\n  {% endif %}\nc\n");
    const raw = async (env: Record<string, string>) => (await opjob(["render", path, "--raw"], { env })).out;
    expect(await raw({})).toBe("a\n  \nb\n  \nc");
    expect(await raw({ OPJOB_TEMPLATE_TRIM_BLOCKS: "true" })).toBe("a\n  b\n  c");
    expect(await raw({ OPJOB_TEMPLATE_LSTRIP_BLOCKS: "true" })).toBe("a\n\nb\n\nc");
    const both = { OPJOB_TEMPLATE_TRIM_BLOCKS: "1", OPJOB_TEMPLATE_LSTRIP_BLOCKS: "1" };
    expect(await raw(both)).toBe("a\nb\nc");
  });
});

describe("--jsonl", () => {
  const ask = async (lines: string[], env: Record<string, string> = {}) => {
    const { code, out } = await opjob(["render", "--jsonl"], { env, input: lines.join("\n") });
    expect(code).toBe(0);
    return out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  };

  test("answers each line with a line, with any context", async () => {
    const answers = await ask([
      '{"template": "{{ a }} {{ b }} {{ c }} {{ d }}", "context": {"a": 1.0, "b": 12345678901234567890, "c": {"z": 1, "10": 2, "9": null}, "d": [true, -0, 1e3]}}',
      '{"template": "{{ 1 +"}',
      "",
      '{"template": "a\\n{{ missing.x }}", "context": {}}',
      '{"template": "{% set x = 1 %}\\u2028{{ x }}"}',
      "no JSON",
      '{"template": 1}',
      '{"template": "x", "context": []}',
    ]);
    expect(answers).toEqual([
      { output: "1.0 12345678901234567890 {'z': 1, '10': 2, '9': None} [True, 0, 1000.0]" },
      { error: expect.any(String), line: 1 },
      { error: "'missing' is undefined", line: 2 },
      { output: "\u20281" },
      { error: 'the line is no JSON object with a text "template"' },
      { error: 'the line is no JSON object with a text "template"' },
      { error: '"context" must be an object' },
    ]);
  });

  test("with the settings of Jinja2", async () => {
    const line = '{"template": "{% if 1 %}\\nx{% endif %}"}';
    expect(await ask([line], { OPJOB_TEMPLATE_TRIM_BLOCKS: "true" })).toEqual([{ output: "x" }]);
  });
});

test.each([
  ["nothing to render", [], /Name a template, an orchestrator or --jsonl/],
  ["an operation that is not there", ["--operation", "0".repeat(24)], /There is no operation 0+ in/],
  ["what is no id", ["--operation", "7"], /is not an operation's id/],
  ["an orchestrator that is not there", ["--orchestrator", "cpu"], /There is no orchestrator "cpu"/],
])("%s is refused in words", async (_, args, words) => {
  const { code, out, err } = await render(...args);
  expect([code, out]).toEqual([1, ""]);
  expect(err).toMatch(words);
});

test("--jsonl answers a line as soon as it was read, while standard input stays open", async () => {
  const child = startProcess(["render", "--jsonl"]);
  const lines = createInterface({ input: child.stdout as Readable })[Symbol.asyncIterator]();
  for (const n of [1, 2, 3]) {
    child.stdin?.write(`{"template": "{{ n + 1 }}", "context": {"n": ${n}}}\n`);
    expect(((await lines.next()) as { value: string }).value).toBe(`{"output":"${n + 1}"}`);
  }
  child.stdin?.end();
  expect((await once(child, "close"))[0]).toBe(0);
});
