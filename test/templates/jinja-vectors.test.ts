// What Jinja2 3.1.6 makes of 571 templates, recorded in vectors/jinja.json: the same text, or an error where it fails.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { compileJinja, JinjaError, type JinjaValue } from "../../src/templates/jinja/jinja.ts";

type Vector = { name: string; template: string; context: number; expected?: string; error?: string };
type Recording = { contexts: Record<string, JinjaValue>[]; vectors: Vector[] };

const recording = JSON.parse(readFileSync(new URL("vectors/jinja.json", import.meta.url), "utf8")) as Recording;

const render = (vector: Vector): string =>
  compileJinja(vector.template).render(recording.contexts[vector.context] ?? {});

const same = recording.vectors.filter((vector) => vector.expected !== undefined);
const failing = recording.vectors.filter((vector) => vector.error !== undefined);

describe("a template gives what Jinja2 gives", () => {
  test.each(same)("$name", (vector) => {
    expect(render(vector)).toBe(vector.expected);
  });
});

describe("a template fails where Jinja2 fails", () => {
  test.each(failing)("$name ($error)", (vector) => {
    expect(() => render(vector)).toThrow(JinjaError);
  });
});
