// From template and values to a Job: by blanks where a template prints its values as they are, else by its rendered text.
import { describe, expect, test } from "@jest/globals";
import type { Values } from "../../src/templates/blanks.ts";
import type { JsonObject } from "../../src/templates/json.ts";
import { compileTemplate } from "../../src/templates/render.ts";
import { refusal } from "../refusal.ts";

const VALUES: Values = {
  _id: "0123",
  _name: "echo-0123",
  _image: "registry/w:1",
  _command: "python",
  _args: ["a", "b"],
};

/** A template whose container has these lines. */
const template = (lines: string, spec = ""): string => `apiVersion: batch/v1
kind: Job
metadata:
  name: {{ _name }}
spec:
${spec}  template:
    spec:
      containers:
        - name: worker
          image: {{ _image }}
${lines}`;
const BY_LOOP = "          args:\n{% for arg in _args %}          - {{ arg }}\n{% endfor %}";

const manifestOf = (source: string, values: Partial<Values> = {}): JsonObject =>
  compileTemplate(source, "t.yaml").manifest({ ...VALUES, ...values });
const containerOf = (manifest: JsonObject): JsonObject =>
  (manifest as unknown as { spec: { template: { spec: { containers: [JsonObject] } } } }).spec.template.spec
    .containers[0];
const argsOf = (source: string, ...args: string[]): unknown => containerOf(manifestOf(source, { _args: args }))["args"];

describe("arguments arrive however a template writes them", () => {
  const HARD = ['say "hi"', "it's", "a: b", "#x", "{{ x }}", "3", ""];
  test.each([
    ["a loop", BY_LOOP],
    ["a loop with quotes", BY_LOOP.replace("{{ arg }}", '"{{ arg }}"')],
    ["a loop with single quotes", BY_LOOP.replace("{{ arg }}", "'{{ arg }}'")],
    ["a loop with tojson", BY_LOOP.replace("{{ arg }}", "{{ arg | tojson }}")],
    ["a list by tojson", "          args: {{ _args | tojson }}\n"],
  ])("%s", (_, lines) => {
    expect(argsOf(template(lines), ...HARD)).toEqual(HARD);
  });

  test("as one text", () => {
    const lines = '          args: ["-c", "{{ _command }} {{ _args | join(\' \') }}"]\n';
    expect(argsOf(template(lines), "a", '"b"')).toEqual(["-c", 'python a "b"']);
  });

  test("a list that a template joins itself has as many members as there are arguments", () => {
    expect(argsOf(template("          args: [{{ _args | join(', ') }}]\n"), "a", "b, c", "d]")).toEqual([
      "a",
      "b, c",
      "d]",
    ]);
  });

  test("a template that looks at a value is rendered with the value", () => {
    const lines = `          args: [{% if _args[0] == "fast" %}"--fast"{% else %}"--slow"{% endif %}]\n`;
    expect(argsOf(template(lines), "fast")).toEqual(["--fast"]);
    expect(argsOf(template(lines), "other")).toEqual(["--slow"]);
  });

  test("a template that changes a value gets the changed value", () => {
    const lines = "          args: [{{ _args[0] | upper }}, {{ _args | length }}]\n";
    expect(argsOf(template(lines), "a", "b", "c")).toEqual(["A", "3"]);
  });

  test("a value where a number is wanted is read as YAML reads it", () => {
    const source = template(BY_LOOP, "  backoffLimit: {{ _args[0] }}\n");
    expect(manifestOf(source, { _args: ["3"] })).toMatchObject({ spec: { backoffLimit: 3 } });
    expect(containerOf(manifestOf(source, { _args: ["3"] }))["args"]).toEqual(["3"]);
  });

  test("no argument at all leaves the list empty", () => {
    expect(argsOf(template(BY_LOOP))).toBeNull();
  });

  test("one compiled template serves lists of different lengths, again and again", () => {
    const compiled = compileTemplate(template(BY_LOOP), "t.yaml");
    for (const args of [["a"], ["a", "b"], ["x: y"], ["1", "2", "3"], ["b"]]) {
      expect(containerOf(compiled.manifest({ ...VALUES, _args: args }))["args"]).toEqual(args);
    }
  });
});

test("what the cluster gets is a Job of its own each time: changing one changes no other", () => {
  const compiled = compileTemplate(template(BY_LOOP), "t.yaml");
  const first = compiled.manifest(VALUES);
  (first["metadata"] as JsonObject)["name"] = "changed";
  (containerOf(first)["args"] as string[]).push("changed");
  expect(compiled.manifest(VALUES)).toMatchObject({ metadata: { name: "echo-0123" } });
  expect(containerOf(compiled.manifest(VALUES))["args"]).toEqual(["a", "b"]);
});

describe("errors name the template and the line", () => {
  test.each([
    ["a tag that is not closed", template("{% for arg in _args %}\n"), /"t\.yaml" fails at line \d+/],
    ["an expression that is none", `a: 1\n{{ 1 + }}\n`, /fails at line 2/],
    ["an unknown filter", `a: 1\nb: 2\nc: {{ _id | nofilter }}\n`, /fails at line 3.*nofilter/],
    ["a fault while rendering", `a: 1\nb: {{ 1 / 0 }}\n`, /fails at line 2.*zero/],
  ])("%s", (_, source, words) => {
    const error = refusal(() => manifestOf(source));
    expect([error.code, error.retryable]).toEqual(["TEMPLATE_RENDER_FAILED", false]);
    expect(error.message).toMatch(words);
  });

  test("a Jinja2 fault that only one value causes fails that operation only", () => {
    const source = template(`          args: [{{ 10 // (_args[0] | int) }}]\n`);
    expect(argsOf(source, "5")).toEqual(["2"]);
    expect(refusal(() => argsOf(source, "0")).code).toBe("TEMPLATE_RENDER_FAILED");
  });

  test("YAML that is broken before any value comes into it tells its line", () => {
    expect(refusal(() => manifestOf(template("\tbad: x\n"))).message).toMatch(/line 11, column 1 of the rendered text/);
  });

  test("a template that gives another object is no Job", () => {
    expect(refusal(() => manifestOf("kind: Pod\napiVersion: v1\nname: {{ _name }}")).code).toBe("TEMPLATE_NOT_A_JOB");
  });
});
