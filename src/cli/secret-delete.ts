// `opjob secret delete NAME`: asks first, and refuses what orchestrators still name.
import { Command } from "commander";
import { OpjobError } from "../errors.ts";
import { confirmed } from "./ask.ts";
import { endAtSignal, withDatabase } from "./database.ts";
import type { Host } from "./host.ts";
import { EXIT } from "./outcome.ts";
import { namedBy, requireSecret } from "./secret-found.ts";

type Options = { readonly yes?: boolean; readonly force?: boolean };

export const secretDeleteCommand = (host: Host): Command =>
  new Command("delete")
    .description("Deletes a secret. One that an orchestrator names needs --force.")
    .argument("<name>")
    .option("--force", "also if orchestrators name it")
    .option("--yes", "do not ask")
    .action((name: string, options: Options) => deleteSecret(host, name, options));

async function deleteSecret(host: Host, given: string, { yes = false, force = false }: Options): Promise<void> {
  endAtSignal(host);
  await withDatabase(host, async ({ secrets, registry }) => {
    const secret = await requireSecret(secrets, given);
    const users = await namedBy(registry, secret.name);
    if (users.length > 0 && !force)
      throw new OpjobError("SECRET_IN_USE", `The secret "${secret.name}" is named by ${users.join(", ")}.`);
    if (!(await confirmed(host, `delete the secret ${secret.name}`, yes))) {
      host.endWith(EXIT.failed);
      return;
    }
    if (!(await secrets.remove(secret)))
      throw new OpjobError("CHANGED_MEANWHILE", `The secret "${secret.name}" was changed by somebody else.`);
    host.stdout.write(`secret ${secret.name} deleted\n`);
  });
}
