// Names of Jobs: they fit, they tell operations and attempts apart, and the same operation always gets the same.
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { finalName, generatedName, labelValue } from "../../src/templates/naming.ts";

const ID = "6b0364133073fa365dde3037";
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;

const id = fc.stringMatching(/^[0-9a-f]{24}$/);
const attempt = fc.integer({ min: 1, max: 12 });
const operator = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 80 }),
  fc.stringMatching(/^@[a-z0-9-]{1,20}\/[a-z0-9_-]{1,20}\/[a-z0-9_]{1,60}$/),
);
/** A name as a template may render it: with our name, with the id, or with neither. */
const word = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,70}[a-z0-9])?$/);
type Naming = (id: string, attempt: number) => string;
const template: fc.Arbitrary<Naming> = fc.oneof(
  fc.tuple(word, operator).map(
    ([text, uri]): Naming =>
      (i, n) =>
        `${text}-${generatedName(uri, i, n)}`,
  ),
  operator.map(
    (uri): Naming =>
      (i, n) =>
        generatedName(uri, i, n),
  ),
  fc.tuple(word, word).map(
    ([a, b]): Naming =>
      (i) =>
        `${a}-${i}-${b}`,
  ),
  word.map(
    (text): Naming =>
      (i) =>
        `${text}-${i}`,
  ),
  word.map(
    (text): Naming =>
      () =>
        text,
  ),
  fc.constant<Naming>(() => ""),
);

describe("_name", () => {
  test.each([
    ["@voxel51/brain/compute_similarity", 1, `compute-similarity-${ID}`],
    ["@voxel51/brain/compute_similarity", 3, `compute-similarity-${ID}-3`],
    ["plain", 1, `plain-${ID}`],
    ["@a/b/ÄÖ", 1, `op-${ID}`],
    ["", 1, `op-${ID}`],
    [`@a/b/${"very_long_".repeat(9)}`, 1, `very-long-very-long-very-long-very-lon-${ID}`],
  ])("of %s, attempt %i, is %s", (uri, number, name) => {
    expect(generatedName(uri, ID, number)).toBe(name);
  });

  test("always is a DNS label of at most 63 characters that holds the whole id", () => {
    fc.assert(
      fc.property(operator, id, attempt, (uri, operation, number) => {
        const name = generatedName(uri, operation, number);
        expect(name).toMatch(LABEL);
        expect(name).toContain(operation);
      }),
    );
  });
});

describe("the name that a Job gets", () => {
  test.each([
    [`echo-${ID}`, 1, `echo-${ID}`],
    [`echo-${ID}-2`, 2, `echo-${ID}-2`],
    [`job-${ID}-gpu`, 1, `job-${ID}-gpu`],
    [`job-${ID}-gpu`, 2, `job-${ID}-gpu-2`],
    ["worker", 1, `worker-${ID}`],
    ["worker-", 2, `worker-${ID}-2`],
    ["", 1, ID],
  ])("from the rendered %s, attempt %i, is %s", (rendered, number, name) => {
    expect(finalName(rendered, ID, number)).toBe(name);
  });

  test("fits, is a DNS name, and is the same each time", () => {
    fc.assert(
      fc.property(template, id, attempt, (naming, operation, number) => {
        const name = finalName(naming(operation, number), operation, number);
        expect(name.length).toBeLessThanOrEqual(63);
        expect(name).toMatch(SUBDOMAIN);
        expect(name).toContain(operation);
        expect(finalName(naming(operation, number), operation, number)).toBe(name);
      }),
      { numRuns: 500 },
    );
  });

  test("tells any two operations, and any two attempts of one, apart", () => {
    fc.assert(
      fc.property(template, id, id, attempt, attempt, (naming, a, b, first, second) => {
        fc.pre(a !== b || first !== second);
        const one = finalName(naming(a, first), a, first);
        expect(finalName(naming(b, second), b, second)).not.toBe(one);
        if (first !== second) expect(finalName(naming(a, second), a, second)).not.toBe(one);
      }),
      { numRuns: 1_000 },
    );
  });

  test("tells attempts apart also where the template's own text looks like an attempt", () => {
    const names = [1, 2, 3].map((number) => finalName(`job-${ID}-2`, ID, number));
    expect(new Set(names).size).toBe(3);
  });

  test("of two long names of one operation stays two names", () => {
    const long = (end: string): string => `${"team-".repeat(12)}${end}-${ID}`;
    expect(finalName(long("a"), ID, 1)).not.toBe(finalName(long("b"), ID, 1));
  });
});

describe("a label's value", () => {
  test.each([
    ["kubernetes-gpu", "kubernetes-gpu"],
    ["K8s_gpu.1", "K8s_gpu.1"],
    ["", ""],
  ])("that fits is kept: %p", (text, value) => {
    expect(labelValue(text)).toBe(value);
  });

  test("always fits, and different texts stay different", () => {
    const text = fc.oneof(fc.string({ unit: "grapheme", maxLength: 90 }), fc.stringMatching(/^[ -~]{0,90}$/));
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(labelValue(a)).toMatch(/^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$/);
        if (a !== b) expect(labelValue(a)).not.toBe(labelValue(b));
      }),
    );
  });
});
