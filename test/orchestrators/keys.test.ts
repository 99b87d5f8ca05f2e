// The encryption keys: from settings or files, the present one and the one before it, and what is told when they are wrong.
import { mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { encryptToken, fernetKey, tokenTime } from "../../src/orchestrators/fernet.ts";
import { openKeys } from "../../src/orchestrators/key-file.ts";
import { type Keys, keyTexts, openToken, sealToken } from "../../src/orchestrators/keys.ts";
import { refusal, refusalOf } from "../refusal.ts";

const A = Buffer.alloc(32, 1).toString("base64");
const B = Buffer.alloc(32, 2).toString("base64");
const C = Buffer.alloc(32, 3).toString("base64");
const keys = (current: string, old?: string): Keys => ({
  current: { text: current, source: "FIFTYONE_ENCRYPTION_KEY" },
  old: old === undefined ? undefined : { text: old, source: "OPJOB_OLD_ENCRYPTION_KEY" },
});
const token = (key: string) => encryptToken(fernetKey(key), "value", 1_700_000_000_000);

describe("two keys", () => {
  test.each([
    ["the present key", A, "current"],
    ["the old key", B, "old"],
  ])("a token of %s is opened, and said to be so", (_, key, by) => {
    expect(openToken(keys(A, B), token(key), "S")).toEqual({ by, bytes: Buffer.from("value") });
  });

  test("a token of neither is refused by the name of the secret", () => {
    const error = refusal(() => openToken(keys(A, B), token(C), "S"));
    expect([error.code, error.message]).toEqual(["SECRET_UNREADABLE", expect.stringContaining('"S"')]);
  });

  test("a wrong old key is named, and not taken for a wrong secret", () => {
    const error = refusal(() => openToken(keys(A, "nonsense"), token(B), "S"));
    expect([error.code, error.message]).toEqual([
      "ENCRYPTION_KEY_INVALID",
      expect.stringContaining("OPJOB_OLD_ENCRYPTION_KEY"),
    ]);
  });

  test("nothing is ever sealed with the old one", () => {
    const sealed = sealToken(keys(A, B), "value", 1_700_000_000_123);
    expect(openToken(keys(A), sealed, "S").by).toBe("current");
    expect(tokenTime(sealed)).toBe(1_700_000_000_000);
  });

  test("both are known as texts that must not be shown", () => {
    expect([keyTexts(keys(A)), keyTexts(keys(A, B))]).toEqual([[A], [A, B]]);
  });

  test("what is no token has no time", () => {
    expect([tokenTime("hunter2"), tokenTime("")]).toEqual([undefined, undefined]);
  });
});

describe("a key in a file", () => {
  const NONE = { encryptionKey: "", encryptionKeyFile: "", oldEncryptionKey: "", oldEncryptionKeyFile: "" };
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "opjob-keys-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test("is read as it is now, and its version changes with it, also when a mounted Secret swaps its links", async () => {
    const [path, first, second] = ["key", "first", "second"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    await writeFile(first, `${A}\n`);
    await writeFile(second, `${B}\n`);
    await symlink(first, path);
    const told: string[] = [];
    const source = openKeys({ ...NONE, encryptionKeyFile: path }, (text) => told.push(text));
    const before = await source.version();
    expect((await source.read()).current.text.trim()).toBe(A);
    expect(await source.version()).toBe(before);
    await symlink(second, join(folder, "swap"));
    await rename(join(folder, "swap"), path);
    expect((await source.read()).current.text.trim()).toBe(B);
    expect(await source.version()).not.toBe(before);
    expect(told).toEqual([A, B]);
  });

  test("that is missing, a folder or far too large is named by its path", async () => {
    const large = join(folder, "large");
    await writeFile(large, "x".repeat(5_000));
    for (const path of [join(folder, "none"), folder, large]) {
      const source = openKeys({ ...NONE, encryptionKeyFile: path });
      const error = await refusalOf(source.read());
      expect([error.code, error.message]).toEqual(["ENCRYPTION_KEY_MISSING", expect.stringContaining(path)]);
    }
  });

  test("of a truncated key is named by its path, without the key", async () => {
    const path = join(folder, "short");
    await writeFile(path, A.slice(4));
    const read = await openKeys({ ...NONE, encryptionKeyFile: path }).read();
    const error = refusal(() => sealToken(read, "value", 0));
    expect(error.message).toBe(`The key file ${path} is not a Fernet key of 32 bytes: it holds 29 bytes.`);
  });

  test("the old key comes from a file as well; without one there is none", async () => {
    const path = join(folder, "old");
    await writeFile(path, B);
    const both = await openKeys({ ...NONE, encryptionKey: A, oldEncryptionKeyFile: path }).read();
    expect([both.current.text, both.old?.text]).toEqual([A, B]);
    expect((await openKeys({ ...NONE, encryptionKey: A }).read()).old).toBeUndefined();
  });
});
