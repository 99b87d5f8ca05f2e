// A command as main.ts runs it, in this process: its output, its exit code, and what a person types.
// Knows how commands are put together; must not know what one does.
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { Command } from "commander";
import { applyCommand } from "../src/cli/apply.ts";
import { explainCommand } from "../src/cli/explain.ts";
import type { Host } from "../src/cli/host.ts";
import { logsCommand } from "../src/cli/logs.ts";
import { opsCommand } from "../src/cli/ops.ts";
import { orchestratorCommand } from "../src/cli/orchestrator.ts";
import { runProgram } from "../src/cli/outcome.ts";
import { renderCommand } from "../src/cli/render.ts";
import { secretCommand } from "../src/cli/secret.ts";
import { statusCommand } from "../src/cli/status.ts";
import { ENCRYPTION_KEY } from "./local-daemon.ts";
import type { TestDatabase } from "./mongo.ts";

export type Run = {
  readonly env?: Readonly<Record<string, string>>;
  /** Standard input, at once and whole. */
  readonly input?: string;
  /** Whether there is a terminal; then what the person types comes from `input`. */
  readonly terminal?: boolean;
  /** Resolves when the person presses Ctrl-C. */
  readonly stopped?: Promise<string>;
  /** Told of each piece of standard output as it comes. */
  readonly onOutput?: (text: string) => void;
};
export type Ran = { readonly code: number; readonly out: string; readonly err: string };

const COMMANDS = [
  applyCommand,
  explainCommand,
  logsCommand,
  opsCommand,
  orchestratorCommand,
  renderCommand,
  secretCommand,
  statusCommand,
];

export async function opjob(args: readonly string[], run: Run = {}): Promise<Ran> {
  const { stdin, stdout, stderr } = streams(run);
  const written = Promise.all([text(stdout), text(stderr)]);
  let code = 0;
  const host: Host = {
    entry: new URL("../src/main.ts", import.meta.url),
    environment: run.env ?? {},
    surroundings: { inCluster: false, serviceAccountNamespace: undefined },
    stdin: stdin as unknown as NodeJS.ReadStream,
    stdout: stdout as unknown as NodeJS.WriteStream,
    stderr: stderr as unknown as NodeJS.WriteStream,
    stopped: run.stopped ?? new Promise<string>(() => undefined),
    endWith: (given) => {
      code = given;
    },
    exit: (given) => {
      throw new Error(`the process would end with ${given}`);
    },
  };
  const program = new Command("opjob");
  for (const command of COMMANDS) program.addCommand(command(host));
  quiet(program, host);
  await runProgram(program, host, [...args]);
  stdout.end();
  stderr.end();
  const [out, err] = await written;
  return { code, out, err };
}

/** The same beside a daemon of a test's: with its database and its key. */
export const opjobBeside = (
  { database: { uri, name } }: { readonly database: TestDatabase },
  args: readonly string[],
  given: Run = {},
) =>
  opjob(args, {
    ...given,
    env: {
      FIFTYONE_DATABASE_URI: uri,
      FIFTYONE_DATABASE_NAME: name,
      FIFTYONE_ENCRYPTION_KEY: ENCRYPTION_KEY,
      ...given.env,
    },
  });

function streams({ input = "", terminal = false, onOutput }: Run) {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  if (onOutput) stdout.on("data", (chunk: Buffer) => onOutput(chunk.toString()));
  if (terminal) for (const stream of [stdin, stdout, stderr]) Object.assign(stream, { isTTY: true, columns: 120 });
  if (terminal) stdin.write(input);
  else stdin.end(input);
  return { stdin, stdout, stderr };
}

/** commander would write past the streams that it is given. */
function quiet(command: Command, { stdout, stderr }: Pick<Host, "stdout" | "stderr">): void {
  command.configureOutput({ writeOut: (line) => stdout.write(line), writeErr: (line) => stderr.write(line) });
  for (const inner of command.commands) quiet(inner, { stdout, stderr });
}
