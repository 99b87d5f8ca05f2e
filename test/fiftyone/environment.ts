// The real FiftyOne in a virtual environment of our own: the peer that opjob must get along with.
// Knows how it is installed and which settings keep it to itself; must not know what is done with it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { cacheDirectory, type Say } from "../../src/local/mongod-binary.ts";

const VERSION = "1.22.1";
const PEER = join(import.meta.dirname, "peer");

export interface FiftyoneEnvironment {
  /** Path of a python that can import fiftyone. */
  readonly python: string;
  /** The whole environment of each FiftyOne process, workers too, but for FIFTYONE_DATABASE_URI and FIFTYONE_DATABASE_NAME. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Installs FiftyOne on the first call on a machine (1 GB, about a minute), then only finds it. Calls at the same time,
 * of other processes too, wait for the one that installs.
 * A FiftyOne process without FIFTYONE_DATABASE_URI would start a mongod of its own: `databaseOf` gives it.
 * @throws Error if there is no python3 (3.10 or newer, with venv), or pip cannot install FiftyOne.
 */
export async function fiftyoneEnvironment(say: Say = sayOnStderr): Promise<FiftyoneEnvironment> {
  const python = await pythonWith("fiftyone", VERSION, say);
  const home = join(dirname(dirname(python)), "home");
  await mkdir(home, { recursive: true });
  return { python, env: { ...inherited(), ...settings(home) } };
}

/** The variables that name the database. */
export function databaseOf(uri: string, name: string): Record<string, string> {
  return { FIFTYONE_DATABASE_URI: uri, FIFTYONE_DATABASE_NAME: name };
}

function settings(home: string): Record<string, string> {
  return {
    HOME: home,
    FIFTYONE_PLUGINS_DIR: join(PEER, "plugins"),
    // Only the process that sets a database up may migrate it; the others then run with the rights of a worker.
    FIFTYONE_DATABASE_ADMIN: "false",
    FIFTYONE_DATABASE_VALIDATION: "false",
    FIFTYONE_DELEGATED_OPERATION_MONITOR_INTERVAL: "2",
    FIFTYONE_SHOW_PROGRESS_BARS: "false",
    FIFTYONE_DO_NOT_TRACK: "true",
    // The plugin is read from the checkout.
    PYTHONDONTWRITEBYTECODE: "1",
  };
}

/** Not the developer's own FIFTYONE_* and PYTHON* settings: they could name a database of theirs. */
function inherited(): Record<string, string> {
  const kept = ["PATH", "TMPDIR", "LANG", "LC_ALL"];
  return Object.fromEntries(kept.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}

/**
 * A python that can import one package, in an environment of its own that is built once on a machine.
 * @throws Error if there is no python3 (3.10 or newer, with venv), or pip cannot install the package.
 */
export async function pythonWith(name: string, version: string, say: Say = sayOnStderr): Promise<string> {
  const root = join(cacheDirectory(process.env), name);
  const args = [join(PEER, "install.py"), root, version, name];
  const child = spawn("python3", args, { stdio: ["ignore", "pipe", "pipe"] });
  const closed = once(child, "close").catch((cause: unknown) => {
    throw new Error(`the real ${name} needs python3 (3.10 or newer) on PATH`, { cause });
  });
  const lines: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => {
    lines.push(line);
    say(line);
  });
  const [[code], stdout] = await Promise.all([closed, text(child.stdout)]);
  if (code !== 0) throw new Error(`the real ${name} could not be installed:\n${lines.slice(-5).join("\n")}`);
  return stdout.trim();
}

function sayOnStderr(line: string): void {
  process.stderr.write(`${line}\n`);
}
