// Files that may change under a running daemon: encryption keys and templates on disk. Looked at every second, for mounted
// ConfigMaps and Secrets swap their symlinks, which no file watcher tells of reliably. Knows that they changed, not what they hold.
import type { Clock } from "./clock.ts";
import type { Directory } from "./orchestrators/directory.ts";
import type { KeySource } from "./orchestrators/key-file.ts";
import { parseLocation } from "./templates/location.ts";
import type { Storage } from "./templates/storage.ts";

export type FilesOptions = {
  /** One text for all files; another one whenever any of them may have changed. Never throws. */
  readonly version: () => Promise<string>;
  readonly onChange: () => void;
  readonly signal: AbortSignal;
  readonly clock: Pick<Clock, "sleep">;
  readonly everyMs?: number;
};

/** Follows until the signal is aborted; never throws. */
export async function followFiles(options: FilesOptions): Promise<void> {
  const { version, onChange, signal, clock, everyMs = 1_000 } = options;
  let known = await version();
  while (!signal.aborted) {
    await clock.sleep(everyMs, signal);
    if (signal.aborted) return;
    const now = await version();
    if (now !== known) onChange();
    known = now;
  }
}

type Files = {
  readonly keys: Pick<KeySource, "version">;
  readonly directory: Pick<Directory, "targets" | "get">;
  readonly storage: Pick<Storage, "load">;
};

/** The versions of the keys' files and of all templates that are files. */
export async function versionOfFiles({ keys, directory, storage }: Files): Promise<string> {
  const templates = directory.targets().map(async (id) => {
    try {
      const location = parseLocation(directory.get(id).executionTemplate ?? "");
      return location.kind === "file" ? (await storage.load(location)).version : "";
    } catch {
      return "none"; // a fault is told by whoever needs the template; here only its end counts
    }
  });
  return [await keys.version(), ...(await Promise.all(templates))].join("\n");
}
