// `opjob secret check`: which secrets this key opens, which only the old one, and which neither. Changes nothing.
import { Command } from "commander";
import { sealToken } from "../orchestrators/keys.ts";
import { nameOf } from "../orchestrators/reencryption.ts";
import { openedBy } from "../orchestrators/secret-key-check.ts";
import { endAtSignal, withDatabase } from "./database.ts";
import type { Host } from "./host.ts";
import { EXIT } from "./outcome.ts";
import { json, table } from "./print.ts";
import { KEYS } from "./secret-show.ts";

export const secretCheckCommand = (host: Host): Command =>
  new Command("check")
    .description("Tells which secrets FIFTYONE_ENCRYPTION_KEY opens. Exit code 3: not all.")
    .option("--json", "for programs")
    .action((options: { json?: boolean }) => checkSecrets(host, options.json === true));

const COLOURS = { current: "green", old: "yellow", neither: "red" } as const;

async function checkSecrets(host: Host, asJson: boolean): Promise<void> {
  endAtSignal(host);
  const checked = await withDatabase(host, async ({ secrets, keys }) => {
    const read = await keys.read();
    sealToken(read, "", 0); // a wrong key is told of, also where there is no secret yet
    return (await secrets.list()).map((secret) => ({ name: nameOf(secret), openedBy: openedBy(read, secret) }));
  });
  const rows = checked.map(({ name, openedBy: by }) => [name, { text: KEYS[by], colour: COLOURS[by] }]);
  host.stdout.write(asJson ? json(checked) : table(host, ["NAME", "OPENED BY"], rows));
  if (checked.some(({ openedBy: by }) => by !== "current")) host.endWith(EXIT.notWell);
}
