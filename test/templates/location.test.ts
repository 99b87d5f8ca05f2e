// Where a template is stored: the spellings of a URI, and those that are refused.
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { OpjobError } from "../../src/errors.ts";
import { parseLocation } from "../../src/templates/location.ts";
import { refusal } from "../refusal.ts";

const TEXT = "kind: Job # ✓\nname: {{ _name }}\n";
const base64 = (text: string): string => Buffer.from(text).toString("base64");

test.each([
  ["/templates/gpu.yaml.j2", "/templates/gpu.yaml.j2"],
  ["templates/gpu.yaml.j2", "templates/gpu.yaml.j2"],
  ["/tmp/a:b//c.yaml", "/tmp/a:b//c.yaml"],
  ["/tmp/100%.yaml", "/tmp/100%.yaml"],
  ["file:///templates/a%20b.yaml", "/templates/a b.yaml"],
  ["FILE:///templates/a.yaml", "/templates/a.yaml"],
])("%s is the file %s", (uri, path) => {
  expect(parseLocation(uri)).toEqual({ kind: "file", path, name: uri });
});

describe("a template in the URI itself", () => {
  test.each([
    ["base64, as FiftyOne's documentation writes it", `data:text/yaml;base64,${base64(TEXT)}`],
    ["base64 without a type", `data:;base64,${base64(TEXT)}`],
    ["base64 with a character set", `data:text/yaml;charset=utf-8;base64,${base64(TEXT)}`],
    ["base64 in capitals", `data:text/yaml;BASE64,${base64(TEXT)}`],
    ["base64 without padding", `data:text/yaml;base64,${base64(TEXT).replace(/=+$/, "")}`],
    ["URL-safe base64", `data:text/yaml;base64,${Buffer.from(TEXT).toString("base64url")}`],
    ["base64 in lines", `data:text/yaml;base64,\n${base64(TEXT).replaceAll(/(.{20})/g, "$1\n")}\n`],
    ["percent-encoded base64", `data:text/yaml;base64,${encodeURIComponent(base64(TEXT))}`],
    ["percent-encoded text", `data:text/yaml,${encodeURIComponent(TEXT)}`],
  ])("%s", (_, uri) => {
    expect(parseLocation(uri)).toEqual({ kind: "inline", text: TEXT, name: "inline template" });
  });

  test("any text survives base64", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        const location = parseLocation(`data:text/yaml;base64,${base64(text)}`);
        // A byte order mark in front is no part of the text.
        expect(location).toEqual({ kind: "inline", text: text.replace(/^\uFEFF/, ""), name: "inline template" });
      }),
    );
  });
});

test.each([
  ["gs://bucket/templates/job.yaml.j2", "gs"],
  ["s3://bucket/job.yaml.j2", "s3"],
  ["https://example.org/job.yaml.j2", "https"],
])("%s is refused for now, naming the scheme", (uri, scheme) => {
  const error = refusal(() => parseLocation(uri));
  expect(error.code).toBe("TEMPLATE_LOCATION_UNSUPPORTED");
  expect(error.message).toContain(`${scheme}://`);
  expect(error.retryable).toBe(true);
});

test.each([
  ["without a comma", "data:text/yaml;base64", "comma"],
  ["that is no base64", "data:text/yaml;base64,{{ not base64 }}", "not base64"],
  ["that is no UTF-8", `data:text/yaml;base64,${Buffer.of(0xff, 0xfe, 0x41).toString("base64")}`, "UTF-8"],
  ["whose percent signs are broken", "data:text/yaml,100%zz", "percent"],
  ["whose file address is broken", "file:///templates/%zz.yaml", "file URI"],
  ["whose file host is broken", "file://[x/a.yaml", "file URI"],
])("a URI %s is unreadable", (_, uri, why) => {
  const error = refusal(() => parseLocation(uri));
  expect(error.code).toBe("TEMPLATE_UNREADABLE");
  expect(error.message).toContain(why);
});

test("any URI is a place or refused with our own error", () => {
  const prefix = fc.constantFrom("", "data:", "data:;base64,", "file://", "s3://", "/");
  fc.assert(
    fc.property(prefix, fc.string(), (start, rest) => {
      try {
        parseLocation(start + rest);
      } catch (error) {
        expect(error).toBeInstanceOf(OpjobError);
      }
    }),
  );
});
