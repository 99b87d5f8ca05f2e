// `opjob orchestrator list`: every orchestrator of the database, one line each.
import { Command } from "commander";
import { endAtSignal, withDatabase } from "./database.ts";
import { shownValue } from "./differences.ts";
import type { Host } from "./host.ts";
import { type OrchestratorView, viewRecord } from "./orchestrator-view.ts";
import { type Cell, json, moment, table } from "./print.ts";

export const orchestratorListCommand = (host: Host): Command =>
  new Command("list")
    .description("Lists the orchestrators of the database, those of other environments too.")
    .option("--json", "for programs")
    .action((options: { json?: boolean }) => listOrchestrators(host, options.json === true));

async function listOrchestrators(host: Host, asJson: boolean): Promise<void> {
  endAtSignal(host);
  const views = await withDatabase(host, async ({ registry }) => (await registry.list()).map(viewRecord));
  const sorted = views.toSorted((a, b) => a.id.localeCompare(b.id));
  const head = ["ID", "STATE", "TEMPLATE", "KUBECONFIG", "OPERATORS", "UPDATED", "DESCRIPTION"];
  host.stdout.write(asJson ? json(sorted) : table(host, head, sorted.map(rowOf)));
}

function rowOf(view: OrchestratorView): Cell[] {
  const { id, fields, operators, updatedAt, fault, environment } = view;
  const template = environment === "kubernetes" ? shownValue(fields.executionTemplate) : "";
  return [
    id === "" ? "(without a name)" : id,
    stateOf(view),
    template,
    fields.kubeconfigSecret ?? (environment === "kubernetes" ? "(default)" : ""),
    String(operators.length),
    moment(updatedAt),
    fault ?? fields.description ?? "",
  ];
}

function stateOf({ active, environment, fault }: OrchestratorView): Cell {
  if (environment !== "kubernetes") return { text: environment === "" ? "no environment" : environment, colour: "dim" };
  if (fault !== undefined) return { text: "wrong", colour: "red" };
  return active ? { text: "active", colour: "green" } : { text: "deactivated", colour: "yellow" };
}
