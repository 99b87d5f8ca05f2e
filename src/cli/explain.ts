// `opjob explain OPERATION`: why it is not running, or why it failed; where it is, and where its time went. Changes nothing.
import { Command } from "commander";
import { FAULTS, withStop } from "../clusters/reasons.ts";
import { patienceOf } from "../config.ts";
import { type Facts, gatherFacts } from "../inquiries/facts.ts";
import { operationNamed } from "../inquiries/operation-named.ts";
import { STAGE_WORDS, type StageRow, stagesOf } from "../inquiries/stages.ts";
import { judge, type Verdict } from "../inquiries/verdict.ts";
import { type Station, wayOf } from "../inquiries/way.ts";
import { atDesk } from "./desk.ts";
import type { Host } from "./host.ts";
import { EXIT } from "./outcome.ts";
import { json, type Paint, painter, printable, printableLines, span, table } from "./print.ts";

const HELP = `
An operation is named by its id, or by the first digits of it if no other begins like that.
Exit code 0: it goes on or was completed; 3: it waits for somebody, or failed.`;

export const explainCommand = (host: Host): Command =>
  new Command("explain")
    .description("Tells why an operation does not run or why it failed, and where its time went.")
    .argument("<operation>", "its id, or the first digits")
    .option("--json", "for programs")
    .addHelpText("after", HELP)
    .action((id: string, options: { json?: boolean }) => explain(host, id, options.json === true));

type Answer = {
  readonly facts: Facts;
  readonly verdict: Verdict;
  readonly stages: readonly StageRow[];
  readonly way: readonly Station[];
  readonly now: number;
};

async function explain(host: Host, id: string, asJson: boolean): Promise<void> {
  const answer = await atDesk(host, async (desk): Promise<Answer> => {
    const facts = await gatherFacts(desk, await operationNamed(desk, id));
    const { config, now } = desk;
    const pods = facts.job.kind === "job" ? facts.job.pods : [];
    const verdict = judge(facts, { patience: patienceOf(config), retryMs: config.retryMaxSeconds * 1_000, now });
    return { facts, verdict, stages: stagesOf(facts.operation, pods), way: wayOf(facts), now };
  });
  host.stdout.write(asJson ? json(forPrograms(answer)) : page(host, answer));
  if (!answer.verdict.well) host.endWith(EXIT.notWell);
}

function forPrograms({ facts: { operation }, verdict, stages, way }: Answer): unknown {
  const { id, operator, label, target, runState, progress, runLink } = operation;
  return { id, operator, label, target, runState, progress, runLink, ...verdict, stages, way };
}

function page(host: Host, { facts: { operation }, verdict, stages, way, now }: Answer): string {
  const paint = painter(host);
  const { id, operator, label, progress, progressLabel } = operation;
  const named = label === "" || label === operator ? "" : ` (${printable(label)})`;
  const done = progress === null || verdict.state !== "running" ? "" : ` ${Math.round(progress * 100)} %`;
  const doing = done === "" || progressLabel === null ? "" : ` ${printable(progressLabel)}`;
  const lines = [
    `${paint("bold", `Operation ${id}`)}  ${printable(operator)}${named}`,
    paint(colourOf(verdict), `${verdict.headline}${done}${doing}${sinceText(verdict, now)}`),
    ...detail(verdict, paint),
    "",
    table(host, ["STAGE", "AT", "AFTER"], stageRows(stages, now, verdict)).trimEnd(),
    "",
    table(
      host,
      ["WAY", "", ""],
      way.map(({ at, is, stands }) => [at, is, stands]),
    ).trimEnd(),
    ...(verdict.logLines === undefined ? [] : ["", printableLines(verdict.logLines)]),
  ];
  return `${lines.join("\n")}\n`;
}

const colourOf = ({ state, well }: Verdict) =>
  well ? "green" : state === "failed" || state === "failing" ? "red" : "yellow";

const sinceText = ({ since, state }: Verdict, now: number): string =>
  since === undefined
    ? ""
    : ` ${state === "completed" || state === "failed" ? "Ended" : "Since"} ${span(now - since.getTime())}${state === "completed" || state === "failed" ? " ago" : ""}.`;

function detail({ reason = "", message = "", remedy = "", fault }: Verdict, paint: Paint): string[] {
  // What is on record says whose fault it is already.
  const whose = fault === undefined || message.includes(FAULTS[fault]) ? "" : FAULTS[fault];
  const said = whose === "" || message === "" ? `${message}${whose}` : `${withStop(message)} ${whose}`;
  const why = [reason, said].filter((part) => part !== "").join(": ");
  return [
    ...(why === "" ? [] : [`Why: ${printable(why)}`]),
    ...(remedy === "" ? [] : [`${paint("bold", "What to do:")} ${printable(remedy)}`]),
  ];
}

/** The last row of one that has not ended tells how long it has been there. */
function stageRows(stages: readonly StageRow[], now: number, { state }: Verdict): string[][] {
  const rows = stages.map(({ stage, at, took }) => [
    STAGE_WORDS[stage],
    at.toISOString(),
    took === undefined ? "" : span(took),
  ]);
  const last = stages.at(-1);
  const ended = state === "completed" || state === "failed";
  return last === undefined || ended
    ? rows
    : [...rows, ["now", new Date(now).toISOString(), span(now - last.at.getTime())]];
}
