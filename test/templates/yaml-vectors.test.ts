// Scalars and documents that YAML readers disagree about: what arrives, against what PyYAML 6.0 makes of them (recorded by
// peer/record.ts). Where Kubernetes wants a text, the text that the author wrote; elsewhere what PyYAML's safe loader resolves.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import type { Json, JsonObject } from "../../src/templates/json.ts";
import { compileTemplate } from "../../src/templates/render.ts";

type Loaded = { readonly value?: Json; readonly error?: string };
type Scalar = { readonly written: string; readonly base: Loaded; readonly safe: Loaded };
type Doc = { readonly text: string; readonly base: Loaded; readonly safe: Loaded };
const { scalars, documents } = JSON.parse(readFileSync(new URL("vectors/yaml.json", import.meta.url), "utf8")) as {
  scalars: Scalar[];
  documents: Doc[];
};

const VALUES = { _id: "65f1", _name: "echo-65f1", _image: "registry/w:1", _command: "python", _args: ["a"] };

/** A Job whose only container has these items as arguments, and that has others in a field that Kubernetes does not know. */
const job = (args: string, others: string): string => `apiVersion: batch/v1
kind: Job
metadata: {name: a}
others:
- ${others}
spec:
  template:
    spec:
      containers:
      - name: a
        args:
        - ${args}
`;
const raw = (text: string): string => `{% raw %}${text}{% endraw %}`;

type Read = { readonly args: Json; readonly others: Json } | "refused";
function read(source: string, args: readonly string[] = ["a"]): Read {
  try {
    const manifest = compileTemplate(source, "t.yaml").manifest({ ...VALUES, _args: args });
    const container = (manifest as unknown as { spec: { template: { spec: { containers: [JsonObject] } } } }).spec
      .template.spec.containers[0];
    return { args: container["args"] ?? null, others: manifest["others"] ?? null };
  } catch {
    return "refused";
  }
}

/** The one text that an item of a list is, without its quotes; undefined for everything else. */
function textOf({ base }: Scalar): string | undefined {
  const items = base.value;
  return Array.isArray(items) && items.length === 1 && typeof items[0] === "string" ? items[0] : undefined;
}
const isUnset = (written: string): boolean =>
  ["", "~", "null", "Null", "NULL"].includes(written.replace(/^(&a|!|#.*)$/, ""));

/** Tabs, line ends of Unicode and control characters, which PyYAML refuses in plain texts: they are read as they stand. */
const UNUSUAL = /[\t\u0085\u2028\ufeff\p{Cc}]/u;
/** Tags of Python's or the author's own, and sets: there is no such thing in a Job. */
const TAGGED = /^!(?:[a-z]|!set|!omap|!python|!null)/;

test("there are more than 136 scalars", () => {
  expect(scalars.length).toBeGreaterThan(280);
  expect(scalars.filter((scalar) => textOf(scalar) !== undefined).length).toBeGreaterThan(210);
});

describe("written by the template's author where a text is wanted: the author's text", () => {
  const texts = scalars.filter(
    (scalar) => textOf(scalar) !== undefined && !UNUSUAL.test(scalar.written) && !TAGGED.test(scalar.written),
  );
  test.each(texts.map((scalar) => [JSON.stringify(scalar.written), scalar] as const))("- %s", (_, scalar) => {
    const wanted = isUnset(scalar.written) ? null : textOf(scalar);
    expect(read(raw(job(scalar.written, "a")))).toEqual({ args: [wanted], others: ["a"] });
  });
});

describe("what is no text for PyYAML, where a text is wanted: as it is written", () => {
  const others = scalars.filter(
    (scalar) =>
      scalar.base.value !== undefined &&
      textOf(scalar) === undefined &&
      !TAGGED.test(scalar.written) &&
      !UNUSUAL.test(scalar.written),
  );
  test.each(others.map((scalar) => [JSON.stringify(scalar.written), scalar] as const))(
    "- %s",
    (_, { written, base }) => {
      // Some are several items, or an end of the document.
      if (!Array.isArray(base.value) || base.value.length !== 1)
        return expect(read(raw(job(written, "a")))).toBeTruthy();
      return expect(read(raw(job(written, "a")))).toEqual({ args: [written], others: ["a"] });
    },
  );
});

describe("written by the template's author where no text is wanted: as PyYAML resolves it", () => {
  const resolved = scalars.filter(
    (scalar) => scalar.safe.value !== undefined && !UNUSUAL.test(scalar.written) && !TAGGED.test(scalar.written),
  );
  /** A key is always a text. */
  const KEYS = ["1:30:", "?"];
  test.each(
    resolved
      .filter(({ written }) => !KEYS.includes(written))
      .map((scalar) => [JSON.stringify(scalar.written), scalar] as const),
  )("- %s", (_, { written, safe }) => {
    // Infinity, dates and bytes have no form in JSON: they stay the text that they are written as.
    if (JSON.stringify(safe.value).includes('{"$"')) {
      expect(read(raw(job("a", written)))).toEqual({ args: ["a"], others: [expect.any(String)] });
    } else {
      expect(read(raw(job("a", written)))).toEqual({ args: ["a"], others: safe.value });
    }
  });
});

describe("printed from a value", () => {
  test.each(scalars.map((scalar) => [JSON.stringify(scalar.written), scalar] as const))(
    "%s: it arrives as it is",
    (_, scalar) => {
      const source = job("{{ _args[0] }}", "{{ _args[0] }}");
      const { written } = scalar;
      // Without quotes and where no text is wanted, a value has the type that YAML gives to it; it never becomes more than one scalar.
      const isScalar =
        textOf(scalar) === written &&
        scalar.safe.value !== undefined &&
        !JSON.stringify(scalar.safe.value).includes('"$"');
      const typed = isScalar
        ? (scalar.safe.value as Json[])[0]
        : isUnset(written) && !/[#&!]/.test(written)
          ? null
          : written;
      expect(read(source, [written])).toEqual({ args: [written], others: [typed] });
      expect(read(source.replaceAll("{{ _args[0] }}", '"{{ _args[0] }}"'), [written])).toEqual({
        args: [written],
        others: [written],
      });
    },
  );
});

describe("whole documents", () => {
  /** What PyYAML reads and the parser here does not, or otherwise: no template has such lines. */
  const DIFFERENT = new Set([
    "a: b\u0085c: d",
    "a: b\u2028c: d",
    'a: "\\\n"',
    "1: a\nyes: b\n~: c\n2026-11-23: d\n0x1: e\n1.5: f",
    "a: !!set {b, c}",
    "a: !!omap [b: c]",
    "a: !!binary aGk=",
    "--- \na: b\n...\n",
  ]);
  const REST =
    "apiVersion: batch/v1\nkind: Job\nmetadata: {name: a}\nspec: {template: {spec: {containers: [{name: a}]}}}\n";
  const isMapping = ({ safe }: Doc): boolean =>
    typeof safe.value === "object" && safe.value !== null && !Array.isArray(safe.value);

  test.each(
    documents
      .filter((doc) => isMapping(doc) && !DIFFERENT.has(doc.text))
      .map((doc) => [JSON.stringify(doc.text), doc] as const),
  )("%s", (_, { text, safe }) => {
    const ended = text.endsWith("\n") ? text : `${text}\n`;
    const { apiVersion, kind, metadata, spec, ...own } = compileTemplate(raw(ended + REST), "t.yaml").manifest(VALUES);
    expect([apiVersion, kind, metadata, spec].every((part) => part !== undefined)).toBe(true);
    // The end of the text above was the end of a document there.
    expect(JSON.parse(JSON.stringify(own).replace("y\\n", "y"))).toEqual(
      JSON.parse(JSON.stringify(safe.value).replace("y\\n", "y")),
    );
  });

  /** What PyYAML refuses and the parser here reads: nothing is lost by it. */
  const READ = [/\t/, /<<: \[?1/, /&a \[1\]\nx2: &a/, /^\? \[/, /^a: =/];
  test.each(
    documents
      .filter(({ text, safe }) => safe.error !== undefined && !READ.some((known) => known.test(text)))
      .map(({ text }) => [JSON.stringify(text), text]),
  )("refused: %s", (_, text = "") => {
    expect(read(raw(`${text}\n${REST}`))).toBe("refused");
  });
});
