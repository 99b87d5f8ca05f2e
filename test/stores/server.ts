// A server process on 127.0.0.1 that lives as long as a test wants, and opjob's own bundle that is pointed at it.
// Knows how processes start and end; must not know the protocols.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { promisify } from "node:util";
import { until } from "../until.ts";

export type Server = AsyncDisposable & { readonly url: string };

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

const START_WITHIN_MS = 60_000;

/** Starts a server and waits until it answers. */
export async function serve(
  command: string,
  args: readonly string[],
  { port, env = {} }: { readonly port: number; readonly env?: Record<string, string> },
): Promise<Server> {
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(command, args, { env: { PATH: process.env["PATH"], ...env }, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const answers = async (): Promise<boolean> => {
    if (child.exitCode !== null) throw new Error(`${command} ended with ${child.exitCode}:\n${said.slice(-2_000)}`);
    return fetch(url).then(
      () => true,
      () => false,
    );
  };
  await until(answers, START_WITHIN_MS);
  return { url, [Symbol.asyncDispose]: () => end(child) };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

/** Builds what the image runs: the libraries of stores must survive bundling. */
export const bundle = async (): Promise<void> => {
  await promisify(execFile)(process.execPath, ["config/build.js"]);
};

export type Outcome = { readonly code: number; readonly out: string; readonly err: string };

/** `opjob render --raw URI` by the bundle, in a process whose environment holds nothing else. */
export async function render(uri: string, env: Record<string, string>): Promise<Outcome> {
  const options = { env: { PATH: process.env["PATH"], HOME: "/nonexistent", ...env }, timeout: 30_000 };
  return promisify(execFile)(process.execPath, ["dist/main.js", "render", "--raw", uri], options).then(
    ({ stdout, stderr }) => ({ code: 0, out: stdout, err: stderr }),
    ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({
      code,
      out: stdout,
      err: stderr,
    }),
  );
}
