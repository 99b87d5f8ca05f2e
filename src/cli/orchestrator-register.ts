// `opjob orchestrator register ID`: what `fom.register_orchestrator` does, without FiftyOne's API.
import { Command } from "commander";
import { planRegistration, refuseRegistered } from "../orchestrators/registration.ts";
import { carryOut } from "../orchestrators/registration-writes.ts";
import { endAtSignal, withDatabase } from "./database.ts";
import type { Host } from "./host.ts";
import { type Described, declarationOf, withDescription } from "./orchestrator-options.ts";
import { json } from "./print.ts";
import { checksOf } from "./vet.ts";

type Options = Described & { readonly json?: boolean };

const HELP = `
Without a kubeconfig, opjob's own service account is used, or outside of a cluster the default kubeconfig.`;

export const orchestratorRegisterCommand = (host: Host): Command =>
  withDescription(new Command("register").argument("<id>", "operations name it in delegation_target"))
    .description("Registers an orchestrator, and makes the secret of its kubeconfig.")
    .option("--json", "for programs")
    .addHelpText("after", HELP)
    .action((id: string, options: Options) => registerOrchestrator(host, id, options));

async function registerOrchestrator(host: Host, id: string, options: Options): Promise<void> {
  endAtSignal(host);
  const declared = await declarationOf(id, options);
  const plan = await withDatabase(host, async (opened) => {
    const parts = { ...opened, checks: checksOf(host, options.unchecked === true), now: () => new Date() };
    const planned = await planRegistration(parts, declared, refuseRegistered);
    await carryOut(parts, planned);
    return planned;
  });
  const { secret } = plan;
  const made = secret.kind === "insert" ? secret.name : undefined;
  if (options.json)
    host.stdout.write(json({ id, secret: plan.fields.kubeconfigSecret, secretMade: made !== undefined }));
  else host.stdout.write(`orchestrator ${id} registered${made === undefined ? "" : `, secret ${made} made`}\n`);
}
