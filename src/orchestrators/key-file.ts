// The door to the encryption keys: settings, or files such as mounted Secrets, which are read again when they change.
// It hands keys on to whoever decrypts; no key enters an error.
import { readFile, stat } from "node:fs/promises";
import { OpjobError } from "../errors.ts";
import type { Keys, KeyText } from "./keys.ts";

/** Empty texts: not set. Of each pair only one may be set. */
export type KeySettings = {
  readonly encryptionKey: string;
  readonly encryptionKeyFile: string;
  readonly oldEncryptionKey: string;
  readonly oldEncryptionKeyFile: string;
};

export type KeySource = {
  /** The keys as they are now. @throws OpjobError ENCRYPTION_KEY_MISSING when a file cannot be read */
  readonly read: () => Promise<Keys>;
  /** Changes whenever a file of a key may have; never throws. */
  readonly version: () => Promise<string>;
};

/** Whoever names another file by mistake should not wait for all of it (bytes). */
const LARGEST = 4_096;

/** @param onKey told of each key's text as it is read: it must never be shown */
export function openKeys(settings: KeySettings, onKey: (text: string) => void = () => undefined): KeySource {
  const { encryptionKey, encryptionKeyFile, oldEncryptionKey, oldEncryptionKeyFile } = settings;
  for (const text of [encryptionKey, oldEncryptionKey]) if (text !== "") onKey(text);
  const keyOf = async (text: string, setting: string, path: string): Promise<KeyText> => {
    const key = path === "" ? { text, source: setting } : { text: await readKey(path), source: `The key file ${path}` };
    if (path !== "") onKey(key.text.trim());
    return key;
  };
  return {
    async read() {
      const hasOld = oldEncryptionKey !== "" || oldEncryptionKeyFile !== "";
      return {
        current: await keyOf(encryptionKey, "FIFTYONE_ENCRYPTION_KEY", encryptionKeyFile),
        old: hasOld ? await keyOf(oldEncryptionKey, "OPJOB_OLD_ENCRYPTION_KEY", oldEncryptionKeyFile) : undefined,
      };
    },
    async version() {
      const files = [encryptionKeyFile, oldEncryptionKeyFile].filter((path) => path !== "");
      return (await Promise.all(files.map(versionOf))).join(" ");
    },
  };
}

async function readKey(path: string): Promise<string> {
  try {
    const entry = await stat(path);
    if (!entry.isFile() || entry.size > LARGEST) throw new Error("it is not a small file");
    return await readFile(path, "utf8");
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? (cause as Error).message;
    throw new OpjobError("ENCRYPTION_KEY_MISSING", `The encryption key's file ${path} cannot be read: ${why}.`, {
      remedy: "Mount the Secret at that path, or correct OPJOB_ENCRYPTION_KEY_FILE or OPJOB_OLD_ENCRYPTION_KEY_FILE.",
    });
  }
}

/** stat follows the symlinks of a mounted Secret: the inode changes when they swap. */
async function versionOf(path: string): Promise<string> {
  try {
    const { ino, size, mtimeMs } = await stat(path);
    return `${ino}:${size}:${mtimeMs}`;
  } catch {
    return "none";
  }
}
