// A Fernet token's text, in whatever BSON type it is stored. Pure.
import { Binary } from "mongodb";

/** pymongo stores Python's bytes as Binary with the token's ASCII text in it; others store the text. Empty: it is neither. */
export function tokenText(value: unknown): string {
  if (value instanceof Binary) return Buffer.from(value.buffer.subarray(0, value.position)).toString("latin1");
  if (value instanceof Uint8Array) return Buffer.from(value).toString("latin1");
  return typeof value === "string" ? value : "";
}
