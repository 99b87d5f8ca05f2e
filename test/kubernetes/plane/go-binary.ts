// The one binary of all components, built with Go from the module in this directory, kept in opjob's cache.
// Knows how to build and where to keep; must not know what the components are for.
import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { access, mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { cacheDirectory, type Environment, type Say } from "../../../src/local/mongod-binary.ts";

const run = promisify(execFile);
const MODULE = import.meta.dirname;
const FLAGS = ["-trimpath", "-buildvcs=false", "-mod=readonly"];
/** On two cores with nothing cached: 10 s of download, then 11 minutes. */
const LONGEST_BUILD_MS = 40 * 60_000;
const PACKAGES = 2_800;
const SAY_EVERY_MS = 30_000;
const UNFINISHED = ".unfinished-";

export type GoBinaryOptions = { readonly env: Environment; readonly say: Say };

/**
 * Path of the binary; its first argument names the component to be. Built where the cache has none for these sources.
 * @throws Error with the reason where it can be neither found nor built
 */
export async function goBinary({ env, say }: GoBinaryOptions): Promise<string> {
  const directory = join(cacheDirectory(env), "plane");
  const stem = `plane-${await digestOfSources()}-${process.platform}-${process.arch}`;
  const version = await goVersion(env);
  // Without Go, a binary of the same sources by whatever Go is as good.
  const name = version === undefined ? await anyOf(directory, stem) : `${stem}-${version}`;
  if (name === undefined) throw new Error("there is no Go on PATH to build it with, and none is cached");
  const path = join(directory, name);
  if (await isExecutable(path)) return path;
  await mkdir(directory, { recursive: true });
  // Under a name of its own until it is whole: others may build or look at the same time.
  const unfinished = `${path}${UNFINISHED}${process.pid}`;
  try {
    await build(unfinished, { env, say });
    await rename(unfinished, path);
  } finally {
    await rm(unfinished, { force: true });
  }
  return path;
}

export const isExecutable = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );

async function digestOfSources(): Promise<string> {
  const files = (await readdir(MODULE)).filter((file) => /\.go$|^go\.(mod|sum)$/.test(file)).toSorted();
  const hash = createHash("sha256").update(FLAGS.join());
  for (const file of files) hash.update(`${file}\n`).update(await readFile(join(MODULE, file)));
  return hash.digest("hex").slice(0, 16);
}

async function goVersion(env: Environment): Promise<string | undefined> {
  const { stdout } = await run("go", ["env", "GOVERSION"], { cwd: MODULE, env }).catch(() => ({ stdout: "" }));
  return stdout.trim() || undefined;
}

async function anyOf(directory: string, stem: string): Promise<string | undefined> {
  const names: string[] = await readdir(directory).catch(() => []);
  return names.find((name) => name.startsWith(`${stem}-`) && !name.includes(UNFINISHED));
}

async function build(path: string, { env, say }: GoBinaryOptions): Promise<void> {
  const begun = performance.now();
  const seconds = (): number => Math.round((performance.now() - begun) / 1_000);
  say("building the Kubernetes control plane with Go: once for these sources, up to 12 minutes on two cores");
  const args = ["build", "-v", ...FLAGS, "-ldflags", `-s -w ${await versionFlags()}`, "-o", path, "."];
  const child = spawn("go", args, {
    cwd: MODULE,
    env: { ...env, CGO_ENABLED: "0", GOFLAGS: "" },
    stdio: ["ignore", "ignore", "pipe"],
    timeout: LONGEST_BUILD_MS,
  });
  const last: string[] = [];
  let packages = 0;
  const progress = setInterval(
    () => say(`${seconds()} s: ${packages} of about ${PACKAGES} packages built`),
    SAY_EVERY_MS,
  );
  try {
    const ended = Promise.withResolvers<number | null>();
    child.once("error", ended.reject).once("close", ended.resolve);
    for await (const line of createInterface({ input: child.stderr })) {
      if (/^[\w./-]+$/.test(line)) packages++;
      else if (last.push(line) > 10) last.shift();
    }
    const code = await ended.promise;
    if (code !== 0) throw new Error(`go build failed (${code ?? child.signalCode}): ${last.join("; ")}`);
  } finally {
    clearInterval(progress);
    child.kill("SIGKILL");
  }
  say(`built in ${seconds()} s`);
}

/** Without them the servers call themselves v0.0.0, and clients warn. */
async function versionFlags(): Promise<string> {
  const [, version = ""] = /^\tk8s\.io\/kubernetes (v\S+)/m.exec(await readFile(join(MODULE, "go.mod"), "utf8")) ?? [];
  const packages = ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"];
  const [, minor = ""] = version.split(".");
  return packages
    .map((name) => `-X ${name}.gitVersion=${version} -X ${name}.gitMajor=1 -X ${name}.gitMinor=${minor}`)
    .join(" ");
}
