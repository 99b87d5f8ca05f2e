// The door to files, and to ConfigMap mounts whose symlinks swap.
// Each read looks whether the file changed, so that a new template is used without a restart.
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { OpjobError } from "../../errors.ts";
import type { FileLocation } from "../location.ts";
import { collect, LARGEST, type Store } from "./reading.ts";

/** @throws OpjobError TEMPLATE_MISSING or TEMPLATE_UNREADABLE, with the path */
export const readFromFile: Store<FileLocation> = async ({ path }, { tag, signal }) => {
  try {
    // stat follows the symlinks of a ConfigMap mount: the inode changes when they swap.
    const entry = await stat(path);
    // A pipe or a device may never end, whatever its size says.
    if (!entry.isFile()) throw new OpjobError("TEMPLATE_UNREADABLE", `The template "${path}" is not a file.`);
    const version = `${entry.ino}:${entry.size}:${entry.mtimeMs}`;
    if (version === tag) return { kind: "unchanged" };
    // One byte more than is allowed: so that a file which grows meanwhile is seen to.
    const text = await collect(createReadStream(path, { end: LARGEST, signal }), { name: path, length: undefined });
    return { kind: "text", text, tag: version };
  } catch (error) {
    throw unreadable(path, error);
  }
};

function unreadable(path: string, error: unknown): OpjobError {
  if (error instanceof OpjobError) return error;
  const code = (error as NodeJS.ErrnoException).code;
  return code === "ENOENT" || code === "ENOTDIR"
    ? new OpjobError("TEMPLATE_MISSING", `There is no template file "${path}".`, { cause: error })
    : new OpjobError("TEMPLATE_UNREADABLE", `The template "${path}" cannot be read (${code ?? "unknown error"}).`, {
        cause: error,
      });
}
