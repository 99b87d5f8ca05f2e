// Fernet tokens as Python's `cryptography` writes and reads them (https://github.com/fernet/spec).
// Pure: knows keys and tokens, nothing of where they are stored. No plaintext, key or token ever enters an error.
import { createCipheriv, createDecipheriv, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { OpjobError } from "../errors.ts";

export type FernetKey = { readonly signing: Buffer; readonly encryption: Buffer };

const VERSION = 0x80;
const HEADER = 1 + 8 + 16; // version, seconds since 1970, IV
const HMAC = 32;

/**
 * A key from its text: URL-safe base64 of 32 bytes, 16 for signing and 16 for encryption.
 * As lenient as Python: the standard alphabet, white space and quotes around it are accepted, missing padding is not.
 * @param source the setting or file that holds it, for errors
 * @throws OpjobError ENCRYPTION_KEY_MISSING for an empty text, ENCRYPTION_KEY_INVALID for anything else that is no key.
 */
export function fernetKey(text: string, source = "FIFTYONE_ENCRYPTION_KEY"): FernetKey {
  if (text.trim() === "") {
    throw new OpjobError("ENCRYPTION_KEY_MISSING", `Secrets are encrypted, but there is no key: ${source} is not set.`);
  }
  const bytes = decodeBase64(text);
  if (bytes?.length !== 32) {
    const got = bytes === undefined ? "it is not padded base64" : `it holds ${bytes.length} bytes`;
    throw new OpjobError("ENCRYPTION_KEY_INVALID", `${source} is not a Fernet key of 32 bytes: ${got}.`);
  }
  return { signing: bytes.subarray(0, 16), encryption: bytes.subarray(16) };
}

/**
 * The plaintext of a token.
 * @param secret the secret's name, for the error only
 * @throws OpjobError SECRET_UNREADABLE, saying which check failed
 */
export const decryptToken = (key: FernetKey, token: string, secret: string): string =>
  decryptBytes(key, token, secret).toString("utf8");

/** As `decryptToken`, for what need not be text. */
export function decryptBytes(key: FernetKey, token: string, secret: string): Buffer {
  const refuse = (why: string) =>
    new OpjobError("SECRET_UNREADABLE", `The secret "${secret}" cannot be decrypted: ${why}.`);
  const bytes = tokenBytes(token);
  if (bytes === undefined) throw refuse("its value is not a Fernet token");
  const signed = bytes.subarray(0, -HMAC);
  const signature = createHmac("sha256", key.signing).update(signed).digest();
  if (!timingSafeEqual(signature, bytes.subarray(-HMAC))) throw refuse("it was encrypted with another key, or damaged");
  const decipher = createDecipheriv("aes-128-cbc", key.encryption, signed.subarray(9, HEADER));
  try {
    return Buffer.concat([decipher.update(signed.subarray(HEADER)), decipher.final()]);
  } catch {
    throw refuse("its content is damaged");
  }
}

/** A token that Python's `Fernet(key).decrypt` reads. `now` in milliseconds since 1970; the IV is random. */
export function encryptToken(key: FernetKey, plaintext: string | Buffer, now: number): string {
  const iv = randomBytes(16);
  const cipher = createCipheriv("aes-128-cbc", key.encryption, iv);
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(BigInt(Math.floor(now / 1000)));
  const content = Buffer.concat([cipher.update(Buffer.from(plaintext)), cipher.final()]);
  const signed = Buffer.concat([Buffer.of(VERSION), time, iv, content]);
  const signature = createHmac("sha256", key.signing).update(signed).digest();
  return Buffer.concat([signed, signature]).toString("base64").replaceAll("+", "-").replaceAll("/", "_");
}

/** When a token was made, as it says itself (milliseconds since 1970); undefined: it is no token. Nothing is verified. */
export function tokenTime(token: string): number | undefined {
  const seconds = tokenBytes(token)?.readBigUInt64BE(1);
  return seconds === undefined ? undefined : Number(seconds) * 1_000;
}

function tokenBytes(token: string): Buffer | undefined {
  const bytes = decodeBase64(token);
  return bytes === undefined || bytes.length < HEADER + 16 + HMAC || bytes[0] !== VERSION ? undefined : bytes;
}

/** Python's base64 drops every character outside the alphabet, but wants the padding; undefined where it would throw. */
function decodeBase64(text: string): Buffer | undefined {
  const kept = text
    .replaceAll("-", "+")
    .replaceAll("_", "/")
    .replaceAll(/[^A-Za-z0-9+/=]/g, "");
  const body = kept.replace(/=+$/, "");
  const padding = kept.length - body.length;
  if (body.includes("=") || body.length % 4 === 1 || padding < (4 - (body.length % 4)) % 4) return undefined;
  return Buffer.from(body, "base64");
}
