// `opjob secret list`: which secrets there are, since when, and who names them. Never a value.
import { Command } from "commander";
import { tokenTime } from "../orchestrators/fernet.ts";
import { usersOf } from "../orchestrators/secret-users.ts";
import { endAtSignal, withDatabase } from "./database.ts";
import type { Host } from "./host.ts";
import { json, moment, table } from "./print.ts";

export const secretListCommand = (host: Host): Command =>
  new Command("list")
    .description("Lists all secrets, without their values.")
    .option("--json", "for programs")
    .action((options: { json?: boolean }) => listSecrets(host, options.json === true));

async function listSecrets(host: Host, asJson: boolean): Promise<void> {
  endAtSignal(host);
  const listed = await withDatabase(host, async ({ secrets, registry }) => {
    const records = await registry.list();
    return (await secrets.list()).map(({ name, token, description, createdAt }) => ({
      name,
      written: dateOf(tokenTime(token)),
      created: createdAt,
      orchestrators: usersOf(records, name),
      description,
    }));
  });
  if (asJson) {
    host.stdout.write(json(listed));
    return;
  }
  const rows = listed.map(({ name, written, orchestrators, description = "" }) => [
    name === "" ? "(without a name)" : name,
    written === undefined ? { text: "not encrypted", colour: "red" as const } : moment(written),
    orchestrators.join(", "),
    description,
  ]);
  host.stdout.write(table(host, ["NAME", "VALUE OF", "ORCHESTRATORS", "DESCRIPTION"], rows));
}

export const dateOf = (ms: number | undefined): Date | undefined => (ms === undefined ? undefined : new Date(ms));
