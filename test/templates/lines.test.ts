// From a field of a Job to its line in the template: where it is sure, and silence where it is not.
import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { lineFinder } from "../../src/templates/lines.ts";
import { compileTemplate } from "../../src/templates/render.ts";
import { cpuTimer } from "../cpu.ts";

const VALUES = { _id: "0".repeat(24), _name: "check", _image: "", _command: "python", _args: ["-c", "x", "y"] };
const finderOf = (source: string) => lineFinder(source, compileTemplate(source, "t").render(VALUES));
const seed = (name: string): string => readFileSync(new URL(`seed/${name}.yaml.j2`, import.meta.url), "utf8");

/** The line that holds a text, the nth time it occurs. */
const lineWith = (source: string, text: string, nth = 1): number => {
  const found = source.split("\n").flatMap((line, i) => (line.includes(text) ? [i + 1] : []));
  return found[nth - 1] ?? -1;
};

test.each([
  ["spec.template.spec.podSecurityContext", "podSecurityContext:", 1],
  ["spec.backoffLimit", "backoffLimit", 1],
  ["spec.template.spec.restartPolicy", "restartPolicy", 1],
  ["metadata.namespace", "namespace:", 1],
  ["spec.template.spec.containers[0].image", "image:", 1],
  ["spec.template.spec.containers[0].securityContext", "securityContext:", 1],
  ["spec.template.spec.containers[0].env[3].name", "FIFTYONE_DATABASE_URI", 1],
  // Go names no index where a value has the wrong type.
  ["spec.template.spec.containers.image", "image:", 1],
  ["spec.template.spec.volumes[8]", "- emptyDir:", 7],
  // After a loop that made one line into three.
  ["spec.template.spec.containers[0].resources.limits.memory", "memory: 6656Mi", 1],
  ["spec.template.spec.containers[0].resources.requests.memory", "memory: 6656Mi", 2],
  // What is not there is shown where it belongs.
  ["spec.ttlSecondsAfterFinishedd", "spec:", 1],
  ["spec.template.spec.containers[0].imagePullPolicy", "- name: task-worker", 1],
])("%s of FiftyOne's production template", (path, text, nth) => {
  const source = seed("production");
  expect(finderOf(source)(path)).toBe(lineWith(source, text, nth));
});

test("lines with values in them are known by what is written around them", () => {
  const source = 'metadata:\n  name: job-{{ _name }}\n  labels:\n    task: "{{ _id }}"\nspec: {}\n';
  const find = finderOf(source);
  expect([find("metadata.name"), find("metadata.labels.task"), find("spec")]).toEqual([2, 4, 5]);
});

test("what could be two lines is none", () => {
  const source = "a:\n{% if _image %}\n  image: x\n{% else %}\n  image: x\n{% endif %}\n";
  expect(finderOf(source)("a.image")).toBeUndefined();
  expect(finderOf("{% set x = 'spec: 1' %}{{ x }}")("spec")).toBeUndefined();
});

test("neither a path nor a text can make it fail, or take long", () => {
  const spent = cpuTimer();
  const word = fc.constantFrom("a", "b:", "{{ x }}", "{% y %}", "  ", "- ", "\n", "*a", "&a ", "[", "]");
  const text = fc.array(word, { maxLength: 60 }).map((words) => words.join(""));
  fc.assert(
    fc.property(text, text, fc.string(), (source, rendered, path) => {
      expect([undefined, expect.any(Number)]).toContainEqual(lineFinder(source, rendered)(path));
    }),
  );
  lineFinder("a{{x}}".repeat(300), `a: ${"a".repeat(1_000_000)}`)("a");
  lineFinder("{{".repeat(500_000), "a: 1")("a");
  expect(spent()).toBeLessThan(10_000);
});
