// Values printed over several lines where one is too narrow, as Python's pprint does: what `pprint` gives.
// It knows values and widths.
import { inOrder } from "./comparison.ts";
import { Dict } from "./dict.ts";
import { isFault } from "./jinja-error.ts";
import { quote, toRepr } from "./printing.ts";
import { isSpace } from "./python-space.ts";
import type { Run } from "./run.ts";
import { codePointCount } from "./text.ts";
import { splitLines } from "./text-cutting.ts";
import { Tuple, typeName, type Value } from "./values.ts";

const WIDTH = 80;

export function prettyPrint(run: Run, value: Value): string {
  return new PrettyPrinter(run).print(sortDicts(run, value), { indent: 0, allowance: 0, level: 1 });
}

/** The same value with the keys of all dicts in order. */
function sortDicts(run: Run, value: Value): Value {
  run.charge(1);
  if (Array.isArray(value)) return run.inValue(() => value.map((item) => sortDicts(run, item)));
  if (value instanceof Tuple)
    return run.inValue(
      () =>
        new Tuple(
          value.items.map((item) => sortDicts(run, item)),
          value.names,
        ),
    );
  if (!(value instanceof Dict)) return value;
  return run.inValue(() => {
    const sorted = new Dict();
    const entries = [...value.entries()].sort(([a], [b]) => (precedes(run, a, b) ? -1 : precedes(run, b, a) ? 1 : 0));
    for (const [key, item] of entries) sorted.set(run, key, sortDicts(run, item));
    return sorted;
  });
}

/** Keys without an order between them are put in the order of their types' names. */
function precedes(run: Run, a: Value, b: Value): boolean {
  try {
    return inOrder(run, a, "<", b);
  } catch (error) {
    if (isFault(error, "TypeError", "UndefinedError")) return typeName(a) < typeName(b);
    throw error;
  }
}

/** Where a value stands: the column it starts at, the columns to keep free behind it, and how deep it is. */
type Place = { readonly indent: number; readonly allowance: number; readonly level: number };

class PrettyPrinter {
  private readonly run: Run;
  constructor(run: Run) {
    this.run = run;
  }

  print(value: Value, place: Place): string {
    const flat = toRepr(this.run, value);
    if (codePointCount(flat) <= WIDTH - place.indent - place.allowance) return flat;
    const inner = { ...place, level: place.level + 1 };
    if (Array.isArray(value)) return this.printItems("[", value, "]", inner);
    if (value instanceof Tuple) return this.printItems("(", value.items, value.items.length === 1 ? ",)" : ")", inner);
    if (value instanceof Dict) return this.printDict(value, inner);
    return typeof value === "string" && value !== "" ? this.printText(value, place) : flat;
  }

  private printItems(
    open: string,
    items: readonly Value[],
    close: string,
    { indent, allowance, level }: Place,
  ): string {
    const parts = items.map((item, at) => {
      const behind = at === items.length - 1 ? allowance + close.length : 1;
      return this.run.inValue(() => this.print(item, { indent: indent + 1, allowance: behind, level }));
    });
    return this.join(open, parts, close, indent + 1);
  }

  private printDict(dict: Dict, { indent, allowance, level }: Place): string {
    const entries = [...dict.entries()];
    const parts = entries.map(([key, item], at) => {
      const name = `${toRepr(this.run, key)}: `;
      const behind = at === entries.length - 1 ? allowance + 1 : 1;
      const column = indent + 1 + codePointCount(name);
      return name + this.run.inValue(() => this.print(item, { indent: column, allowance: behind, level }));
    });
    return this.join("{", parts, "}", indent + 1);
  }

  private join(open: string, parts: readonly string[], close: string, column: number): string {
    const size = parts.reduce((sum, part) => sum + part.length + column + 2, 0);
    this.run.checkString(size);
    return open + parts.join(`,\n${" ".repeat(column)}`) + close;
  }

  /** A long text becomes several beside each other; in brackets if it stands alone. */
  private printText(text: string, place: Place): string {
    const alone = place.level === 1;
    const indent = place.indent + (alone ? 1 : 0);
    const chunks = this.chunks(text, WIDTH - indent, place.allowance + (alone ? 1 : 0));
    const [only = "''"] = chunks;
    if (chunks.length <= 1) return only;
    this.run.checkString(text.length * 4 + chunks.length * (indent + 1));
    const joined = chunks.join(`\n${" ".repeat(indent)}`);
    return alone ? `(${joined})` : joined;
  }

  private chunks(text: string, width: number, allowance: number): string[] {
    const lines = splitLines(this.run, text, true);
    return lines.flatMap((line, at) => {
      const behind = at === lines.length - 1 ? allowance : 0;
      const whole = quote(line);
      this.run.chargeText(line.length);
      return codePointCount(whole) <= width - behind ? [whole] : this.wrap(line, width, behind);
    });
  }

  private wrap(line: string, width: number, allowance: number): string[] {
    const parts = words(line);
    const chunks: string[] = [];
    let current = "";
    for (const [at, part] of parts.entries()) {
      const room = at === parts.length - 1 ? width - allowance : width;
      this.run.chargeText(current.length + part.length);
      if (codePointCount(quote(current + part)) <= room) {
        current += part;
      } else {
        if (current !== "") chunks.push(quote(current));
        current = part;
      }
    }
    return current === "" ? chunks : [...chunks, quote(current)];
  }
}

/** Words with the space behind them. */
function words(line: string): string[] {
  const parts: string[] = [];
  let start = 0;
  for (let at = 1; at <= line.length; at++) {
    const begins = at === line.length || (isSpace(line.charAt(at - 1)) && !isSpace(line.charAt(at)));
    if (!begins) continue;
    parts.push(line.slice(start, at));
    start = at;
  }
  return parts;
}
