// Values never change the structure of a Job, whatever characters they hold and whatever a template does with them.
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import type { Values } from "../../src/templates/blanks.ts";
import type { Json, JsonObject } from "../../src/templates/json.ts";
import { compileTemplate, type JobTemplate } from "../../src/templates/render.ts";
import { refusal } from "../refusal.ts";

const VALUES: Values = {
  _id: "65f1",
  _name: "echo-65f1",
  _image: "registry/w:1",
  _command: "python",
  _args: ["a", "b"],
};

/** A Job with these lines in its container, and others before everything. */
const job = (lines: string, before = ""): string => `${before}apiVersion: batch/v1
kind: Job
metadata:
  name: {{ _name }}
  labels: {task: a}
spec:
  backoffLimit: 0
  template:
    spec:
      containers:
        - name: worker
          image: {{ _image }}
${lines}
      restartPolicy: Never
`;

const compiled = (source: string): JobTemplate => compileTemplate(source, "t.yaml");
const manifestOf = (source: string, values: Partial<Values> = {}): JsonObject =>
  compiled(source).manifest({ ...VALUES, ...values });
type Container = { args: Json; env: Json; [key: string]: Json };
const podOf = (manifest: JsonObject) =>
  (manifest as unknown as { spec: { template: { spec: { containers: Container[]; restartPolicy: string } } } }).spec
    .template.spec;
const argsOf = (source: string, ...args: string[]): unknown =>
  podOf(manifestOf(source, { _args: args })).containers[0]?.args;

/** Keys, lengths and kinds, without what any text says. */
function shapeOf(value: Json): unknown {
  if (Array.isArray(value)) return value.map(shapeOf);
  if (typeof value !== "object" || value === null) return typeof value === "string" ? "text" : value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shapeOf(inner)]));
}

/** What an operator's author would write to get a container into somebody else's Job. */
const CONTAINER = `
        - name: evil
          image: evil/image
          securityContext: {privileged: true}`;
const ATTACKS = [
  `x${CONTAINER}`,
  `  x  ${CONTAINER}\n`,
  `x"${CONTAINER}`,
  `x'${CONTAINER}`,
  `x}]${CONTAINER}`,
  "x\n      hostNetwork: true",
  "x\n  template: {spec: {containers: [{name: evil}]}}",
  "x\n---\nkind: Pod",
  "x\n...\n",
  "a: b",
  "- a",
  "x # no more",
  "&a [*a]",
  "!!python/object/apply:os.system [id]",
  "<<: *a",
  "a, b, c",
  "], evil: [",
  "}, evil: {",
  '", "evil',
  "', 'evil",
  "|\n  x",
  "? x",
  "%YAML 9",
  "\t- x",
  "\u2028- x",
  "\u0085- x",
  "x\r- y",
  "{{ 7 * 7 }}{% set _name = 'x' %}",
  "\ufeff",
  "",
  " ",
  "~",
];

/** Ways to print the arguments: the lines of the container, and what stands before the Job. */
const WAYS: readonly (readonly [name: string, lines: string, before?: string])[] = [
  ["as they are", "          args:\n{% for arg in _args %}            - {{ arg }}\n{% endfor %}"],
  ["in quotes", '          args:\n{% for arg in _args %}            - "{{ arg }}"\n{% endfor %}'],
  ["in single quotes", "          args:\n{% for arg in _args %}            - '{{ arg }}'\n{% endfor %}"],
  ["trimmed", "          args:\n{% for arg in _args %}            - {{ arg | trim }}\n{% endfor %}"],
  ["in upper case", "          args:\n{% for arg in _args %}            - {{ arg | upper }}\n{% endfor %}"],
  [
    "changed",
    "          args:\n{% for arg in _args %}            - --x={{ arg | replace('a', 'b') }} {{ arg[::-1] }}\n{% endfor %}",
  ],
  ["with a text", "          args:\n{% for arg in _args %}            - {{ '--x=' ~ arg ~ ' --y' }}\n{% endfor %}"],
  ["as one text", "          args: [{{ _args | join(' ') }}]"],
  ["as one text in quotes", `          args: ["-c", "{{ _args | join(' ') }}"]`],
  ["joined to a list", "          args: [{{ _args | join(', ') }}]"],
  ["as Python's list", "          args: {{ _args }}"],
  ["as JSON", "          args: {{ _args | tojson }}"],
  ["each as JSON", "          args:\n{% for arg in _args %}            - {{ arg | tojson }}\n{% endfor %}"],
  ["as JSON in quotes", `          args: ["{{ _args[0] | tojson }}", '{{ _args | tojson }}']`],
  ["in a comment", "          args: [a] # {{ _args | join(' ') }}"],
  [
    "as the lines of a script",
    "          args:\n            - |\n              echo {{ _args[0] }}\n              true",
  ],
  ["as folded lines", "          args:\n            - >-\n              echo {{ _args[0] }}\n              true"],
  ["set", "          args: [{{ first }}, {{ last }}]", "{% set first, last = _args[0], _args[-1] %}"],
  [
    "through a namespace",
    "          args: [{{ ns.all }}]",
    "{% set ns = namespace(all='') %}{% for a in _args %}{% set ns.all = ns.all ~ a %}{% endfor %}",
  ],
  ["through a list", "          args: [{{ l[0] }}]", "{% set l = [] %}{% set m = l %}{% set _ = m.append(_args[0]) %}"],
  ["through a macro", "          args: [{{ arg(_args[0]) }}]", "{% macro arg(x, y='z') %}{{ x }}{% endmacro %}"],
  [
    "through a macro for lines",
    "          env:\n{{ env('A', _args[0]) }}",
    "{% macro env(name, value) %}            - name: {{ name }}\n              value: {{ value }}\n{% endmacro %}",
  ],
  [
    "through a caller",
    "          args: [{% call(a) each() %}{{ a }}{% endcall %}]",
    "{% macro each() %}{{ caller(_args[0]) }}{% endmacro %}",
  ],
  ["through a block", "          args: [{{ self.a() }}]", "# {% block a %}{{ _args[0] }}{% endblock %}\n"],
  ["through a dict", "          args: [{% for k, v in {'a': _args[0]}.items() %}{{ v }}{% endfor %}]"],
  [
    "through a format",
    "          args: [{{ '%s and %s' | format(_args[0], _args[-1]) }}, {{ '{}'.format(_args[0]) }}]",
  ],
  ["as a condition", "          args: [{{ _args[0] if _args[0] else 'none' }}, {{ _args[0] or 'none' }}]"],
  ["as a default", "          args: [{{ missing | default(_args[0]) }}]"],
  ["as a key", "          resources: {limits: {{ '{' }}{{ _args[0] | tojson }}: 1}}"],
];

describe.each(WAYS)("arguments %s", (_, lines, before = "") => {
  const template = compiled(job(lines, before));
  const baseline = shapeOf(template.manifest({ ...VALUES, _args: ["a", "b"] }));

  test.each(ATTACKS)("%j changes no structure", (attack) => {
    const manifest = template.manifest({ ...VALUES, _args: [attack, "b"] });
    expect(podOf(manifest).containers).toHaveLength(1);
    expect(podOf(manifest).restartPolicy).toBe("Never");
    expect(shapeOf(manifest)).toEqual(shapeWithKey(baseline, manifest));
  });

  test("nor do 300 random ones", () => {
    const piece = fc.oneof(fc.constantFrom(...ATTACKS), fc.string({ unit: "binary", maxLength: 20 }));
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 3 }), (pieces) => {
        const manifest = template.manifest({ ...VALUES, _args: [pieces.join(""), "b"] });
        expect(shapeOf(manifest)).toEqual(shapeWithKey(baseline, manifest));
      }),
      { numRuns: 300 },
    );
  });
});

/** Where the argument is a key of its own, that key is the argument. */
function shapeWithKey(baseline: unknown, manifest: JsonObject): unknown {
  const limits = (podOf(manifest).containers[0]?.["resources"] as { limits?: JsonObject } | undefined)?.limits;
  if (!limits) return baseline;
  const copy = structuredClone(baseline) as JsonObject;
  const container = podOf(copy).containers[0];
  if (container) container["resources"] = { limits: { [Object.keys(limits)[0] ?? ""]: "text" } };
  return copy;
}

describe("what arrives is the text that the template makes of the value", () => {
  const NASTY = ' Say: "it\'s" # {x}\n- b ';

  test("trimmed, in upper case, joined", () => {
    expect(argsOf(job("          args: [{{ _args[0] | trim }}, {{ _args[0] | upper }}]"), NASTY)).toEqual([
      NASTY.trim(),
      NASTY.toUpperCase(),
    ]);
    expect(argsOf(job("          args: [{{ _args | join(' ') }}]"), NASTY, "c")).toEqual([`${NASTY} c`]);
    expect(argsOf(job("          args: [{{ _args | join(', ') }}]"), NASTY, "c, d")).toEqual([NASTY, "c, d"]);
  });

  test("as a list, by Python's way or by JSON", () => {
    expect(argsOf(job("          args: {{ _args }}"), NASTY, "3", "yes")).toEqual([NASTY, "3", "yes"]);
    expect(argsOf(job("          args: {{ _args | tojson }}"), NASTY, "3", "yes")).toEqual([NASTY, "3", "yes"]);
    expect(argsOf(job("          args: {{ ['-c'] + _args }}"), NASTY)).toEqual(["-c", NASTY]);
  });

  test("in the lines of a script, with its own line ends", () => {
    expect(
      argsOf(job("          args:\n            - |\n              echo {{ _args[0] }}\n              true"), NASTY),
    ).toEqual([`echo ${NASTY}\ntrue\n`]);
  });

  test("a name in upper case is refused as a name, with the field and the remedy", () => {
    const error = refusal(() =>
      manifestOf(job("").replace("{{ _name }}", "{{ _name | upper }}"), { _name: `x${CONTAINER}` }),
    );
    expect(error.code).toBe("TEMPLATE_JOB_INVALID");
    expect(error.message).toContain("metadata.name must consist of small letters");
    expect(error.remedy).toContain("{{ _name }}");
  });
});

describe("where Kubernetes wants a number or a boolean", () => {
  const spec = (line: string): string => job("").replace("  backoffLimit: 0\n", `  ${line}\n`);
  test.each<[string, string, unknown]>([
    ["backoffLimit: {{ _args[0] }}", "3", 3],
    ["backoffLimit: {{ _args | length }}", "x", 1],
    ["backoffLimit: {{ _args[0] | int + 1 }}", "3", 4],
    ["backoffLimit: {{ _args[0] | tojson }}", "3", "3"],
    ['backoffLimit: "{{ _args[0] }}"', "3", "3"],
    ["suspend: {{ _args[0] }}", "yes", true],
    ["suspend: {{ 'true' if _args[0] == 'x' else 'false' }}", "x", true],
    ["backoffLimit: {{ _args[0] }}", "{a: 1}", "{a: 1}"],
    ["backoffLimit: {{ _args[0] }}", "1\n  suspend: true", "1\n  suspend: true"],
    ["backoffLimit: {{ _args[0] }}", "", null],
    ["backoffLimit: 1{{ _args[0] }}", "0", 10],
  ])("%s with %j", (line, arg, expected) => {
    const { spec: found } = manifestOf(spec(line), { _args: [arg] }) as { spec: JsonObject };
    expect(found[line.split(":")[0] ?? ""]).toEqual(expected);
  });
});

describe("what a template collects and computes with", () => {
  test("plain words may be computed with", () => {
    const before = "{% set name %}{{ _args[0] }}{% endset %}";
    const lines = "          args: [{{ name | upper }}{% if name == 'fast' %}, quick{% endif %}, {{ name | length }}]";
    expect(argsOf(job(lines, before), "fast")).toEqual(["FAST", "quick", "4"]);
    expect(argsOf(job(lines, before), "slow")).toEqual(["SLOW", "4"]);
  });

  test("other texts are refused, with the line and the remedy, and without the value", () => {
    const source = job(
      "          args:\n            - {{ name | tojson }}",
      "{% set name %}{{ _args[0] }}{% endset %}",
    );
    const error = refusal(() => argsOf(source, 'hunter2: "x"'));
    expect([error.code, error.retryable]).toEqual(["TEMPLATE_VALUE_UNCLEAR", false]);
    expect(error.message).toContain("at line 14 (- {{ name | tojson }})");
    expect(error.message).not.toContain("hunter2");
    expect(error.remedy).toContain("tojson");
    expect(argsOf(source, "word")).toEqual(["word"]);
  });

  test("a value as a key of an object is refused: it could be any field", () => {
    const error = refusal(() => manifestOf(job("          {{ _args[0] }}: true")));
    expect(error.code).toBe("TEMPLATE_YAML_INVALID");
    expect(error.message).toContain("a value stands in the place of a field's name");
  });

  test("a value as a key that is there already is refused", () => {
    const source = job("").replace("labels: {task: a}", "labels: {task: a, {{ _args[0] }}: b}");
    expect(manifestOf(source, { _args: ["other"] })).toMatchObject({ metadata: { labels: { task: "a", other: "b" } } });
    const error = refusal(() => manifestOf(source, { _args: ["task"] }));
    expect([error.code, error.message]).toEqual([
      "TEMPLATE_JOB_INVALID",
      expect.stringContaining('the key "task" is there already'),
    ]);
  });
});
