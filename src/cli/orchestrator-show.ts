// `opjob orchestrator show ID`: one record, whole; also as a file for `opjob apply`.
import { Command } from "commander";
import { stringify } from "yaml";
import { OpjobError } from "../errors.ts";
import { endAtSignal, withDatabase } from "./database.ts";
import { shownValue } from "./differences.ts";
import type { Host } from "./host.ts";
import { requireRecord } from "./orchestrator-found.ts";
import { type OrchestratorView, viewRecord } from "./orchestrator-view.ts";
import { json, moment, printable } from "./print.ts";

type Options = { readonly json?: boolean; readonly yaml?: boolean; readonly operators?: boolean };

export const orchestratorShowCommand = (host: Host): Command =>
  new Command("show")
    .description("Shows one orchestrator.")
    .argument("<id>")
    .option("--operators", "list its available operators")
    .option("--yaml", "as a file for `opjob apply`")
    .option("--json", "for programs")
    .action((id: string, options: Options) => showOrchestrator(host, id, options));

async function showOrchestrator(host: Host, id: string, options: Options): Promise<void> {
  endAtSignal(host);
  const view = await withDatabase(host, async ({ registry }) => viewRecord(await requireRecord(registry, id)));
  if (options.json) host.stdout.write(json(view));
  else if (options.yaml) host.stdout.write(declaredFile(view));
  else host.stdout.write(page(view, options.operators === true));
}

function page({ fields, operators, ...view }: OrchestratorView, listOperators: boolean): string {
  const lines: Record<string, string> = {
    Orchestrator: view.id,
    Description: fields.description ?? "",
    Environment: view.environment,
    State: view.active ? "active" : `deactivated ${moment(view.deactivatedAt)}`,
    ...(view.fault === undefined ? {} : { Fault: view.fault }),
    Execution: shownValue(fields.executionTemplate),
    Registration: shownValue(fields.registrationTemplate),
    Image: fields.image ?? "",
    Namespace: fields.namespace ?? "",
    Context: fields.context ?? "",
    Kubeconfig: fields.kubeconfigSecret ?? "(in-cluster or default credentials)",
    Created: moment(view.createdAt),
    Updated: moment(view.updatedAt),
    Operators: String(operators.length),
  };
  const text = Object.entries(lines).map(([title, value]) => `${`${title}:`.padEnd(14)}${printable(value)}`.trimEnd());
  const listed = listOperators ? operators.map((operator) => `  ${printable(operator)}`) : [];
  return `${[...text, ...listed].join("\n")}\n`;
}

/** In the words of `fom.register_orchestrator`. @throws OpjobError ORCHESTRATOR_INVALID */
function declaredFile({ id, fields, fault, environment }: OrchestratorView): string {
  if (fault !== undefined) throw new OpjobError("ORCHESTRATOR_INVALID", fault);
  if (environment !== "kubernetes") throw new OpjobError("ORCHESTRATOR_INVALID", `"${id}" is not on Kubernetes.`);
  const { description, executionTemplate, registrationTemplate, image, namespace, context, kubeconfigSecret } = fields;
  const config = {
    image,
    executionTmplUri: executionTemplate,
    registrationTmplUri: registrationTemplate,
    namespace,
    context,
  };
  const secrets = kubeconfigSecret === undefined ? undefined : { kubernetes: { kubeConfig: kubeconfigSecret } };
  return stringify({ instance_id: id, description, environment, config: { kubernetes: config }, secrets });
}
