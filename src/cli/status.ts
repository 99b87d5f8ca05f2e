// `opjob status`: orchestrators and their clusters, the queue, what runs, what failed lately. Changes nothing.
import { Command } from "commander";
import { type OrchestratorStatus, type Status, statusOf } from "../inquiries/status.ts";
import { atDesk } from "./desk.ts";
import type { Host } from "./host.ts";
import { OPERATIONS_HEAD, operationRow } from "./operation-rows.ts";
import { EXIT } from "./outcome.ts";
import { type Cell, json, type Paint, painter, printable, span, table } from "./print.ts";

export const statusCommand = (host: Host): Command =>
  new Command("status")
    .description("Shows orchestrators, clusters, the queue, what runs, and what failed lately.")
    .option("--failures <count>", "how many of the last failures", (text) => Number.parseInt(text, 10), 5)
    .option("--json", "for programs")
    .addHelpText("after", "\nExit code 3: an active orchestrator cannot launch, or no replica leads.")
    .action((options: { failures: number; json?: boolean }) => showStatus(host, options));

async function showStatus(host: Host, { failures, json: asJson = false }: { failures: number; json?: boolean }) {
  const count = Number.isInteger(failures) && failures > 0 ? Math.min(failures, 100) : 0;
  const { status, now } = await atDesk(host, async (desk) => ({
    status: await statusOf(desk, count),
    now: desk.now,
  }));
  host.stdout.write(asJson ? json(status) : page(host, status, now));
  if (status.leader.kind === "nobody" || status.orchestrators.some(({ active, faults }) => active && faults.length > 0))
    host.endWith(EXIT.notWell);
}

const HEAD = [
  "ORCHESTRATOR",
  "STATE",
  "CLUSTER",
  "NAMESPACE",
  "ANSWERS",
  "WAITING",
  "HELD",
  "JOBS",
  "RUNNING",
  "OLDEST",
];

function page(host: Host, { database, leader, orchestrators, leftAlone, failures }: Status, now: number): string {
  const paint = painter(host);
  const parts = [`${paint("bold", "Database")} ${printable(database)}`, ...leaderLine(leader, paint)];
  parts.push(
    orchestrators.length === 0
      ? "There are no orchestrators on Kubernetes: `opjob orchestrator register` makes one."
      : table(
          host,
          HEAD,
          orchestrators.map((one) => rowOf(one, now)),
        ).trimEnd(),
  );
  const faults = orchestrators.flatMap(({ id, faults: found }) =>
    found.map(({ code, message, remedy }) => `${id}: ${code}: ${message}\n  What to do: ${remedy}`),
  );
  if (faults.length > 0) parts.push(faults.map((line) => paint("red", line)).join("\n"));
  if (leftAlone.length > 0) {
    const rows = leftAlone.map(({ target, why, count }) => [target ?? "(none)", String(count), why]);
    parts.push(table(host, ["LEFT ALONE", "COUNT", "WHY"], rows).trimEnd());
  }
  if (failures.length > 0)
    parts.push(
      table(
        host,
        OPERATIONS_HEAD,
        failures.map((operation) => operationRow(operation, now)),
      ).trimEnd(),
    );
  return `${parts.join("\n\n")}\n`;
}

function leaderLine(leader: Status["leader"], paint: Paint): string[] {
  switch (leader.kind) {
    case "not asked":
      return [];
    case "unknown":
      return [paint("yellow", `It is not known which replica leads: ${printable(leader.error.message)}`)];
    case "nobody":
      return [paint("red", `No replica leads: nobody holds the Lease ${leader.lease}. ${printable(leader.words)}`)];
    case "leads":
      return [`${paint("bold", "Leader")} ${printable(leader.holder)}, by the Lease ${leader.lease}`];
  }
}

function rowOf(one: OrchestratorStatus, now: number): Cell[] {
  const { id, active, cluster = "", namespace = "", answeredMs, faults, oldest } = one;
  return [
    id,
    active ? { text: "active", colour: "green" } : { text: "deactivated", colour: "yellow" },
    cluster,
    namespace,
    answeredMs === undefined ? { text: faults[0]?.code ?? "", colour: "red" } : `${answeredMs} ms`,
    String(one.waiting),
    one.held > 0 ? { text: String(one.held), colour: "yellow" } : "0",
    String(one.inFlight),
    String(one.running),
    oldest === undefined ? "" : span(now - oldest.getTime()),
  ];
}
