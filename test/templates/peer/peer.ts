// The real Jinja2 and PyYAML, which this product's templates were written for: installed once into opjob's cache, and asked line by line.
// Knows how they are installed and spoken to; not what they are asked.
import { type ChildProcessByStdio, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { cacheDirectory } from "../../../src/local/mongod-binary.ts";

const REQUIREMENTS = ["jinja2==3.1.6", "markupsafe==3.0.4", "pyyaml==6.0.4"];

/** The path of a python that has them. @throws Error without python3 (with venv), or if pip cannot install them */
export function peerPython(): string {
  const install = join(import.meta.dirname, "install.py");
  const root = join(cacheDirectory(process.env), "jinja2");
  const { status, stdout } = spawnSync("python3", [install, root, ...REQUIREMENTS], {
    stdio: ["ignore", "pipe", "inherit"],
    encoding: "utf8",
  });
  if (status !== 0) throw new Error("the reference needs python3 (3.10 or newer, with venv) on PATH, and pip's index");
  return stdout.trim();
}

type Process = ChildProcessByStdio<Writable, Readable, null>;
type Pending = { readonly line: string; readonly answer: (line: string | undefined) => void };

/** A script of this folder that answers each line with a line, in order. Where one cannot be answered, it is started again. */
export class Peer {
  private readonly python: string;
  private readonly script: string;
  private readonly pending: Pending[] = [];
  private process: Process | undefined;

  constructor(python: string, script: string) {
    this.python = python;
    this.script = join(import.meta.dirname, script);
  }

  /** Undefined: the script ended over this line. */
  ask(question: unknown): Promise<string | undefined> {
    const line = `${JSON.stringify(question)}\n`;
    const answered = new Promise<string | undefined>((answer) => this.pending.push({ line, answer }));
    if (this.process) this.process.stdin.write(line);
    else this.start();
    return answered;
  }

  private start(): void {
    const child: Process = spawn(this.python, [this.script], { stdio: ["pipe", "pipe", "inherit"] });
    this.process = child;
    child.stdin.on("error", () => undefined); // it has ended: "close" tells
    createInterface({ input: child.stdout }).on("line", (line) => this.pending.shift()?.answer(line));
    child.on("close", () => {
      this.process = undefined;
      this.pending.shift()?.answer(undefined);
      if (this.pending.length > 0) this.start();
    });
    for (const { line } of this.pending) child.stdin.write(line);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.process) return;
    const closed = once(this.process, "close");
    this.process.stdin.end();
    await closed;
  }
}
