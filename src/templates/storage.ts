// The door to where templates are stored: files, and ConfigMap mounts whose symlinks swap.
// Each load looks whether the file changed, so that a new template is used without a restart.
import { readFile, stat } from "node:fs/promises";
import { OpjobError } from "../errors.ts";
import type { Location } from "./location.ts";

/** A template's text, and a version that changes whenever the text may have. */
export type Stored = { readonly text: string; readonly version: string };

type Storage = { load: (location: Location) => Promise<Stored> };

/** Kubernetes refuses a ConfigMap above 1 MiB; a larger file is no template. */
const LARGEST = 1_048_576;

export function openStorage(): Storage {
  const files = new Map<string, Stored>();
  return {
    /** @throws OpjobError TEMPLATE_MISSING or TEMPLATE_UNREADABLE, with the path */
    async load(location) {
      if (location.kind === "inline") return { text: location.text, version: "inline" };
      const { path } = location;
      try {
        // stat follows the symlinks of a ConfigMap mount: the inode changes when they swap.
        const entry = await stat(path);
        const { ino, size, mtimeMs } = entry;
        // A pipe or a device may never end, whatever its size says.
        if (!entry.isFile()) throw new OpjobError("TEMPLATE_UNREADABLE", `The template "${path}" is not a file.`);
        const version = `${ino}:${size}:${mtimeMs}`;
        const known = files.get(path);
        if (known?.version === version) return known;
        if (size > LARGEST) throw new OpjobError("TEMPLATE_UNREADABLE", `The template "${path}" is larger than 1 MiB.`);
        const stored = { text: await readFile(path, "utf8"), version };
        files.set(path, stored);
        return stored;
      } catch (error) {
        files.delete(path);
        throw unreadable(path, error);
      }
    },
  };
}

function unreadable(path: string, error: unknown): OpjobError {
  if (error instanceof OpjobError) return error;
  const code = (error as NodeJS.ErrnoException).code;
  return code === "ENOENT" || code === "ENOTDIR"
    ? new OpjobError("TEMPLATE_MISSING", `There is no template file "${path}".`, { cause: error })
    : new OpjobError("TEMPLATE_UNREADABLE", `The template "${path}" cannot be read (${code ?? "unknown error"}).`, {
        cause: error,
      });
}
