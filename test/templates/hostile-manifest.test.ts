// Rendered texts that would keep the YAML parser or its reader busy for long, or fill the memory: each is read or refused in no time.
import { describe, expect, test } from "@jest/globals";
import { compileTemplate } from "../../src/templates/render.ts";
import { cpuTimer } from "../cpu.ts";
import { refusal } from "../refusal.ts";
import { pile } from "./hostile.ts";

const VALUES = { _id: "65f1", _name: "echo-65f1", _image: "registry/w:1", _command: "python", _args: ["a"] };
const JOB = `apiVersion: batch/v1
kind: Job
metadata: {name: a}
spec: {template: {spec: {containers: [{name: a, image: b}]}}}
`;
const MOST_MILLISECONDS = 2_000;
const SIZE = 400_000;
const fill = (unit: string): string => unit.repeat(Math.floor(SIZE / unit.length));

function timed(source: string): string {
  const spent = cpuTimer();
  try {
    compileTemplate(`{% raw %}${source}{% endraw %}`, "t.yaml").manifest(VALUES);
    return "read";
  } catch (error) {
    return refusal(() => {
      throw error;
    }).message;
  } finally {
    expect(spent()).toBeLessThan(MOST_MILLISECONDS);
  }
}

const BOMB = Array.from({ length: 12 }, (_, at) => `l${at + 1}: &l${at + 1} [${Array(9).fill(`*l${at}`).join(", ")}]`);
const MERGES = Array.from(
  { length: 12 },
  (_, at) => `m${at + 1}: &m${at + 1} {k${at}: 1, <<: [${Array(9).fill(`*m${at}`).join(", ")}]}`,
);
const KEYS = Array.from({ length: 2_000 }, (_, at) => `k${at}: v`).join(", ");

describe("aliases", () => {
  test.each([
    ["of aliases, without end", `l0: &l0 x\n${BOMB.join("\n")}\n${JOB}`, "more than 50000 values"],
    ["of merges, without end", `m0: &m0 {a: 1}\n${MERGES.join("\n")}\n${JOB}`, "more than 50000 values"],
    [
      "of one large list",
      `${JOB}y: &a [${"x,".repeat(2_000)}]\nx:\n${"- *a\n".repeat(3_000)}`,
      "more than 50000 values",
    ],
    [
      "of one large mapping, merged",
      `${JOB}y: &a {${KEYS}}\nx:\n${"- <<: *a\n".repeat(1_000)}`,
      "more than 50000 values",
    ],
    [
      "of one large mapping, merged into one",
      `${JOB}y: &a {${KEYS}}\nx: {<<: [${"*a,".repeat(2_000)}]}`,
      "more than 50000 values",
    ],
    ["in thousands", `${JOB}y: &a b\nx:\n${"- *a\n".repeat(5_000)}`, "read"],
    ["in hundreds of thousands", `${JOB}y: &a b\nx:\n${fill("- *a\n")}`, "more than 30000 marks"],
    ["within themselves", `${JOB}y: &a [*a]\n`, "holds itself"],
    ["within themselves, further down", `${JOB}y: &a {b: {c: [*a]}}\n`, "holds itself"],
    ["without an anchor", `${JOB}y: *a\n`, "no anchor"],
    [
      "of anchors in thousands",
      `${JOB}x:\n${Array.from({ length: 3_000 }, (_, at) => `- &a${at} b\n`).join("")}`,
      "read",
    ],
  ])("%s", (_, source, words) => {
    expect(timed(source)).toContain(words);
  });
});

describe("levels", () => {
  test.each([
    ["of brackets", `${JOB}x: ${pile("[", "", "]", 5_000)}`, "deep"],
    ["of many brackets", `${JOB}x: ${pile("[", "", "]", SIZE / 2)}`, "more than 30000 marks"],
    ["of brackets that stay open", `${JOB}x: ${"[".repeat(5_000)}`, "invalid YAML"],
    ["of braces", `${JOB}x: ${pile("{a: ", "b", "}", 2_000)}`, "deep"],
    ["of 200 brackets", `${JOB}x: ${pile("[", "", "]", 200)}`, "more than 100 levels"],
    ["of lists", `${JOB}x: ${"- ".repeat(5_000)}`, "invalid YAML"],
    [
      "of keys",
      `${JOB}${Array.from({ length: 600 }, (_, at) => `${" ".repeat(at)}a:\n`).join("")}`,
      "more than 100 levels",
    ],
    ["of question marks", `${JOB}x:\n  ${"? ".repeat(5_000)}`, "levels"],
  ])("%s", (_, source, words) => {
    expect(timed(source)).toMatch(new RegExp(`${words}|levels|invalid YAML`));
  });
});

describe("much of the same", () => {
  test.each([
    ["keys", `${JOB}${fill("a: b\n")}`],
    ["elements", `${JOB}x:\n${fill("- a\n")}`],
    ["elements in brackets", `${JOB}x: [${fill("a,")}]`],
    ["pairs in braces", `${JOB}x: {${fill("a: b,")}}`],
    ["documents", fill("---\na\n")],
    ["comments", `${JOB}${fill("# a\n")}`],
    ["lines of a text", `${JOB}x: >\n${fill("  a\n\n   b\n")}`],
    ["escapes", `${JOB}x: "${fill("\\n")}"`],
    ["quotes", `${JOB}x: '${fill("''")}'`],
    ["an open quote", `${JOB}x: "${fill("a\n  ")}`],
    ["colons", `${JOB}x: ${fill(": ")}`],
    ["tags", `${JOB}x:\n${fill("- !a b\n")}`],
    ["signs of anchors", `${JOB}x: ${fill("&")}`],
    ["marks of texts", `${JOB}${fill("|\n")}`],
    ["directives", fill("%YAML 1.1\n")],
    ["blank lines", `${JOB}${fill("\n")}`],
    ["white space", `${JOB}${fill(" ")}`],
    ["tabs", `${JOB}${fill("\t")}`],
    ["wrong lines", `${JOB}${fill("a: b: c\n")}`],
    ["wrong indents", fill("a: 1\n  b: 2\n")],
    ["digits", `${JOB}x: ${fill("1")}`],
    ["digits with underscores", `${JOB}x: ${fill("1_")}`],
    ["digits with colons", `${JOB}x: ${fill("1:")}0`],
    ["a long key", `${fill("a")}: b\n${JOB}`],
    ["texts where texts are wanted", JOB.replace("image: b", `image: b, args: [${fill("a: b,")}]`)],
  ])("%s", (_, source) => {
    expect(timed(source)).toBeTruthy();
  });
});

test("a value that an anchor repeats does not grow without end", () => {
  const source = JOB.replace("image: b", `image: b, args: [&a {{ _args[0] }}, ${"*a, ".repeat(9_000)}]`);
  const template = compileTemplate(source, "t.yaml");
  expect(template.manifest(VALUES)).toMatchObject({ kind: "Job" });
  const error = refusal(() => template.manifest({ ...VALUES, _args: ["x".repeat(1_000)] }));
  expect([error.code, error.message]).toEqual(["TEMPLATE_JOB_INVALID", expect.stringContaining("no cluster stores")]);
});

test("a template that has another form for each operation keeps only some of them", () => {
  const source = `${JOB}{% for i in range(_args | length) %}x{{ i }}: {{ i }}\n{% endfor %}`;
  const template = compileTemplate(source, "t.yaml");
  for (let count = 0; count < 100; count++) {
    const manifest = template.manifest({ ...VALUES, _args: Array(count).fill("a") });
    expect(Object.keys(manifest)).toHaveLength(4 + count);
  }
});
