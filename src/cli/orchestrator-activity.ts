// `opjob orchestrator deactivate ID` and `activate ID`: whether an orchestrator takes new operations. Its Jobs run on.
import { Command } from "commander";
import { isActive } from "../orchestrators/mongo-records.ts";
import { endAtSignal, withDatabase } from "./database.ts";
import type { Host } from "./host.ts";
import { requireOwnRecord } from "./orchestrator-found.ts";

export const orchestratorDeactivateCommand = (host: Host): Command =>
  new Command("deactivate")
    .description("Launches nothing more for an orchestrator; what runs goes on, what is queued waits.")
    .argument("<id>")
    .action((id: string) => setActive(host, id, false));

export const orchestratorActivateCommand = (host: Host): Command =>
  new Command("activate")
    .description("Takes a deactivated orchestrator into use again.")
    .argument("<id>")
    .action((id: string) => setActive(host, id, true));

async function setActive(host: Host, id: string, active: boolean): Promise<void> {
  endAtSignal(host);
  const word = active ? "active" : "deactivated";
  const was = await withDatabase(host, async ({ registry }) => {
    const record = await requireOwnRecord(registry, id);
    if (isActive(record) === active) return "already ";
    await registry.setActive(record, active, new Date());
    return "";
  });
  host.stdout.write(`orchestrator ${id} is ${was}${word}\n`);
}
