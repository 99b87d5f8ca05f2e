// The programs of a node (container runtime, network plugins, busybox), from Debian's packages: fetched by apt, which checks
// them, and unpacked into opjob's cache. Nothing is installed on the machine, so no service is started and nothing stays.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { cacheDirectory, type Environment, reason, type Say } from "../../../src/local/mongod-binary.ts";

const run = promisify(execFile);
const PACKAGES = ["containerd", "runc", "containernetworking-plugins", "busybox-static"];
const FETCH_WITHIN_MS = 300_000;

/** Paths of files, `plugins` of a directory. */
export type NodePrograms = {
  readonly containerd: string;
  readonly ctr: string;
  readonly runc: string;
  readonly plugins: string;
  readonly busybox: string;
};

export type PackageOptions = { readonly env: Environment; readonly say: Say };

/** @throws Error with apt's words where they are not in the cache and cannot be fetched */
export async function nodePrograms({ env, say }: PackageOptions): Promise<NodePrograms> {
  const root = await cachedAt(env);
  if (!(await exists(root))) {
    say(`fetching ${PACKAGES.join(", ")} with apt (36 MB, once)`);
    await fetchInto(root, env);
  }
  return {
    containerd: join(root, "usr/bin/containerd"),
    ctr: join(root, "usr/bin/ctr"),
    runc: join(root, "usr/sbin/runc"),
    plugins: join(root, "usr/lib/cni"),
    busybox: join(root, "bin/busybox"),
  };
}

/** Whether a node can be had without fetching anything. */
export const hasNodePrograms = async (env: Environment): Promise<boolean> => exists(await cachedAt(env));

/** Of the system's release and machine: programs of another one may lack their libraries. */
async function cachedAt(env: Environment): Promise<string> {
  const release = await readFile("/etc/os-release", "utf8").catch(() => "");
  const hash = createHash("sha256").update(release).update(PACKAGES.join());
  return join(cacheDirectory(env), "node", `${hash.digest("hex").slice(0, 16)}-${process.arch}`);
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

async function fetchInto(root: string, env: Environment): Promise<void> {
  await mkdir(join(root, ".."), { recursive: true });
  const scratch = await mkdtemp(`${root}.unfinished-`);
  const archives = join(scratch, "archives");
  const tree = join(scratch, "tree");
  try {
    await mkdir(archives);
    await download(archives, env);
    for (const archive of await readdir(archives)) {
      await run("dpkg-deb", ["--extract", join(archives, archive), tree], { env });
    }
    // Somebody else may have been faster; theirs is as good.
    await rename(tree, root).catch(async (cause: unknown) => {
      if (!(await exists(root))) throw cause;
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function download(directory: string, env: Environment): Promise<void> {
  const options = { cwd: directory, env: { ...env, LC_ALL: "C" }, timeout: FETCH_WITHIN_MS };
  const fetch = () => run("apt-get", ["--quiet", "download", ...PACKAGES], options);
  await fetch()
    // A fresh machine has no lists of packages, an old one has lists of packages that are gone.
    .catch(async () => {
      await run("apt-get", ["--quiet", "update"], options);
      await fetch();
    })
    .catch((cause: unknown) => {
      throw new Error(`apt gave no ${PACKAGES.join(", ")}: ${reason(cause)}`, { cause });
    });
}
