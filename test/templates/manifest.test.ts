// From YAML to one Job: texts stay texts where Kubernetes wants texts, numbers stay numbers, errors say where.
import { describe, expect, test } from "@jest/globals";
import { fieldOf, type Json, type JsonObject } from "../../src/templates/json.ts";
import { compileTemplate } from "../../src/templates/render.ts";
import { refusal } from "../refusal.ts";

const VALUES = { _id: "0123", _name: "echo-0123", _image: "registry/w:1", _command: "python", _args: ["a"] };
const parse = (text: string): JsonObject => compileTemplate(text, "t.yaml").manifest(VALUES);

/** A Job with lines added to its container, its Pod, its spec or its metadata. */
function job(added: { container?: string; pod?: string; spec?: string; metadata?: string; top?: string }): string {
  const lines = (text: string | undefined, by: number): string =>
    (text ?? "")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => `${" ".repeat(by)}${line}\n`)
      .join("");
  return `${lines(added.top, 0)}apiVersion: batch/v1
kind: Job
metadata:
  name: a
${lines(added.metadata, 2)}spec:
${lines(added.spec, 2)}  template:
    spec:
${lines(added.pod, 6)}      containers:
        - name: worker
          image: registry/image:tag
${lines(added.container, 10)}`;
}

const at = (manifest: JsonObject, path: string): Json | undefined =>
  path
    .split(".")
    .reduce<Json | undefined>(
      (value, field) => (Array.isArray(value) ? value[Number(field)] : fieldOf(value, field)),
      manifest,
    );
const POD = "spec.template.spec";
const CONTAINER = `${POD}.containers.0`;

/** What YAML takes for something else than the text that its author wrote. */
const TRICKY = [
  "3",
  "yes",
  "No",
  "true",
  "0123",
  "0644",
  "1e3",
  "1.10",
  "1_000",
  "0x1F",
  ".5",
  "+1",
  ".inf",
  ".NaN",
  "12:30:45",
  "2026-11-23",
  "6503660453668982e8306123",
  "650366045366898208306123",
  "=",
];

const isLabel = (text: string): boolean => /^\w(?:[\w.-]*\w)?$/.test(text);

describe("a text stays as it was written", () => {
  test.each(TRICKY)("%s", (text) => {
    const manifest = parse(
      job({
        metadata: `annotations:\n  note: ${text}\nlabels: {task: ${isLabel(text) ? text : "none"}}`,
        pod: `nodeSelector:\n  pool: ${text}\nvolumes:\n- name: v\n  csi:\n    driver: d\n    volumeAttributes: {gid: ${text}}`,
        container: `command: [${text}]\nargs:\n- ${text}\nenv:\n- name: A\n  value: ${text}\nresources:\n  limits:\n    cpu: ${text}`,
      }),
    );
    const places = [
      ...(isLabel(text) ? ["metadata.labels.task"] : []),
      "metadata.annotations.note",
      `${POD}.nodeSelector.pool`,
      `${POD}.volumes.0.csi.volumeAttributes.gid`,
      `${CONTAINER}.command.0`,
      `${CONTAINER}.args.0`,
      `${CONTAINER}.env.0.value`,
      `${CONTAINER}.resources.limits.cpu`,
    ];
    expect(places.map((place) => at(manifest, place))).toEqual(places.map(() => text));
  });

  test("also as a name, in a list on one line, and in quotes", () => {
    const manifest = parse(job({ container: `args: [1, "2", '0x3', yes]`, pod: "serviceAccountName: 007" }));
    expect(at(manifest, `${CONTAINER}.args`)).toEqual(["1", "2", "0x3", "yes"]);
    expect(at(manifest, `${POD}.serviceAccountName`)).toBe("007");
  });

  test("a mapping, a list or braces on one line, where a text is wanted, are the author's text", () => {
    const manifest = parse(job({ container: 'args:\n- a: b\n- {"op": 1}\n- [1, 2]\n- key:   "v"   # said\n- last' }));
    expect(at(manifest, `${CONTAINER}.args`)).toEqual(["a: b", '{"op": 1}', "[1, 2]", 'key:   "v"', "last"]);
  });

  test("a text of several lines keeps its lines", () => {
    const manifest = parse(job({ container: "args:\n- |\n  a: b\n  c\n- >-\n  folded\n  text" }));
    expect(at(manifest, `${CONTAINER}.args`)).toEqual(["a: b\nc\n", "folded text"]);
  });

  test("what was left empty is unset, not the word null", () => {
    const manifest = parse(
      job({ container: 'env:\n- name: A\n  value:\n- name: B\n  value: ~\n- name: C\n  value: ""' }),
    );
    expect([0, 1, 2].map((i) => at(manifest, `${CONTAINER}.env.${i}.value`))).toEqual([null, null, ""]);
  });

  test("keys are texts too", () => {
    const labels = at(parse(job({ metadata: "labels: {1: a, yes: b, 2026-11-23: c, 0x1: d}" })), "metadata.labels");
    expect(labels).toEqual({ "1": "a", yes: "b", "2026-11-23": "c", "0x1": "d" });
  });
});

describe("what is no text keeps its kind, read as Python's loaders read YAML 1.1", () => {
  test.each<[string, string, Json]>([
    ["backoffLimit: 0", "spec.backoffLimit", 0],
    ["backoffLimit: 010", "spec.backoffLimit", 8],
    ["suspend: yes", "spec.suspend", true],
    ["suspend: off", "spec.suspend", false],
    ["ttlSecondsAfterFinished: 1_000", "spec.ttlSecondsAfterFinished", 1_000],
    ["activeDeadlineSeconds: 1:30", "spec.activeDeadlineSeconds", 90],
    ["activeDeadlineSeconds:", "spec.activeDeadlineSeconds", null],
    ['backoffLimit: "3"', "spec.backoffLimit", "3"],
    ["backoffLimit: .inf", "spec.backoffLimit", ".inf"],
  ])("%s", (line, place, value) => {
    expect(at(parse(job({ spec: line })), place)).toBe(value);
  });

  test("a file mode of 0644 is 420", () => {
    const manifest = parse(job({ pod: "volumes:\n- name: v\n  configMap: {name: c, defaultMode: 0644}" }));
    expect(at(manifest, `${POD}.volumes.0.configMap`)).toEqual({ name: "c", defaultMode: 420 });
  });

  test("a field that Kubernetes does not know goes on as it was read", () => {
    const manifest = parse(job({ pod: "podSecurityContext:\n  runAsNonRoot: false\n  level: 3\nwhen: 2026-11-23" }));
    expect(at(manifest, `${POD}.podSecurityContext`)).toEqual({ runAsNonRoot: false, level: 3 });
    expect(at(manifest, `${POD}.when`)).toBe("2026-11-23");
  });
});

describe("YAML's own means", () => {
  test("anchors and aliases, read as the place wants them", () => {
    const manifest = parse(job({ spec: "backoffLimit: &n 3", container: "args: [*n, &t text, *t]" }));
    expect(at(manifest, "spec.backoffLimit")).toBe(3);
    expect(at(manifest, `${CONTAINER}.args`)).toEqual(["3", "text", "text"]);
  });

  test("merge keys: own fields win whether they stand before or after, and the first of several sources wins", () => {
    const manifest = parse(
      job({
        top: "x-a: &a {cpu: 1, memory: 1Gi}\nx-b: &b {cpu: 2, disk: 9}",
        container: "resources:\n  limits:\n    <<: [*a, *b]\n    memory: 2Gi\n  requests:\n    cpu: 8\n    <<: *a",
      }),
    );
    expect(at(manifest, `${CONTAINER}.resources.limits`)).toEqual({ cpu: "1", memory: "2Gi", disk: "9" });
    expect(at(manifest, `${CONTAINER}.resources.requests`)).toEqual({ cpu: "8", memory: "1Gi" });
  });

  test('a "<<" in quotes is a key like any other', () => {
    const manifest = parse(job({ pod: 'nodeSelector: {"<<": x}' }));
    expect(at(manifest, `${POD}.nodeSelector`)).toEqual({ "<<": "x" });
  });

  test("of a key that stands twice the last one counts, as in Python", () => {
    expect(at(parse(job({ spec: "backoffLimit: 1\nbackoffLimit: 2" })), "spec.backoffLimit")).toBe(2);
  });

  test('a key "__proto__" is a key and changes no prototype', () => {
    const labels = at(parse(job({ pod: "nodeSelector:\n  __proto__: x\n  constructor: y" })), `${POD}.nodeSelector`);
    expect(JSON.stringify(labels)).toBe('{"__proto__":"x","constructor":"y"}');
    const merged = parse(job({ top: "x-a: &a {__proto__: {polluted: 1}}", pod: "x: {<<: *a}" }));
    expect(JSON.stringify(at(merged, `${POD}.x`))).toBe('{"__proto__":{"polluted":1}}');
    expect(Object.getPrototypeOf(at(merged, `${POD}.x`))).toBe(Object.prototype);
    expect("polluted" in {}).toBe(false);
  });

  test.each([
    ["a document mark before", `---\n${job({})}`],
    ["an empty document after", `${job({})}---\n`],
    ["a comment and a mark before", `# made by a team\n---\n${job({})}`],
    ["an end mark", `${job({})}...\n`],
    ["Windows line ends", job({}).replaceAll("\n", "\r\n")],
    ["JSON", JSON.stringify(parse(job({})))],
  ])("%s changes nothing", (_, text) => {
    expect(parse(text)).toEqual(parse(job({})));
  });
});

describe("invalid YAML is refused with line and column, and without the text that stands there", () => {
  test.each<[string, string, number, number]>([
    ["a list that is not closed", job({ pod: "x: [1, hunter2" }), 9, 7],
    ["a tab", `a:\n\tb: hunter2\n${job({})}`, 2, 1],
    ["a text in quotes without an end", `a: "hunter2\n${job({})}`, 11, 36],
    ["a reserved character", `a: @hunter2\n${job({})}`, 1, 4],
    ["two values on a line", `a: "x" "hunter2"\n${job({})}`, 1, 8],
    ["a mapping in a mapping on one line", `a: b: hunter2\n${job({})}`, 1, 4],
    ["a wrong indent", `a: 1\n  b: hunter2\n${job({})}`, 1, 4],
    ["an alias without its anchor", `${job({})}b: *hunter2x\n`, 11, 4],
    ["an anchor within itself", `a: &a [*a]\n${job({})}`, 1, 8],
    ["an anchor within itself, as a merge", `a: &a {<<: *a}\n${job({})}`, 1, 12],
  ])("%s", (_, text, line, column) => {
    const error = refusal(() => parse(text));
    expect(error.code).toBe("TEMPLATE_YAML_INVALID");
    expect(error.message).toContain('template "t.yaml"');
    expect(error.message).toContain(`at line ${line}, column ${column} `);
    expect(error.message).toContain(`line ${line}, column ${column} of the rendered text`);
    expect(error.message.replace(/"hunter2x"/, "")).not.toContain("hunter2");
    expect(error.message).not.toContain("\n");
    expect(error.cause).toBeUndefined();
  });

  test("aliases that grow without end are refused, soon", () => {
    const levels = Array.from(
      { length: 12 },
      (_, i) => `l${i + 1}: &l${i + 1} [${Array(9).fill(`*l${i}`).join(", ")}]`,
    );
    const error = refusal(() => parse(`l0: &l0 x\n${levels.join("\n")}\n${job({})}`));
    expect(error.message).toContain("more than 50000 values");
  });
});

describe("what is not one Job is refused, saying what is missing", () => {
  const containers = "spec.template.spec.containers must hold at least one container";
  test.each<[string, string, string]>([
    ["nothing", "", "it renders to nothing"],
    ["only comments", "# nothing\n---\n# here\n", "it renders to nothing"],
    ["a text", "hello", "it renders to no object"],
    ["a list", `- ${JSON.stringify(parse(job({})))}`, "it renders to no object"],
    ["two documents", `${job({})}---\n${job({})}`, "it renders 2 documents"],
    ["a Pod", "apiVersion: v1\nkind: Pod\n", '"batch/v1 Job", not "v1 Pod"'],
    ["a CronJob", "apiVersion: batch/v1\nkind: CronJob\n", 'not "batch/v1 CronJob"'],
    ["a List", `apiVersion: v1\nkind: List\nitems: [${JSON.stringify(parse(job({})))}]`, 'not "v1 List"'],
    ["an old version", "apiVersion: batch/v1beta1\nkind: Job\n", 'not "batch/v1beta1 Job"'],
    ["no version", "kind: Job\n", 'not "nothing Job"'],
    ["no spec", "apiVersion: batch/v1\nkind: Job\n", containers],
    ["no Pod", "apiVersion: batch/v1\nkind: Job\nspec: {template: {}}\n", containers],
    ["no containers", "apiVersion: batch/v1\nkind: Job\nspec: {template: {spec: {containers: []}}}\n", containers],
    [
      "a container that is a text",
      "apiVersion: batch/v1\nkind: Job\nspec: {template: {spec: {containers: [a]}}}\n",
      "containers[0] must be an object",
    ],
    ["metadata that is a text", job({}).replace("metadata:\n  name: a", "metadata: a"), "metadata must be an object"],
  ])("%s", (_, text, why) => {
    const error = refusal(() => parse(text));
    expect(error.code).toBe("TEMPLATE_NOT_A_JOB");
    expect(error.message).toContain('template "t.yaml"');
    expect(error.message).toContain(why);
  });
});
