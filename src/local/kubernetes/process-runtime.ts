// Containers as local processes: each in a process group of its own, with a private directory, without this process's
// environment, its memory limit enforced. Nothing is isolated: this is for demos and tests on trusted input.
import { type ChildProcess, type ChildProcessByStdio, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { type Clock, type Deferred, deferred } from "./clock.ts";
import { expand } from "./environment.ts";
import type { Container, Pod } from "./objects.ts";
import { MARK, ProcessTable } from "./process-table.ts";
import { quantityOf } from "./quantity.ts";
import { type Ended, type Launch, type Running, type Runtime, StartFailure } from "./runtime.ts";

export type ProcessOptions = {
  /** Variables that every container gets, below its own. */
  readonly env?: Readonly<Record<string, string>>;
  /** The PATH of containers that set none. */
  readonly path: string;
  /** What an image runs when its container names no command, by the image's name. */
  readonly entrypoints?: Readonly<Record<string, readonly string[]>>;
};

type Process = {
  readonly id: string;
  readonly child: ChildProcess;
  readonly limit: number;
  overLimit: boolean;
  readonly ended: Deferred<Ended>;
};

const POLL_MS = 100;
const DRAIN_MS = 500;

export class ProcessRuntime implements Runtime {
  readonly #clock: Clock;
  readonly #options: ProcessOptions;
  readonly #processes = new Map<string, Process>();
  readonly #directories = new Map<string, string>();
  readonly #table = new ProcessTable();
  readonly #onExit = () => this.#killAll();
  #poll: NodeJS.Timeout | undefined;

  constructor(clock: Clock, options: ProcessOptions) {
    this.#clock = clock;
    this.#options = options;
    process.on("exit", this.#onExit);
  }

  async start({ pod, container, env, log }: Launch): Promise<Running> {
    const id = randomUUID();
    const child = this.#spawn(pod, container, { ...env, [MARK]: id });
    child.stdout.on("data", (chunk: Buffer) => log.append(chunk, this.#clock.now()));
    child.stderr.on("data", (chunk: Buffer) => log.append(chunk, this.#clock.now()));
    const limit = quantityOf(container.resources?.limits?.["memory"] ?? "1E");
    const one: Process = { id, child, limit, overLimit: false, ended: deferred<Ended>() };
    this.#processes.set(id, one); // before anything is awaited: stop() must know it
    this.#whenEnded(one, () => log.end(this.#clock.now()));
    await begun(child).catch((error: unknown) => {
      this.#forget(one, { exitCode: 128 });
      throw error;
    });
    this.#watch();
    return { ended: one.ended.promise, signal: (signal) => this.#signal(one, signal) };
  }

  /** @throws StartFailure for what can be no process at all */
  #spawn(pod: Pod, container: Container, env: Launch["env"]): ChildProcessByStdio<null, Readable, Readable> {
    const directory = this.#directoryOf(pod);
    const least = { PATH: this.#options.path, HOME: directory, HOSTNAME: pod.metadata.name };
    const [file, ...args] = commandOf(container, env, this.#options.entrypoints);
    if (!file) throw new StartFailure(`no command specified: image "${container.image}" has no entrypoint here`);
    const cwd = container.workingDir && existsSync(container.workingDir) ? container.workingDir : directory;
    const variables = { ...least, ...this.#options.env, ...env };
    try {
      return spawn(file, args, { cwd, env: variables, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    } catch (error) {
      throw notStarted(file, error instanceof Error ? error.message : String(error));
    }
  }

  #forget(one: Process, ended: Ended): void {
    this.#processes.delete(one.id);
    if (this.#processes.size === 0) this.#rest();
    one.ended.resolve(ended);
  }

  /** When the first process ends, the rest of the container ends with it, as in a PID namespace. */
  #whenEnded(one: Process, logEnds: () => void): void {
    const { child } = one;
    child.once("exit", (code, signal) => {
      this.#killRest(one);
      const drained = deferred<void>();
      const late = setTimeout(() => drained.resolve(), DRAIN_MS); // a stranger may hold the pipe open
      child.once("close", () => drained.resolve());
      void drained.promise.then(() => {
        clearTimeout(late);
        child.stdout?.destroy();
        child.stderr?.destroy();
        logEnds();
        const exitCode = signal ? 128 + (constants.signals[signal] ?? 0) : (code ?? 0);
        this.#forget(one, one.overLimit ? { exitCode: 137, reason: "OOMKilled" } : { exitCode });
      });
    });
  }

  /** Signals the first process of a container only, as a container runtime does, but SIGKILL ends all of it. */
  #signal(one: Process, signal: NodeJS.Signals): void {
    if (signal === "SIGKILL") this.#killRest(one);
    one.child.kill(signal);
  }

  #killRest({ id, child }: Process): void {
    kill(-(child.pid ?? 0), "SIGKILL");
    for (const { pid, container } of this.#table.scan()) if (container === id) kill(pid, "SIGKILL");
  }

  #watch(): void {
    if (this.#processes.size > 0) this.#poll ??= setInterval(() => this.#enforceLimits(), POLL_MS);
  }

  #rest(): void {
    clearInterval(this.#poll);
    this.#poll = undefined;
  }

  #enforceLimits(): void {
    const limited = [...this.#processes.values()].filter(({ limit }) => limit < 1e18);
    if (limited.length === 0) return;
    const members = this.#table.scan();
    for (const one of limited) {
      const bytes = members.reduce((sum, member) => sum + (member.container === one.id ? member.bytes : 0), 0);
      if (bytes <= one.limit) continue;
      one.overLimit = true;
      this.#signal(one, "SIGKILL");
    }
  }

  #directoryOf({ metadata: { uid = "", name } }: Pod): string {
    const known = this.#directories.get(uid);
    if (known) return known;
    const made = mkdtempSync(join(tmpdir(), `pod-${name}-`));
    mkdirSync(made, { recursive: true });
    this.#directories.set(uid, made);
    return made;
  }

  drop({ metadata: { uid = "" } }: Pod): void {
    const directory = this.#directories.get(uid);
    if (directory) rmSync(directory, { recursive: true, force: true });
    this.#directories.delete(uid);
  }

  async stop(): Promise<void> {
    const all = [...this.#processes.values()];
    for (const one of all) this.#signal(one, "SIGKILL");
    await Promise.all(all.map(({ ended }) => ended.promise));
    this.#rest();
    process.off("exit", this.#onExit);
    this.#removeDirectories();
  }

  #killAll(): void {
    for (const one of this.#processes.values()) this.#signal(one, "SIGKILL");
    this.#removeDirectories();
  }

  #removeDirectories(): void {
    for (const directory of this.#directories.values()) rmSync(directory, { recursive: true, force: true });
    this.#directories.clear();
  }
}

function commandOf(container: Container, env: Launch["env"], entrypoints: ProcessOptions["entrypoints"]): string[] {
  const command = container.command ?? entrypoints?.[container.image] ?? [];
  return [...command, ...(container.args ?? [])].map((word) => expand(word, env));
}

/** Resolves once the process runs. @throws StartFailure */
function begun(child: ChildProcess): Promise<void> {
  const file = child.spawnfile;
  return new Promise((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (error: NodeJS.ErrnoException) => {
      const missing = file.includes("/")
        ? `stat ${file}: no such file or directory`
        : "executable file not found in $PATH";
      const known: Readonly<Record<string, string>> = { ENOENT: missing, EACCES: "permission denied" };
      reject(notStarted(file, known[error.code ?? ""] ?? error.message));
    });
  });
}

const RUNC =
  "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process";
/** In runc's words. */
const notStarted = (file: string, why: string) => new StartFailure(`${RUNC}: exec: "${file}": ${why}: unknown`);

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    if (pid !== 0) process.kill(pid, signal);
  } catch {
    // already gone
  }
}
