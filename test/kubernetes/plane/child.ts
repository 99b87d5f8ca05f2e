// One component as a process: started, waited for until it is ready, killed. Its output goes to a file.
// Knows processes and health addresses; must not know what the component does.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { get as getPlain } from "node:http";
import { get as getSecure } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "./components.ts";
import type { Guard } from "./guard.ts";

export type ChildOptions = {
  readonly name: string;
  readonly command: Command;
  readonly args: readonly (string | number)[];
  /** Output is appended to it. */
  readonly log: string;
  /** URL that answers 200 once it is ready; without one it counts as ready at once. */
  readonly ready: string | undefined;
  readonly guard: Guard;
};

const READY_WITHIN_MS = 60_000;
const END_WITHIN_MS = 10_000;

export class Child {
  readonly #options: ChildOptions;
  #process: ChildProcess | undefined;

  constructor(options: ChildOptions) {
    this.#options = options;
  }

  /** Undefined while it does not run. */
  get pid(): number | undefined {
    return this.#isAlive() ? this.#process?.pid : undefined;
  }

  /** Starts it and waits until it is ready. @throws Error with the end of its output */
  async start(): Promise<void> {
    const { name, command, args, log, ready, guard } = this.#options;
    if (this.#isAlive()) throw new Error(`${name} runs already`);
    const output = openSync(log, "a");
    const child = spawn(command.file, [...command.first, ...args.map(String)], { stdio: ["ignore", output, output] });
    closeSync(output);
    this.#process = child;
    const { pid } = child;
    if (pid === undefined) throw new Error(`${name} could not be started: ${String((await once(child, "error"))[0])}`);
    guard.add(pid);
    child.once("exit", () => guard.drop(pid));
    const deadline = performance.now() + READY_WITHIN_MS;
    while (ready !== undefined && !(await answers(ready))) {
      if (!this.#isAlive()) throw await this.#failure("ended instead of getting ready");
      if (performance.now() > deadline) throw await this.#failure(`was not ready within ${READY_WITHIN_MS} ms`);
      await sleep(25);
    }
  }

  /** Ends it and waits until it is gone; SIGKILL follows a signal that does not end it. */
  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const child = this.#process;
    if (child === undefined || !this.#isAlive()) return;
    const gone = once(child, "exit");
    child.kill(signal);
    const timer = setTimeout(() => child.kill("SIGKILL"), END_WITHIN_MS);
    await gone;
    clearTimeout(timer);
  }

  #isAlive(): boolean {
    const child = this.#process;
    return child?.pid !== undefined && child.exitCode === null && child.signalCode === null;
  }

  async #failure(what: string): Promise<Error> {
    const { name, log } = this.#options;
    const output = await readFile(log, "utf8").catch(() => "");
    return new Error(`${name} ${what}; the end of its output:\n${output.slice(-2_000)}`);
  }
}

/** Whether a health address answers 200. Its certificate is not checked: it may not be known yet. */
function answers(url: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const options = { rejectUnauthorized: false, timeout: 2_000, agent: false };
  const get = url.startsWith("https:") ? getSecure : getPlain;
  const request = get(url, options, (response) => {
    response.resume();
    resolve(response.statusCode === 200);
  });
  request.on("timeout", () => request.destroy());
  request.on("error", () => resolve(false));
  return promise;
}
