// The log: one JSON line for each fact, and no secret in any.
import { expect, test } from "@jest/globals";
import { createLog, secretsOfUri } from "../src/log.ts";

function capture(secrets: readonly string[] | ReadonlySet<string>, level = "info") {
  const lines: string[] = [];
  const log = createLog({ level, secrets, destination: { write: (line: string) => void lines.push(line) } });
  return { log, lines };
}

test("each fact is one JSON line with its level as a word, its time, its fields and its message", () => {
  const { log, lines } = capture([]);
  log.info({ operation: "6b0364133073fa365dde3037", text: "two\nlines" }, "launched");
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^\{.*\}\n$/);
  const fact = JSON.parse(lines[0] ?? "") as Record<string, string>;
  expect(fact).toMatchObject({ level: "info", operation: "6b0364133073fa365dde3037", msg: "launched" });
  expect(Date.parse(fact["time"] ?? "")).not.toBeNaN();
  expect(Object.keys(fact).toSorted()).toEqual(["level", "msg", "operation", "text", "time"]);
});

test("what is below the level is not written", () => {
  const { log, lines } = capture(["secret-secret"], "warn");
  log.info("no");
  log.warn("yes");
  expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(["yes"]);
});

test("secrets are cut out of fields, messages and errors, also where JSON escapes them", () => {
  const secrets = ["plain-secret", 'quo"te\\secret\n', ...secretsOfUri("mongodb://me:p%40ssword@db/?x=1")];
  const { log, lines } = capture(secrets);
  log.error({ err: new Error("auth failed for plain-secret"), uri: "mongodb://me:p%40ssword@db/?x=1" }, "p@ssword");
  log.info({ deep: { text: 'a quo"te\\secret\n b' } }, "p%40ssword");
  const all = lines.join("");
  for (const hidden of ["plain-secret", "p%40ssword", "p@ssword", "te\\\\secret"]) expect(all).not.toContain(hidden);
  expect(lines).toHaveLength(2);
  for (const line of lines) expect(() => JSON.parse(line) as unknown).not.toThrow();
});

test("a secret that becomes known later is cut out from then on", () => {
  const secrets = new Set(["first-secret"]);
  const { log, lines } = capture(secrets);
  log.info("first-secret second-secret");
  secrets.add("second-secret");
  log.info("first-secret second-secret");
  expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
    "[hidden] second-secret",
    "[hidden] [hidden]",
  ]);
});

test("texts too short to be a secret are left alone: cutting them out would spoil every line", () => {
  const { log, lines } = capture(["", "info", "plain-secret"]);
  log.info("info");
  expect(lines[0]).toContain('"msg":"info"');
});

test("the secrets of a connection string are the whole of it and its password in both spellings", () => {
  expect(secretsOfUri("mongodb+srv://me:p%40ss@db/x")).toEqual(["mongodb+srv://me:p%40ss@db/x", "p%40ss", "p@ss"]);
  expect(secretsOfUri("mongodb://db:27017/x")).toEqual(["mongodb://db:27017/x"]);
  expect(secretsOfUri("mongodb://me:50%off@db")).toEqual(["mongodb://me:50%off@db", "50%off"]);
});
