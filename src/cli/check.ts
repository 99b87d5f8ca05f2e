// `opjob check`: whether everything is in order, before a user waits for it: settings, database, secrets, and each orchestrator's
// record, credentials, template, cluster and permissions. Reads and asks; changes nothing, and prints no secret.
import { Command } from "commander";
import { MongoClient } from "mongodb";
import { type Config, readConfig } from "../config.ts";
import { asOpjobError } from "../errors.ts";
import { secretsOfUri } from "../log.ts";
import { fernetKey } from "../orchestrators/fernet.ts";
import { checkDatabase } from "./check-database.ts";
import { checkOrchestrators } from "./check-orchestrators.ts";
import { countOf, type Row, reportJson, reportTable } from "./check-report.ts";
import type { Host } from "./host.ts";

type CheckHost = Pick<Host, "environment" | "surroundings" | "exit"> & {
  readonly stdout: Pick<Host["stdout"], "write" | "isTTY">;
};
type Options = { readonly json?: boolean; readonly strict?: boolean };

export const checkCommand = (host: CheckHost): Command =>
  new Command("check")
    .description("Checks settings, database and orchestrators, by a dry run against each cluster. Changes nothing.")
    .argument("[orchestrator]", "instance_id of one orchestrator (default: all that are active)")
    .option("--json", "print JSON")
    .option("--strict", "exit with 2 if there are warnings")
    .addHelpText("after", "\nExit code: 0 no error; 1 at least one error; 2 no error but a warning, with --strict.")
    .action(async (id: string | undefined, options: Options) => {
      const rows = await check(host, id);
      const { errors, warnings } = countOf(rows);
      const colours = host.stdout.isTTY === true && !host.environment["NO_COLOR"];
      const text = options.json ? reportJson(rows) : reportTable(rows, colours);
      const code = errors > 0 ? 1 : warnings > 0 && options.strict === true ? 2 : 0;
      // Connections of a library may outlive the check.
      await new Promise<void>((resolve) => void host.stdout.write(text, () => resolve()));
      host.exit(code);
    });

/** @param id of one orchestrator; undefined: all */
export async function check(
  host: Pick<CheckHost, "environment" | "surroundings">,
  id: string | undefined,
): Promise<Row[]> {
  const config = settingsOf(host);
  if ("subject" in config) return [config];
  const secrets = [config.encryptionKey, ...secretsOfUri(config.databaseUri)].filter(({ length }) => length >= 6);
  const hide = (text: string): string =>
    secrets.reduce((hidden, secret) => hidden.replaceAll(secret, "[hidden]"), text);
  const client = new MongoClient(config.databaseUri, { appName: "opjob check", serverSelectionTimeoutMS: 5_000 });
  try {
    const rows = [checkKey(config), ...(await checkDatabase(client.db(config.databaseName), config))];
    const usable = !rows.some(({ subject, state }) => subject === "database" && state === "error");
    const more = usable ? await checkOrchestrators({ ...host, config, client, id }) : [];
    return [...rows, ...more].map((row) => ({ ...row, message: hide(row.message) }));
  } finally {
    await client.close();
  }
}

function settingsOf({ environment }: Pick<CheckHost, "environment">): Config | Row {
  try {
    return readConfig(environment);
  } catch (thrown) {
    const { code, message, remedy } = asOpjobError(thrown);
    return { subject: "settings", step: "settings", state: "error", code, message, remedy };
  }
}

function checkKey({ encryptionKey }: Config): Row {
  const row = { subject: "settings", step: "settings" } as const;
  if (encryptionKey === "") {
    return { ...row, state: "ok", message: "valid; without FIFTYONE_ENCRYPTION_KEY no secret can be read" };
  }
  try {
    fernetKey(encryptionKey);
    return { ...row, state: "ok", message: "valid" };
  } catch (thrown) {
    const { code, message, remedy } = asOpjobError(thrown);
    return { ...row, state: "error", code, message, remedy };
  }
}
