// What Jinja2 3.1.6 makes of templates that the other vectors do not ask for, and of random ones; recorded by peer/record.ts.
import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { compileJinja, JinjaError } from "../../src/templates/jinja/jinja.ts";
import { CONTEXT } from "./random/words.ts";

type Vector = { template: string; output?: string; error?: string; line?: number | null };

const { vectors } = JSON.parse(readFileSync(new URL("vectors/jinja-more.json", import.meta.url), "utf8")) as {
  vectors: Vector[];
};

function answer(template: string): { output: string } | { line: number } {
  try {
    return { output: compileJinja(template).render(CONTEXT) };
  } catch (error) {
    if (error instanceof JinjaError) return { line: error.line };
    throw error;
  }
}

/** A place in memory, which differs every time. */
const withoutPlaces = (text: string): string => text.replaceAll(/0x[0-9a-f]{12}/g, "0x");

/** Jinja2 tells the line of what stands before a `with` that fails; here it is that of the `with`. */
const tellsItsLine = ({ template }: Vector): boolean => !/\{%[-+]?\s*with/.test(template);

test("there are hundreds of them, half of which give a text", () => {
  expect(vectors.length).toBeGreaterThan(440);
  expect(vectors.filter(({ output }) => output !== undefined).length).toBeGreaterThan(220);
});

test.each(vectors.map((vector) => [JSON.stringify(vector.template), vector] as const))("%s", (_, vector) => {
  const got = answer(vector.template);
  if (vector.output !== undefined) {
    expect("output" in got && withoutPlaces(got.output)).toBe(withoutPlaces(vector.output));
  } else {
    expect(got).toHaveProperty("line");
    if (vector.line && tellsItsLine(vector)) expect(got).toEqual({ line: vector.line });
  }
});
