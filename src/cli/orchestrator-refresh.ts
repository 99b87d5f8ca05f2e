// `opjob orchestrator refresh ID`: a registration Job now, followed to its end; what it reported is shown.

import { Command } from "commander";
import { ObjectId } from "mongodb";
import { systemClock } from "../clock.ts";
import { patienceOf } from "../config.ts";
import { OpjobError } from "../errors.ts";
import { isActive } from "../orchestrators/mongo-records.ts";
import { type Refreshed, refresh } from "../refresh.ts";
import { withDesk } from "./desk.ts";
import type { Host } from "./host.ts";
import { requireOwnRecord } from "./orchestrator-found.ts";
import { json, painter, printable } from "./print.ts";

const HELP = `
The Job is made from the orchestrator's registration template, else from its execution template, and runs
OPJOB_REGISTER_COMMAND with OPJOB_REGISTER_ARGS. Its worker writes the record. Ctrl-C leaves it running.`;

export const orchestratorRefreshCommand = (host: Host): Command =>
  new Command("refresh")
    .description("Has an orchestrator's environment report its operators, by a Job in its cluster.")
    .argument("<id>")
    .option("--json", "for programs")
    .addHelpText("after", HELP)
    .action((id: string, options: { json?: boolean }) => refreshOrchestrator(host, id, options.json === true));

async function refreshOrchestrator(host: Host, id: string, asJson: boolean): Promise<void> {
  const stop = new AbortController();
  void host.stopped.then(() => stop.abort());
  const result = await withDesk(host, async (desk) => {
    if (!isActive(await requireOwnRecord(desk.registry, id)))
      throw new OpjobError("ORCHESTRATOR_INVALID", `The orchestrator "${id}" is deactivated.`, {
        remedy: `\`opjob orchestrator activate ${id}\` takes it into use again.`,
      });
    const onProgress = (words: string): void => void host.stderr.write(`${printable(words)}\n`);
    const options = { ...desk, database: desk.instance, patience: patienceOf(desk.config), clock: systemClock };
    const wanted = { orchestrator: id, id: new ObjectId().toHexString(), onProgress, signal: stop.signal };
    return refresh(options, wanted).catch((error: unknown) => {
      throw elsewhere(error, desk.surroundings.inCluster);
    });
  });
  host.stdout.write(asJson ? json(result) : page(host, id, result));
}

/** A template's path is one in opjob's Pod. */
function elsewhere(error: unknown, inCluster: boolean): unknown {
  if (!(error instanceof OpjobError) || error.code !== "TEMPLATE_MISSING" || inCluster) return error;
  return new OpjobError(error.code, error.message, {
    remedy: "Refresh where opjob runs (`kubectl exec deploy/opjob -- …`), or --embed the template in the record.",
  });
}

function page(host: Host, id: string, { operators, added, removed }: Refreshed): string {
  const paint = painter(host);
  const lines = [
    `orchestrator ${id}: ${operators.length} operators, ${added.length} added, ${removed.length} removed`,
    ...added.map((operator) => paint("green", `+ ${printable(operator)}`)),
    ...removed.map((operator) => paint("red", `- ${printable(operator)}`)),
  ];
  return `${lines.join("\n")}\n`;
}
