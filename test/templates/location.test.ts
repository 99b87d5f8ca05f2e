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

const OBJECT = { bucket: "bucket", key: "templates/a b%20c?d#e.yaml.j2" };

test.each([
  ["s3", "s3"],
  ["S3", "s3"],
  ["minio", "minio"],
  ["gs", "gcs"],
])("%s:// names a bucket and a key, which is taken as it is", (scheme, kind) => {
  const uri = `${scheme}://bucket/templates/a b%20c?d#e.yaml.j2`;
  expect(parseLocation(uri)).toEqual({ kind, ...OBJECT, name: uri });
});

const BLOB = { kind: "azure", container: "jobs", key: "a/b c.yaml" };

test.each([
  ["az://jobs/a/b c.yaml", undefined],
  ["azure://jobs/a/b c.yaml", undefined],
  ["https://acme1.blob.core.windows.net/jobs/a/b%20c.yaml", "https://acme1.blob.core.windows.net"],
  ["https://acme1.blob.core.usgovcloudapi.net/jobs/a/b%20c.yaml", "https://acme1.blob.core.usgovcloudapi.net"],
  ["abfss://jobs@acme1.dfs.core.windows.net/a/b c.yaml", "https://acme1.blob.core.windows.net"],
  ["abfs://jobs@acme1.blob.core.windows.net/a/b c.yaml", "https://acme1.blob.core.windows.net"],
])("%s is a blob", (uri, endpoint) => {
  expect(parseLocation(uri)).toEqual({ ...BLOB, endpoint, name: uri });
});

test.each([
  ["https://host.example/a/job.yaml.j2", "https://host.example/a/job.yaml.j2"],
  ["https://user:pass@host.example/a?token=x#y", "https://host.example/a"],
  [
    "https://acme1.blob.core.windows.net/jobs/a.yaml?sv=1&sig=abc%3D",
    "https://acme1.blob.core.windows.net/jobs/a.yaml",
  ],
  ["https://blob.core.windows.net.evil.example/jobs/a.yaml", "https://blob.core.windows.net.evil.example/jobs/a.yaml"],
  ["http://host.example/a", "http://host.example/a"],
])("%s is an address, called %s", (uri, name) => {
  expect(parseLocation(uri)).toEqual({ kind: "web", url: uri, name });
});

test.each([
  ["s3://bucket", "must name a bucket and an object"],
  ["gs:///key", "must name a bucket and an object"],
  ["s3://key:secret@bucket/key", "must name a bucket and an object"],
  ["az://container/", "must name a bucket and an object"],
  ["https://acme1.blob.core.windows.net/container", "must name a container and a blob"],
  // Another host could be anybody's: Azure's credentials are not sent there.
  ["abfss://jobs@evil.example/a.yaml", "must look like abfss://"],
  ["https://[", "no valid address"],
])("%s is refused: %s", (uri, why) => {
  const error = refusal(() => parseLocation(uri));
  expect([error.code, error.message]).toEqual(["TEMPLATE_UNREADABLE", expect.stringContaining(why)]);
  expect(error.message).not.toContain("secret");
});

test("a scheme that cannot be read is refused by its name, without the password", () => {
  const error = refusal(() => parseLocation("ftp://user:pass@host/job.yaml.j2?token=x"));
  expect([error.code, error.message, error.retryable]).toEqual([
    "TEMPLATE_LOCATION_UNSUPPORTED",
    'The template "ftp://host/job.yaml.j2" is stored at ftp://, which cannot be read.',
    true,
  ]);
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
  const prefix = fc.constantFrom(
    "",
    "data:",
    "data:;base64,",
    "file://",
    "s3://",
    "az://",
    "abfss://",
    "https://",
    "/",
  );
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
