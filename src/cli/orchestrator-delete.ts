// `opjob orchestrator delete ID`: asks first, refuses while operations wait for it, and leaves secrets alone unless told else.
import { Command } from "commander";
import { OpjobError } from "../errors.ts";
import { openReads } from "../operations/mongo-reads.ts";
import type { StoredRecord } from "../orchestrators/mongo-records.ts";
import { parseOrchestrator } from "../orchestrators/orchestrator.ts";
import { confirmed } from "./ask.ts";
import { endAtSignal, type Opened, withDatabase } from "./database.ts";
import type { Host } from "./host.ts";
import { requireOwnRecord } from "./orchestrator-found.ts";
import { EXIT } from "./outcome.ts";
import { namedBy } from "./secret-found.ts";

type Options = { readonly yes?: boolean; readonly force?: boolean; readonly secret?: boolean };

export const orchestratorDeleteCommand = (host: Host): Command =>
  new Command("delete")
    .description("Deletes an orchestrator's record. Operations that have not ended need --force.")
    .argument("<id>")
    .option("--secret", "also its kubeconfig secret, unless another orchestrator names it")
    .option("--force", "also if operations name it that have not ended")
    .option("--yes", "do not ask")
    .action((id: string, options: Options) => deleteOrchestrator(host, id, options));

async function deleteOrchestrator(host: Host, id: string, options: Options): Promise<void> {
  endAtSignal(host);
  await withDatabase(host, async (opened) => {
    const record = await requireOwnRecord(opened.registry, id);
    const open = await openReads(opened.db.collection("delegated_ops")).open(id);
    if (open > 0 && !options.force)
      throw new OpjobError("ORCHESTRATOR_IN_USE", `${open} operations of "${id}" have not ended.`);
    const secret = options.secret ? secretOf(record) : undefined;
    const what = `delete the orchestrator ${id}${secret === undefined ? "" : ` and the secret ${secret}`}`;
    if (!(await confirmed(host, what, options.yes === true))) {
      host.endWith(EXIT.failed);
      return;
    }
    // The record first: one without its secret would hold operations.
    await opened.registry.remove(record);
    host.stdout.write(`orchestrator ${id} deleted\n`);
    if (secret !== undefined) host.stdout.write(await deleteSecret(opened, secret));
  });
}

function secretOf(record: StoredRecord): string | undefined {
  try {
    return parseOrchestrator(record).kubeconfigSecret;
  } catch {
    return undefined; // a record that makes no sense can still be deleted
  }
}

async function deleteSecret({ registry, secrets }: Opened, name: string): Promise<string> {
  const users = await namedBy(registry, name);
  if (users.length > 0) return `secret ${name} kept: ${users.join(", ")} names it\n`;
  const stored = await secrets.find(name);
  if (stored === undefined) return `secret ${name}: there is none\n`;
  return (await secrets.remove(stored))
    ? `secret ${stored.name} deleted\n`
    : `secret ${name} kept: it has just changed\n`;
}
