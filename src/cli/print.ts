// Answers for people and programs: tables, colours only on terminals, JSON. What the database or a cluster says is printed
// without its control characters: a label could else move the cursor of whoever looks at it.
import type { Host } from "./host.ts";

type Output = Pick<Host, "stdout" | "environment">;
export type Colour = "red" | "green" | "yellow" | "dim" | "bold";

const CODES: Record<Colour, number> = { red: 31, green: 32, yellow: 33, dim: 2, bold: 1 };

export type Paint = (colour: Colour, text: string) => string;

/** Colours, if the output is a terminal and nobody asked for none (https://no-color.org). */
export function painter({ stdout, environment }: Output): Paint {
  const colours = stdout.isTTY === true && !environment["NO_COLOR"] && environment["TERM"] !== "dumb";
  return (colour, text) => (colours && text !== "" ? `\u001b[${CODES[colour]}m${text}\u001b[0m` : text);
}

/** One line of text that can be printed as it is. */
export const printable = (text: string): string => text.replaceAll(/\p{Cc}+/gu, " ");

/** As `printable`, keeping line ends and tabs. */
export const printableLines = (text: string): string => text.replaceAll(/[^\P{Cc}\n\t]+/gu, " ");

export type Cell = string | { readonly text: string; readonly colour: Colour | undefined };

const textOf = (cell: Cell): string => printable(typeof cell === "string" ? cell : cell.text);

/** A table with a head; on a terminal its last column ends where the terminal does. */
export function table(output: Output, head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const paint = painter(output);
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => textOf(row[i] ?? "").length)));
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + 2, 0);
  const room = output.stdout.isTTY === true ? Math.max(20, (output.stdout.columns ?? 80) - before) : Infinity;
  const line = (cells: readonly Cell[], colour?: Colour): string =>
    cells
      .map((cell, i) => {
        const last = i === head.length - 1;
        const text = last ? crop(textOf(cell), room) : textOf(cell).padEnd(widths[i] ?? 0);
        const own = typeof cell === "string" ? colour : cell.colour;
        return own === undefined ? text : paint(own, text);
      })
      .join("  ")
      .trimEnd();
  return `${[line(head, "dim"), ...rows.map((row) => line(row))].join("\n")}\n`;
}

export const crop = (text: string, room: number): string =>
  text.length <= room ? text : `${text.slice(0, Math.max(0, room - 1))}…`;

export const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;

/** "40 ms", "3.1 s", "12 min", "5 h", "9 d": how long ago or how long, for a table. */
export function span(ms: number): string {
  const seconds = Math.max(0, ms) / 1_000;
  if (seconds < 1) return `${Math.round(seconds * 1_000)} ms`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} d`;
}

/** "2026-11-23 10:00:00Z". */
export const moment = (date: Date | undefined | null): string =>
  date ? `${date.toISOString().slice(0, 19).replace("T", " ")}Z` : "";
