// Which rows of the two tables of reasons opjob told of, by what a person can read: the errors of operations, and what was
// said while they waited. Knows no cases: a row that nothing here brings about is missing, whatever a test is called.
import type { Document } from "mongodb";
import { ENDED } from "../../src/clusters/ending-reasons.ts";
import type { Row } from "../../src/clusters/reasons.ts";
import { WAITING } from "../../src/clusters/waiting-reasons.ts";

/** A log line of the daemon's that an operation waits. */
export type Waits = { readonly reason: string; readonly message: string };

type Named = readonly [id: string, row: Row & { readonly patience?: string }];

const named = (table: string, rows: Readonly<Record<string, Row>>): Named[] =>
  Object.entries(rows).map(([id, row]) => [`${table}.${id}`, row]);

export const ROWS: readonly Named[] = [...named("WAITING", WAITING), ...named("ENDED", ENDED)];
/** Where several remedies are told at once the later ones begin in lower case, and end otherwise. */
const plain = (text: string): string => text.toLowerCase().replace(/\.$/, "");
const remedyOf = (error: string): string => plain(/\nWhat to do: (.*)/.exec(error)?.[1] ?? "");

/** The rows, of those in the tables, that none of these tell of. */
export function untold(failed: readonly Document[], waits: readonly Waits[]): string[] {
  return ROWS.filter(([, row]) => !(row.patience === "endless" ? isSaid(row, waits) : isWritten(row, failed))).map(
    ([id]) => id,
  );
}

/** In an error there is the row's own remedy, which no other row of the same reason has. */
function isWritten({ reason, remedy }: Row, failed: readonly Document[]): boolean {
  const alone = ROWS.filter(([, other]) => other.remedy === remedy).length === 1;
  const its = failed.filter(({ opjob }) => alone || opjob?.reason === reason);
  return its.some(({ result }) => toldIn(remedyOf(result.error)).includes(plain(remedy)));
}

/** All that a remedy may be made of: a sentence or a part of one, or several in a row. */
function toldIn(text: string): string[] {
  const ends = [...text.matchAll(/[;.] /g)].map(({ index }) => index);
  const starts = [0, ...ends.map((end) => end + 2)];
  return starts.flatMap((from) => [...ends, text.length].filter((to) => to > from).map((to) => text.slice(from, to)));
}

/** What waits its turn has no remedy on record: of rows with one reason each must have been said in words of its own. */
function isSaid({ reason }: Row, waits: readonly Waits[]): boolean {
  const rows = ROWS.filter(([, row]) => row.patience === "endless" && row.reason === reason).length;
  const words = waits.filter((one) => one.reason === reason).map(({ message }) => message.replaceAll(/"[^"]*"/g, ""));
  return new Set(words).size >= rows;
}
