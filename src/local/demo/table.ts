// The demo's live table: one row for each operation on a terminal, one plain line for each change elsewhere.
// Pure but for the stream it is given.
import type { Document } from "mongodb";

export type Row = { readonly label: string; readonly target: string; readonly state: string; readonly detail: string };
type Stream = { readonly isTTY?: boolean; readonly columns?: number; write(text: string): boolean };

/** What a person sees of an operation: FiftyOne's own fields, and opjob's reason while it waits. */
export function rowOf(label: string, target: string | null, document: Document | null): Row {
  const shown = { label, target: target ?? "(none)" };
  if (document === null) return { ...shown, state: "deleted", detail: "its Job is gone as well" };
  const state = String(document["run_state"]);
  return { ...shown, state, detail: DETAILS[state]?.(document) ?? "" };
}

const DETAILS: Record<string, (document: Document) => string> = {
  queued: ({ opjob }) => {
    if (opjob?.reason) return `${opjob.reason}: ${opjob.message}`;
    return opjob?.job ? `Job ${opjob.namespace}/${opjob.job}` : "";
  },
  running: ({ status }) => (status ? `${Math.round(status.progress * 100)} %, ${status.label}` : ""),
  failed: ({ result }) => firstLine(result?.error ?? "marked as failed by a person"),
};

const COLOURS: Record<string, string> = { queued: "33", running: "36", completed: "32", failed: "31", deleted: "35" };

export function createTable(stream: Stream, now: () => number) {
  const started = now();
  let drawn = 0;
  const before = new Map<string, string>();

  const drawLive = (rows: readonly Row[]): void => {
    const width = (stream.columns ?? 100) - 1;
    const lines = rows.map((row) => {
      const colour = COLOURS[row.state] ?? "0";
      const state = `\u001b[${colour}m${row.state.padEnd(9)}\u001b[0m`;
      const detail = row.detail.slice(0, Math.max(0, width - 56));
      return `  ${row.label.padEnd(22)} ${row.target.padEnd(16)} ${state}  ${detail}\u001b[K`;
    });
    stream.write(`${drawn > 0 ? `\u001b[${drawn}A` : ""}${lines.join("\n")}\n`);
    drawn = lines.length;
  };
  const drawLines = (rows: readonly Row[]): void => {
    for (const row of rows) {
      // Progress would be a line for each step.
      const shown = row.state === "running" ? "running" : `${row.state.padEnd(9)}  ${row.detail}`.trimEnd();
      if (before.get(row.label) === shown) continue;
      before.set(row.label, shown);
      const seconds = ((now() - started) / 1_000).toFixed(1).padStart(5);
      stream.write(`${seconds} s  ${row.label.padEnd(22)} ${row.target.padEnd(16)} ${shown}\n`);
    }
  };
  return { draw: stream.isTTY ? drawLive : drawLines };
}

export const firstLine = (text: string): string => text.split("\n", 1)[0] ?? "";
