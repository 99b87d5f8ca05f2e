// Tokens both ways between opjob and Python's own `cryptography`, for random values of all kinds.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, test } from "@jest/globals";
import { decryptToken, encryptToken, fernetKey } from "../../src/orchestrators/fernet.ts";
import { random } from "../random.ts";
import { pythonWith } from "./environment.ts";

const VALUES = 1_000;

type Request = { readonly key: string; readonly encrypt: readonly string[]; readonly decrypt: readonly string[] };
type Answer = { readonly tokens: readonly string[]; readonly texts: readonly (string | null)[] };

test(`${VALUES} random values and all vectors, both ways`, async () => {
  const python = await pythonWith("cryptography", "50.0.2");
  const seed = Number(process.env["SEED"] ?? Date.now() % 1_000_000);
  process.stderr.write(`SEED=${seed}\n`);
  const draw = random(seed);
  const key = randomBytes(32).toString("base64url").padEnd(44, "=");
  const ours = fernetKey(key);
  const values = Array.from({ length: VALUES }, () => someValue(draw));
  const tokens = values.map((value) => encryptToken(ours, value, Date.now()));
  const damaged = tokens
    .slice(0, 50)
    .map((token) => `${token.slice(0, 60)}${token[60] === "A" ? "B" : "A"}${token.slice(61)}`);
  const answer = await ask(python, { key, encrypt: values, decrypt: [...tokens, ...damaged] });
  expect(answer.texts).toEqual([...values, ...damaged.map(() => null)]);
  expect(answer.tokens.map((token) => decryptToken(ours, token, "S"))).toEqual(values);
  expect(answer.tokens).toHaveLength(VALUES);
});

type Vector = { readonly key: string; readonly plaintext: string; readonly token: string };

test("the vectors are still what Python reads", async () => {
  const python = await pythonWith("cryptography", "50.0.2");
  const path = join(import.meta.dirname, "../orchestrators/vectors/fernet.json");
  const { valid } = JSON.parse(readFileSync(path, "utf8")) as { valid: Vector[] };
  expect(valid.length).toBeGreaterThan(3);
  for (const { key, token, plaintext } of valid) {
    expect((await ask(python, { key, encrypt: [], decrypt: [token] })).texts).toEqual([plaintext]);
    expect(decryptToken(fernetKey(key), token, "S")).toBe(plaintext);
  }
});

/** From nothing to a kubeconfig's length, of all planes of Unicode but surrogates. */
function someValue(draw: () => number): string {
  const length = Math.floor(draw() ** 3 * 6_000);
  const highest = [0x7e, 0xff, 0xd7ff, 0x10ffff][Math.floor(draw() * 4)] ?? 0x7e;
  return Array.from({ length }, () => {
    const point = Math.floor(draw() * highest);
    return String.fromCodePoint(point >= 0xd800 && point <= 0xdfff ? 0x20 : point);
  }).join("");
}

async function ask(python: string, request: Request): Promise<Answer> {
  const child = spawn(python, [join(import.meta.dirname, "peer", "fernet.py")], { env: { PYTHONUTF8: "1" } });
  child.stdin.end(JSON.stringify(request));
  const [[code], stdout, stderr] = await Promise.all([once(child, "close"), text(child.stdout), text(child.stderr)]);
  if (code !== 0) throw new Error(`fernet.py ended with ${code}:\n${stderr.trim()}`);
  return JSON.parse(stdout) as Answer;
}
