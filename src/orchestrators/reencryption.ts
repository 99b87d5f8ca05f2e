// Re-encryption of all secrets under a new key, one compare-and-set each: whatever stops it, each secret is whole, under one
// of the two keys, and a second run goes on with what is left. Works through the door it is given.
import { OpjobError } from "../errors.ts";
import { tokenTime } from "./fernet.ts";
import { type Keys, openToken, sealToken } from "./keys.ts";
import type { Secrets, StoredSecret } from "./mongo-secrets.ts";

export type Reencryption = {
  /** Names of what was re-encrypted now, what the new key decrypted already, and what neither key decrypts. */
  readonly done: readonly string[];
  readonly already: readonly string[];
  readonly unreadable: readonly string[];
};

type Outcome = keyof Reencryption;

export type ReencryptOptions = {
  readonly secrets: Pick<Secrets, "list" | "reread" | "replace">;
  readonly keys: Keys;
  readonly onDone: (name: string, outcome: Outcome) => void;
};

/** How often a secret that others keep changing is read again. */
const TRIES = 5;

/** @throws OpjobError ENCRYPTION_KEY_…, before anything is changed */
export async function reencryptAll({ secrets, keys, onDone }: ReencryptOptions): Promise<Reencryption> {
  sealToken(keys, "", 0);
  const outcomes: Record<Outcome, string[]> = { done: [], already: [], unreadable: [] };
  for (const secret of await secrets.list()) {
    const outcome = await reencrypt(secrets, keys, secret);
    if (outcome === undefined) continue; // it was deleted meanwhile
    const name = nameOf(secret);
    outcomes[outcome].push(name);
    onDone(name, outcome);
  }
  return outcomes;
}

async function reencrypt(
  secrets: ReencryptOptions["secrets"],
  keys: Keys,
  first: StoredSecret,
): Promise<Outcome | undefined> {
  let secret: StoredSecret | undefined = first;
  for (let tries = 0; tries < TRIES && secret !== undefined; tries++) {
    const next = tokenUnderNewKey(keys, secret);
    if (next === "already" || next === "unreadable") return next;
    if (await secrets.replace(secret, next.token)) return "done";
    secret = await secrets.reread(secret);
  }
  if (secret === undefined) return undefined;
  throw new OpjobError("CHANGED_MEANWHILE", `The secret "${nameOf(first)}" changes all the time.`);
}

/** The new token says the same time as the old: when its value was written, not when it was re-encrypted. */
function tokenUnderNewKey(keys: Keys, { token, name }: StoredSecret): { token: string } | "already" | "unreadable" {
  try {
    const { by, bytes } = openToken(keys, token, name);
    return by === "current" ? "already" : { token: sealToken(keys, bytes, tokenTime(token) ?? 0) };
  } catch (error) {
    if (error instanceof OpjobError && error.code === "SECRET_UNREADABLE") return "unreadable";
    throw error;
  }
}

/** Also a secret that no one can name must be told of. */
export const nameOf = ({ name, id }: StoredSecret): string => (name === "" ? `(without a name: ${String(id)})` : name);
