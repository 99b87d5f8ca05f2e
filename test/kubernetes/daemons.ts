// Real daemons, each a process of its own as it runs in a container: started, read, signalled, ended.
// Knows how opjob is started; must not know what a test expects of it.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Db } from "mongodb";
import { ENCRYPTION_KEY, type LogLine } from "../local-daemon.ts";

export type DaemonProcess = {
  readonly pid: number;
  /** What it logged so far. */
  readonly lines: readonly LogLine[];
  readonly said: (message: string) => LogLine[];
  readonly signal: (signal: NodeJS.Signals) => void;
  /** Resolves with the exit code, or the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals>;
  /** Ends it for good, if it still lives. */
  [Symbol.asyncDispose](): Promise<void>;
};

/** @param environment beside what every daemon under test is told */
export function startDaemonProcess(
  { uri, db }: { readonly uri: string; readonly db: Db },
  environment: Record<string, string> = {},
): DaemonProcess {
  const child: ChildProcess = spawn(process.execPath, ["src/main.ts", "daemon"], {
    env: {
      PATH: process.env["PATH"],
      FIFTYONE_DATABASE_URI: uri,
      FIFTYONE_DATABASE_NAME: db.databaseName,
      FIFTYONE_ENCRYPTION_KEY: ENCRYPTION_KEY,
      OPJOB_HTTP_HOST: "127.0.0.1",
      OPJOB_HTTP_PORT: "0",
      OPJOB_RESULT_GRACE_SECONDS: "5",
      OPJOB_SWEEP_CRON: "*/5 * * * * *",
      ...environment,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines: LogLine[] = [];
  let rest = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split("\n");
    rest = parts.pop() ?? "";
    for (const part of parts) lines.push(JSON.parse(part) as LogLine);
  });
  const exited = once(child, "exit").then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
  return {
    pid: child.pid ?? 0,
    lines,
    said: (message) => lines.filter(({ msg }) => msg === message),
    signal: (signal) => void child.kill(signal),
    exited,
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
