// The one container image of a node, made of a static busybox: Pods run its shell, and the sandbox of each Pod sleeps in it.
// Knows the archive format that container runtimes import; fetches nothing.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Not tagged "latest", which would be asked of a registry each time. */
export const IMAGE = "opjob.test/busybox:1";

const DIRECTORIES = ["bin", "dev", "etc", "proc", "root", "sys", "tmp", "var"];
/** The same bytes whenever and by whomever it is made. */
const REPRODUCIBLE = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];

/** Writes the image's archive. @param directory for what it is made of; empty @returns its path */
export async function makeImage(busybox: string, directory: string): Promise<string> {
  const root = join(directory, "root");
  for (const name of DIRECTORIES)
    await mkdir(join(root, name), { recursive: true, mode: name === "tmp" ? 0o1777 : 0o755 });
  await writeFile(join(root, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n");
  await writeFile(join(root, "etc/group"), "root:x:0:\n");
  await copyFile(busybox, join(root, "bin/busybox"));
  const { stdout } = await run(busybox, ["--list"]);
  const applets = stdout.split("\n").filter((name) => name !== "" && name !== "busybox");
  for (const applet of applets) await symlink("busybox", join(root, "bin", applet));
  const layer = join(directory, "layer.tar");
  await run("tar", [...REPRODUCIBLE, "-C", root, "-cf", layer, "."]);
  const digest = createHash("sha256")
    .update(await readFile(layer))
    .digest("hex");
  const config = {
    architecture: process.arch === "arm64" ? "arm64" : "amd64",
    os: "linux",
    created: "1970-01-01T00:00:00Z",
    config: { Env: ["PATH=/bin:/usr/bin"], Cmd: ["/bin/sleep", "1000000000"] },
    rootfs: { type: "layers", diff_ids: [`sha256:${digest}`] },
  };
  await writeFile(join(directory, "config.json"), JSON.stringify(config));
  const manifest = [{ Config: "config.json", RepoTags: [IMAGE], Layers: ["layer.tar"] }];
  await writeFile(join(directory, "manifest.json"), JSON.stringify(manifest));
  const archive = join(directory, "image.tar");
  await run("tar", [...REPRODUCIBLE, "-C", directory, "-cf", archive, "manifest.json", "config.json", "layer.tar"]);
  return archive;
}
