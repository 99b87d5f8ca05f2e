// The keys that secrets are decrypted with: the present one, and while secrets are re-encrypted the one before it.
// Pure. Knows where each key came from by name only, for errors.
import { OpjobError } from "../errors.ts";
import { decryptBytes, encryptToken, fernetKey } from "./fernet.ts";

/** A key's text, and the setting or file that it stands in. */
export type KeyText = { readonly text: string; readonly source: string };

/** `old` undefined: there is only one key. */
export type Keys = { readonly current: KeyText; readonly old: KeyText | undefined };

/** Which key decrypted a token. */
export type Opened = { readonly by: "current" | "old"; readonly bytes: Buffer };

/**
 * Decrypts with the present key, else with the old one.
 * @param secret the secret's name, for errors only
 * @throws OpjobError ENCRYPTION_KEY_…; SECRET_UNREADABLE, by the present key's words, when neither decrypts it
 */
export function openToken({ current, old }: Keys, token: string, secret: string): Opened {
  try {
    return { by: "current", bytes: decryptBytes(fernetKey(current.text, current.source), token, secret) };
  } catch (error) {
    if (old === undefined || !(error instanceof OpjobError) || error.code !== "SECRET_UNREADABLE") throw error;
    const key = fernetKey(old.text, old.source);
    try {
      return { by: "old", bytes: decryptBytes(key, token, secret) };
    } catch {
      throw error;
    }
  }
}

/** A token by the present key. @throws OpjobError ENCRYPTION_KEY_… */
export const sealToken = ({ current }: Keys, plaintext: string | Buffer, now: number): string =>
  encryptToken(fernetKey(current.text, current.source), plaintext, now);

/** The texts that must never be shown. */
export const keyTexts = ({ current, old }: Keys): string[] => [current.text, ...(old ? [old.text] : [])];
