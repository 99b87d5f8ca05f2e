// Asks the person before something is changed or shown that cannot be taken back. Without a terminal only --yes says yes.
import { createInterface } from "node:readline/promises";
import { OpjobError } from "../errors.ts";
import type { Host } from "./host.ts";

export type Asking = Pick<Host, "stdin" | "stderr">;

/**
 * @param what completes "May I …": "delete the orchestrator x"
 * @throws OpjobError CONFIRMATION_MISSING where there is neither a terminal nor --yes
 */
export async function confirmed({ stdin, stderr }: Asking, what: string, yes: boolean): Promise<boolean> {
  if (yes) return true;
  if (stdin.isTTY !== true || stderr.isTTY !== true)
    throw new OpjobError("CONFIRMATION_MISSING", `Nobody is there to be asked whether to ${what}.`);
  const lines = createInterface({ input: stdin, output: stderr });
  try {
    const answer = await Promise.race([
      lines.question(`${what.charAt(0).toUpperCase()}${what.slice(1)}? [y/N] `),
      new Promise<string>((resolve) => lines.once("close", () => resolve(""))),
    ]);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    lines.close();
  }
}
