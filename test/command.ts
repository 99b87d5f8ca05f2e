// The command as a person starts it: a process of its own, its output and its exit code.
// Knows how it is started; must not know what a test expects of it.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

export const start = (args: readonly string[], env: Record<string, string> = {}): ChildProcess =>
  spawn(process.execPath, ["src/main.ts", ...args], { env: { PATH: process.env["PATH"], ...env } });

/** Runs it to its end. */
export async function run(args: readonly string[], env?: Record<string, string>) {
  const child = start(args, env);
  const all = (stream: ChildProcess["stdout"]) => (stream ? text(stream) : Promise.resolve(""));
  const [out, err] = [all(child.stdout), all(child.stderr)] as const;
  const [code] = (await once(child, "close")) as [number];
  return { code, out: await out, err: await err };
}
