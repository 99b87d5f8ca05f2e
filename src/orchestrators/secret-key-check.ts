// Whether a key is the one that the secrets of a database were written with. Pure.
// A secret under a wrong key would be found by FiftyOne, and be unreadable to it: it must not be written at all.
import { OpjobError } from "../errors.ts";
import { type Keys, openToken } from "./keys.ts";

type Named = { readonly name: string; readonly token: string };

/** What opens a secret: the present key, the old one, or neither. */
export function openedBy(keys: Keys, { name, token }: Named): "current" | "old" | "neither" {
  try {
    return openToken(keys, token, name).by;
  } catch (error) {
    if (error instanceof OpjobError && error.code === "SECRET_UNREADABLE") return "neither";
    throw error;
  }
}

/** So many secrets tell whether a key fits. */
const ENOUGH = 50;

/** @throws OpjobError ENCRYPTION_KEY_INVALID when there are secrets and this key, or the one before it, opens none of them */
export function requireFittingKey(keys: Keys, secrets: readonly Named[]): void {
  const some = secrets.slice(0, ENOUGH);
  if (some.length === 0 || some.some((secret) => openedBy(keys, secret) !== "neither")) return;
  throw new OpjobError(
    "ENCRYPTION_KEY_INVALID",
    `${keys.current.source} opens none of the secrets that there are (${secrets.length}): FiftyOne writes them with another key.`,
    { remedy: "Use the key of your FiftyOne deployment; `opjob secret check` tells which secrets a key opens." },
  );
}
