// Whether the documents say what the code does: generated pages are fresh, and what others name exists.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { pages, stalePages } from "../docs/generate.ts";
import { ENDED } from "../src/clusters/ending-reasons.ts";
import { WAITING } from "../src/clusters/waiting-reasons.ts";
import { ERRORS } from "../src/errors.ts";
import { SETTINGS } from "../src/settings.ts";

const ROOT = join(import.meta.dirname, "..");
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const pageNamed = (name: string): string => pages().find((page) => page.name === name)?.text ?? "";

/** Where no row fits, Kubernetes' own reason stands in the place of the last one. */
const REASONS = [
  ...new Set([...Object.values(WAITING), ...Object.values(ENDED)].map(({ reason }): string => reason)),
].filter((reason) => reason !== ENDED.other.reason);

const DOCUMENTS = [
  "README.md",
  "ARCHITECTURE.md",
  ...readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

describe("the generated pages", () => {
  test("are what docs/generate.ts would write now", () => {
    expect(stalePages()).toEqual([]);
  });

  test.each(Object.values(SETTINGS).map(({ env }) => env))("settings.md has a row for %s", (variable) => {
    expect(pageNamed("settings.md")).toMatch(new RegExp(`^\\| \`${variable}\``, "m"));
  });

  test.each(Object.keys(ERRORS))("errors.md has a row for the code %s", (code) => {
    expect(pageNamed("errors.md")).toContain(`| \`${code}\` |`);
  });

  test.each(REASONS)("errors.md has a row for the reason %s", (reason) => {
    expect(pageNamed("errors.md")).toContain(`| \`${reason}\` |`);
  });
});

describe.each(DOCUMENTS)("%s", (path) => {
  const text = read(path);

  test("links only to files that exist", () => {
    const targets = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, target]) => target ?? "");
    expect(targets.filter((target) => !existsSync(join(ROOT, dirname(path), target)))).toEqual([]);
  });

  test("names only settings that exist", () => {
    const known = new Set<string>(Object.values(SETTINGS).map(({ env }) => env));
    const named = [...text.matchAll(/\bOPJOB_[A-Z_]+[A-Z]\b/g)].map(([name]) => name);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });

  test("names only npm scripts that exist", () => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
    const named = [...text.matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name ?? "");
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
  });

  test("names only source files that exist", () => {
    const named = [...text.matchAll(/`((?:src|docs|deploy|templates|test)\/[\w./-]+)`/g)].map(([, name]) => name ?? "");
    expect(named.filter((name) => !existsSync(join(ROOT, name)))).toEqual([]);
  });
});
