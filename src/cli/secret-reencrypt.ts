// `opjob secret reencrypt`: all secrets under a new key. Stopped at any moment, it is run again and does what is left.
import { Command } from "commander";
import { OpjobError } from "../errors.ts";
import { reencryptAll } from "../orchestrators/reencryption.ts";
import { confirmed } from "./ask.ts";
import { endAtSignal, withDatabase } from "./database.ts";
import type { Host } from "./host.ts";
import { EXIT } from "./outcome.ts";
import { json, printable } from "./print.ts";

type Options = { readonly yes?: boolean; readonly json?: boolean };

const HELP = `
FIFTYONE_ENCRYPTION_KEY (or OPJOB_ENCRYPTION_KEY_FILE) is the new key, OPJOB_OLD_ENCRYPTION_KEY (or
OPJOB_OLD_ENCRYPTION_KEY_FILE) the one until now. Give the daemon both first; FiftyOne's own programs
take one key: give them the new one when this is done. Exit code 3: neither key opens some secret.`;

export const secretReencryptCommand = (host: Host): Command =>
  new Command("reencrypt")
    .description("Re-encrypts all secrets under a new key, each by itself; run again, it does what is left.")
    .option("--yes", "do not ask")
    .option("--json", "for programs")
    .addHelpText("after", HELP)
    .action((options: Options) => reencrypt(host, options));

async function reencrypt(host: Host, { yes = false, json: asJson = false }: Options): Promise<void> {
  endAtSignal(host);
  const result = await withDatabase(host, async ({ secrets, keys, config }) => {
    const read = await keys.read();
    if (read.old === undefined)
      throw new OpjobError("ENCRYPTION_KEY_MISSING", "There is no old key: OPJOB_OLD_ENCRYPTION_KEY is not set.", {
        remedy: "Set OPJOB_OLD_ENCRYPTION_KEY to the key until now, and FIFTYONE_ENCRYPTION_KEY to the new one.",
      });
    if (!(await confirmed(host, `re-encrypt the secrets of ${config.databaseName} under the new key`, yes))) return;
    const onDone = (name: string, outcome: string): void => {
      if (!asJson && outcome !== "already") host.stdout.write(`${printable(name)}: ${WORDS[outcome] ?? outcome}\n`);
    };
    return reencryptAll({ secrets, keys: read, onDone });
  });
  if (result === undefined) {
    host.endWith(EXIT.failed);
    return;
  }
  const { done, already, unreadable } = result;
  const summary = `${done.length} re-encrypted, ${already.length} under the new key already, ${unreadable.length} that neither key opens\n`;
  host.stdout.write(asJson ? json(result) : summary);
  if (unreadable.length > 0) host.endWith(EXIT.notWell);
}

const WORDS: Record<string, string> = { done: "re-encrypted", unreadable: "neither key opens it: left as it is" };
