// `opjob orchestrator update ID`: changes single fields of a record, in the shape that the record has.
import { Command } from "commander";
import { planRegistration } from "../orchestrators/registration.ts";
import { carryOut } from "../orchestrators/registration-writes.ts";
import { endAtSignal, withDatabase } from "./database.ts";
import { differenceText } from "./differences.ts";
import type { Host } from "./host.ts";
import { requireOwnRecord } from "./orchestrator-found.ts";
import { type Described, declarationOf, withDescription } from "./orchestrator-options.ts";
import { json, painter } from "./print.ts";
import { checksOf } from "./vet.ts";

type Options = Described & { readonly json?: boolean };

export const orchestratorUpdateCommand = (host: Host): Command =>
  withDescription(new Command("update").argument("<id>"))
    .description("Changes what is given of an orchestrator; an empty text takes a field away.")
    .option("--in-cluster", "no kubeconfig any more: in-cluster or default credentials")
    .option("--json", "for programs")
    .action((id: string, options: Options) => updateOrchestrator(host, id, options));

async function updateOrchestrator(host: Host, id: string, options: Options): Promise<void> {
  endAtSignal(host);
  const declared = await declarationOf(id, options);
  const plan = await withDatabase(host, async (opened) => {
    await requireOwnRecord(opened.registry, id);
    const parts = { ...opened, checks: checksOf(host, options.unchecked === true), now: () => new Date() };
    const planned = await planRegistration(parts, declared);
    await carryOut(parts, planned);
    return planned;
  });
  const { kind, differences } = plan;
  host.stdout.write(options.json ? json({ id, kind, differences }) : differenceText(plan, painter(host)));
}
