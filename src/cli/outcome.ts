// How a command ends, for people and for programs that call it: its exit code, and one clear error on stderr.
import { type Command, CommanderError } from "commander";
import { asOpjobError } from "../errors.ts";
import type { Host } from "./host.ts";
import { printableLines } from "./print.ts";

/** docs/commands.md tells what each means. */
export const EXIT = {
  done: 0,
  /** It could not be done, or the person who was asked said no. */
  failed: 1,
  /** The command line makes no sense. */
  usage: 2,
  /** Done, but the answer is that something is wrong, or differs. */
  notWell: 3,
} as const;

/** Runs the command line; never throws. */
export async function runProgram(
  program: Command,
  host: Pick<Host, "stderr" | "endWith">,
  args: string[],
): Promise<void> {
  for (const command of allOf(program)) command.exitOverride();
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (thrown) {
    // Its own words are written already; help and the version end like this as well.
    if (thrown instanceof CommanderError) return host.endWith(thrown.exitCode === 0 ? EXIT.done : EXIT.usage);
    const { code, message, remedy } = asOpjobError(thrown);
    host.stderr.write(printableLines(`opjob: ${message}\n${code === "INTERNAL" ? "" : `${remedy}\n`}`));
    host.endWith(EXIT.failed);
  }
}

const allOf = (command: Command): Command[] => [command, ...command.commands.flatMap(allOf)];
