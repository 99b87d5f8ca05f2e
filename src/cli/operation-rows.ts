// Operations as rows of a table. Pure.
import type { Shown } from "../operations/mongo-reads.ts";
import { isClaimed, isTerminal } from "../operations/operation.ts";
import { type Cell, type Colour, span } from "./print.ts";

export const OPERATIONS_HEAD = ["OPERATION", "STATE", "PHASE", "ORCHESTRATOR", "QUEUED", "TOOK", "OPERATOR", "WHY"];

export function operationRow(operation: Shown, now: number): Cell[] {
  const { id, runState, target, operator, queuedAt } = operation;
  return [
    id,
    { text: stateText(operation), colour: COLOURS[runState] },
    phaseText(operation),
    target ?? "(none)",
    queuedAt === null ? "" : `${span(now - queuedAt.getTime())} ago`,
    tookText(operation, now),
    operator,
    whyText(operation),
  ];
}

const COLOURS: Partial<Record<string, Colour>> = {
  completed: "green",
  failed: "red",
  running: "bold",
  scheduled: "dim",
};

/** "running 40 %". */
function stateText({ runState, progress, archived }: Shown): string {
  const done = runState === "running" && progress !== null ? ` ${Math.round(progress * 100)} %` : "";
  return `${runState}${done}${archived ? " archived" : ""}`;
}

const phaseText = (operation: Shown): string =>
  operation.told ? "queued" : isClaimed(operation) ? operation.claim.phase : "";

/** From queueing to the end, or until now. */
function tookText({ runState, queuedAt, endedAt }: Shown, now: number): string {
  if (queuedAt === null) return "";
  if (!isTerminal(runState)) return span(now - queuedAt.getTime());
  return endedAt === null ? "" : span(endedAt.getTime() - queuedAt.getTime());
}

function whyText(operation: Shown): string {
  if (operation.runState === "completed") return "";
  const { error } = operation;
  const on = operation.told ?? (isClaimed(operation) ? operation.claim : undefined);
  if (on?.reason) return `${on.reason}: ${on.message ?? ""}`;
  return operation.runState === "failed" ? (error?.split("\n", 1)[0] ?? "failed by a person") : "";
}
