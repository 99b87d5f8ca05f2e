// How a check is shown: a table for a person, JSON for a program. Pure: rows in, text out.
import type { Finding } from "../finding.ts";

/** `skipped`: what came before failed, so that nothing can be said. */
export type State = "ok" | "hint" | "warning" | "error" | "skipped";

export type Row = {
  /** What the row is of: "settings", "database", "orchestrator kubernetes-gpu". */
  readonly subject: string;
  readonly step: string;
  readonly state: State;
  readonly message: string;
  readonly code?: string;
  readonly remedy?: string;
  /** Of the template. */
  readonly line?: number;
};

export const rowOf = (subject: string, { severity: state, step, code, message, remedy, line }: Finding): Row => ({
  subject,
  step,
  state,
  code,
  message,
  remedy,
  ...(line !== undefined && { line }),
});

export type Counts = { readonly errors: number; readonly warnings: number; readonly hints: number };

export const countOf = (rows: readonly Row[]): Counts => {
  const many = (wanted: State): number => rows.filter(({ state }) => state === wanted).length;
  return { errors: many("error"), warnings: many("warning"), hints: many("hint") };
};

export const reportJson = (rows: readonly Row[]): string =>
  `${JSON.stringify({ ok: countOf(rows).errors === 0, ...countOf(rows), checks: rows }, undefined, 2)}\n`;

const SIGNS: Readonly<Record<State, string>> = { ok: "✓", hint: "·", warning: "!", error: "✗", skipped: "–" };
const COLOURS: Readonly<Record<State, number>> = { ok: 32, hint: 36, warning: 33, error: 31, skipped: 90 };

/** @param colours whether the reader is a terminal that shows them */
export function reportTable(rows: readonly Row[], colours: boolean): string {
  const paint = (code: number, text: string): string => (colours ? `\u001b[${code}m${text}\u001b[0m` : text);
  const width = Math.max(0, ...rows.map(({ step }) => step.length));
  const lines: string[] = [];
  let subject: string | undefined;
  for (const row of rows) {
    if (row.subject !== subject) lines.push(...(subject === undefined ? [] : [""]), paint(1, row.subject));
    subject = row.subject;
    const named = row.line === undefined || row.message.includes(`line ${row.line}`);
    const at = named ? "" : `line ${row.line}: `;
    lines.push(`  ${paint(COLOURS[row.state], SIGNS[row.state])} ${row.step.padEnd(width)}  ${at}${row.message}`);
    if (row.remedy !== undefined) lines.push(`    ${"".padEnd(width)}  ${paint(90, `→ ${row.remedy}`)}`);
  }
  return `${lines.join("\n")}\n\n${summary(countOf(rows))}\n`;
}

function summary({ errors, warnings, hints }: Counts): string {
  const many = (count: number, one: string): string[] =>
    count === 0 ? [] : [`${count} ${one}${count === 1 ? "" : "s"}`];
  const found = [...many(errors, "error"), ...many(warnings, "warning"), ...many(hints, "hint")];
  return found.length === 0 ? "Nothing is wrong." : `${found.join(", ")}.`;
}
