// kill -9 of a re-encryption at random moments: each secret is whole at any time, and the next run does what is left.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { expect, test } from "@jest/globals";
import type { Document } from "mongodb";
import { encryptToken, fernetKey } from "../../src/orchestrators/fernet.ts";
import { type Keys, openToken } from "../../src/orchestrators/keys.ts";
import { type TestDatabase, testDatabase } from "../mongo.ts";
import { random } from "../random.ts";

const KILLS = 10;
const SECRETS = 2_000;

const newKey = (): string => randomBytes(32).toString("base64url").padEnd(44, "=");
const [NEW, OLD] = [newKey(), newKey()];
const KEYS: Keys = { current: { text: NEW, source: "new" }, old: { text: OLD, source: "old" } };

test(`${SECRETS} secrets are re-encrypted while the command is killed ${KILLS} times`, async () => {
  const seed = Number(process.env["SEED"] ?? Date.now() % 1_000_000);
  process.stderr.write(`SEED=${seed}\n`);
  const draw = random(seed);
  await using database = await testDatabase();
  const secrets = database.db.collection("secrets");
  await secrets.insertMany(
    Array.from({ length: SECRETS }, (_, i) => ({
      key: `SECRET_${i}`,
      value: Buffer.from(encryptToken(fernetKey(OLD), `value ${i}`, 1_700_000_000_000)),
      created_at: new Date(0),
    })),
  );
  let done = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const lines = Math.floor((draw() * SECRETS) / KILLS) + 1;
    const { lines: shown } = await reencrypt(database, lines);
    const now = await underNewKey(secrets);
    expect(now).toBeGreaterThanOrEqual(done + Math.min(shown, lines) - 1);
    done = now;
  }
  process.stderr.write(`after ${KILLS} kills ${done} of ${SECRETS} secrets were under the new key\n`);
  expect(done).toBeLessThan(SECRETS);
  const { code, last } = await reencrypt(database, undefined);
  expect([code, last]).toEqual([
    0,
    `${SECRETS - done} re-encrypted, ${done} under the new key already, 0 that neither key opens`,
  ]);
  expect(await underNewKey(secrets)).toBe(SECRETS);
});

/** How many are under the new key; each must be whole, under one of the two. */
async function underNewKey(secrets: { find: () => { toArray: () => Promise<Document[]> } }): Promise<number> {
  let count = 0;
  for (const { key, value } of await secrets.find().toArray()) {
    const { by, bytes } = openToken(KEYS, Buffer.from(value.buffer as Uint8Array).toString("latin1"), key as string);
    expect(bytes.toString()).toBe(`value ${String(key).slice("SECRET_".length)}`);
    if (by === "current") count++;
  }
  return count;
}

/** @param killAfter kill -9 after so many lines of output; undefined: let it end */
async function reencrypt({ uri, name }: TestDatabase, killAfter: number | undefined) {
  const child = spawn(process.execPath, ["src/main.ts", "secret", "reencrypt", "--yes"], {
    env: {
      FIFTYONE_DATABASE_URI: uri,
      FIFTYONE_DATABASE_NAME: name,
      FIFTYONE_ENCRYPTION_KEY: NEW,
      OPJOB_OLD_ENCRYPTION_KEY: OLD,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  child.stdout.on("data", (chunk: Buffer) => {
    out += chunk.toString();
    if (killAfter !== undefined && out.split("\n").length > killAfter) child.kill("SIGKILL");
  });
  const [code] = (await once(child, "close")) as [number | null];
  const lines = out.trimEnd().split("\n");
  return { code, lines: lines.length, last: lines.at(-1) };
}
