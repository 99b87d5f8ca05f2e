// Fernet against the vectors that Python's `cryptography` wrote, and its leniency case by case.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { decryptToken, encryptToken, fernetKey } from "../../src/orchestrators/fernet.ts";
import { refusal } from "../refusal.ts";

type Vector = { name: string; key: string; plaintext: string; token: string; time?: number };
type Vectors = {
  valid: Vector[];
  random: Vector;
  behaviour_of_cryptography: { case: string; result: true | string }[];
};

const vectors = JSON.parse(readFileSync(new URL("vectors/fernet.json", import.meta.url), "utf8")) as Vectors;

const KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const STANDARD = "yMnKy8zNzs/Q0dLT1NXW19jZ2tvc3d7f4OHi4+Tl5uc=";
const PLAINTEXT = "s3cr3t-of-the-test";
const TOKEN = encryptToken(fernetKey(KEY), PLAINTEXT, 1_700_000_000_000);

/** The token with one byte changed; negative positions count from its end. */
function damaged(at: number, change: (byte: number) => number): string {
  const bytes = Buffer.from(TOKEN, "base64url");
  const index = at < 0 ? bytes.length + at : at;
  bytes[index] = change(bytes[index] ?? 0);
  return bytes.toString("base64").replaceAll("+", "-").replaceAll("/", "_");
}

test.each([...vectors.valid, { ...vectors.random, name: "a random IV" }])(
  "reads what Python wrote: $name",
  ({ key, token, plaintext }) => {
    expect(decryptToken(fernetKey(key), token, "S")).toBe(plaintext);
  },
);

describe("is as lenient as Python", () => {
  const wrong = Buffer.alloc(32, 7).toString("base64url");
  const tries: Record<string, () => string> = {
    "token as bytes": () => decryptToken(fernetKey(KEY), Buffer.from(TOKEN).toString("latin1"), "S"),
    "token as str": () => decryptToken(fernetKey(KEY), TOKEN, "S"),
    "key with trailing newline": () => decryptToken(fernetKey(`${KEY}\n`), TOKEN, "S"),
    "key with surrounding spaces": () => decryptToken(fernetKey(`  ${KEY} `), TOKEN, "S"),
    "key without '=' padding": () => decryptToken(fernetKey(KEY.replace("=", "")), TOKEN, "S"),
    [`key in the standard base64 alphabet (+ /): ${STANDARD}`]: () => {
      const urlSafe = STANDARD.replaceAll("+", "-").replaceAll("/", "_");
      return decryptToken(fernetKey(STANDARD), encryptToken(fernetKey(urlSafe), PLAINTEXT, 0), "S");
    },
    "key in quotes": () => decryptToken(fernetKey(`"${KEY}"`), TOKEN, "S"),
    "16-byte key": () => decryptToken(fernetKey(Buffer.alloc(16).toString("base64")), TOKEN, "S"),
    "token with trailing newline": () => decryptToken(fernetKey(KEY), `${TOKEN}\n`, "S"),
    "token without '=' padding": () => {
      const padded = encryptToken(fernetKey(KEY), PLAINTEXT.slice(0, 3), 0);
      expect(padded).toMatch(/=$/);
      return decryptToken(fernetKey(KEY), padded.replace(/=+$/, ""), "S");
    },
    "token from the far future (no ttl given)": () =>
      decryptToken(fernetKey(KEY), encryptToken(fernetKey(KEY), PLAINTEXT, 99_999_999_999_000), "S"),
    "wrong key": () => decryptToken(fernetKey(`${wrong}=`), TOKEN, "S"),
    "last HMAC byte flipped": () =>
      decryptToken(
        fernetKey(KEY),
        damaged(-1, (byte) => byte ^ 1),
        "S",
      ),
    "version byte 0x81": () =>
      decryptToken(
        fernetKey(KEY),
        damaged(0, () => 0x81),
        "S",
      ),
    "plaintext instead of a token": () => decryptToken(fernetKey(KEY), PLAINTEXT, "S"),
  };

  test.each(vectors.behaviour_of_cryptography)("$case: $result", ({ case: name, result }) => {
    const act = tries[name];
    if (act === undefined) throw new Error(`no try for "${name}"`);
    if (result === true) return expect(act()).toBe(PLAINTEXT);
    const code = result.startsWith("ValueError") ? "ENCRYPTION_KEY_INVALID" : "SECRET_UNREADABLE";
    return expect(refusal(act).code).toBe(code);
  });
});

test("no key at all is another error than a wrong one", () => {
  expect(refusal(() => fernetKey("")).code).toBe("ENCRYPTION_KEY_MISSING");
  expect(refusal(() => fernetKey(" \n")).code).toBe("ENCRYPTION_KEY_MISSING");
  expect(refusal(() => fernetKey("short")).code).toBe("ENCRYPTION_KEY_INVALID");
});

test("refusals name the secret and the check that failed, and hold neither key, token nor plaintext", () => {
  const errors = [
    refusal(() => fernetKey(`${KEY}AAAA`)),
    refusal(() => decryptToken(fernetKey(KEY), `${TOKEN.slice(0, -8)}AAAAAAAA`, "MY_SECRET")),
    refusal(() => decryptToken(fernetKey(KEY), PLAINTEXT, "MY_SECRET")),
  ];
  expect(errors[1]?.message).toBe(
    'The secret "MY_SECRET" cannot be decrypted: it was encrypted with another key, or damaged.',
  );
  expect(errors[2]?.message).toContain("not a Fernet token");
  for (const error of errors) {
    const told = `${error.message} ${error.remedy} ${String(error.cause)}`;
    for (const secret of [KEY.slice(0, 12), TOKEN.slice(8, 20), PLAINTEXT]) expect(told).not.toContain(secret);
  }
});

test("any text survives the way there and back, and two tokens of it differ", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.uint8Array({ minLength: 32, maxLength: 32 }), (text, bytes) => {
      const key = fernetKey(Buffer.from(bytes).toString("base64"));
      const token = encryptToken(key, text, 1_700_000_000_000);
      expect(decryptToken(key, token, "S")).toBe(text);
      expect(encryptToken(key, text, 1_700_000_000_000)).not.toBe(token);
    }),
    { numRuns: 200 },
  );
});

test("any damaged byte is noticed, and nothing but our own error comes out", () => {
  const length = Buffer.from(TOKEN, "base64url").length;
  fc.assert(
    fc.property(fc.nat(length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
      const token = damaged(at, (byte) => byte ^ by);
      expect(refusal(() => decryptToken(fernetKey(KEY), token, "S")).code).toBe("SECRET_UNREADABLE");
    }),
    { numRuns: 300 },
  );
});

test("any text at all is either a token or refused with our own error", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), (text) => {
      expect(refusal(() => decryptToken(fernetKey(KEY), text, "S")).code).toBe("SECRET_UNREADABLE");
      expect(refusal(() => decryptToken(fernetKey(text), TOKEN, "S")).code).toMatch(/^ENCRYPTION_KEY_/);
    }),
  );
});
