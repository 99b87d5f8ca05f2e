// Where each component of a control plane comes from: a folder of binaries, PATH, or the binary that Go builds.
// One by one, for the usual folders of binaries hold etcd and the API server only. Starts nothing.
import { delimiter, join } from "node:path";
import type { Environment, Say } from "../../../src/local/mongod-binary.ts";
import { goBinary, isExecutable } from "./go-binary.ts";

export type Component =
  | "etcd"
  | "kube-apiserver"
  | "kube-controller-manager"
  | "kube-scheduler"
  | "kwok"
  | "containerd"
  | "kubelet";

/** A program and the arguments that come before the component's own. */
export type Command = { readonly file: string; readonly first: readonly string[] };

export type FindOptions = { readonly env?: Environment; readonly say?: Say };

export const sayOnStderr: Say = (line) => void process.stderr.write(`${line}\n`);

/**
 * Each component by itself: `$KUBEBUILDER_ASSETS`, then PATH, then the cache, then a build with Go (minutes, once).
 * @throws Error naming the components that are nowhere, and why they could not be built
 */
export async function findComponents(
  names: readonly Component[],
  { env = process.env, say = sayOnStderr }: FindOptions = {},
): Promise<Map<Component, Command>> {
  const found = new Map<Component, Command>();
  for (const name of names) {
    const file = await installed(name, env);
    if (file !== undefined) found.set(name, { file, first: [] });
  }
  const missing = names.filter((name) => !found.has(name));
  if (missing.length === 0) return found;
  const file = await goBinary({ env, say }).catch((cause: unknown) => refuse(missing, cause));
  for (const name of missing) found.set(name, { file, first: [name] });
  return found;
}

async function installed(name: Component, env: Environment): Promise<string | undefined> {
  const directories = [env["KUBEBUILDER_ASSETS"], ...(env["PATH"] ?? "").split(delimiter)];
  for (const directory of directories) {
    if (!directory) continue;
    const file = join(directory, name);
    if (await isExecutable(file)) return file;
  }
  return undefined;
}

function refuse(missing: readonly Component[], cause: unknown): never {
  const why = cause instanceof Error ? cause.message : String(cause);
  const what = `${missing.join(", ")}: not in KUBEBUILDER_ASSETS and not on PATH; ${why}`;
  throw new Error(`${what}. Install Go 1.26 or newer, or put the binaries in KUBEBUILDER_ASSETS.`, { cause });
}
