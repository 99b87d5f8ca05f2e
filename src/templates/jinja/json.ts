// Values as JSON that may stand inside HTML: what `tojson` gives.
// It knows values and JSON's rules, with Python's order of keys and Python's floats.
import { sortValues } from "./comparison.ts";
import { Dict } from "./dict.ts";
import { typeFault } from "./jinja-error.ts";
import { asNumber, floatText, integerText, toCount } from "./numbers.ts";
import type { Run } from "./run.ts";
import { itemsOf } from "./sequences.ts";
import { isText, textOf, typeName, type Value } from "./values.ts";

/** `indent` is None for one line, a number of spaces or a text. @throws Fault TypeError for what JSON cannot hold */
export function toJson(run: Run, value: Value, indent: Value): string {
  const step = indent === null ? null : isText(indent) ? textOf(indent) : " ".repeat(checkedIndent(run, indent));
  return new JsonWriter(run, step).write(value);
}

function checkedIndent(run: Run, indent: Value): number {
  const size = Math.max(0, toCount(indent));
  run.checkString(size);
  return size;
}

const SHORT: Record<string, string> = {
  '"': '\\"',
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\f": "\\f",
  "\b": "\\b",
};

/** Only printable ASCII stays, and of that not what HTML would read. */
function quote(text: string): string {
  const escaped = text.replace(
    /[^ -~]|["\\<>&']/g,
    (unit) => SHORT[unit] ?? `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return `"${escaped}"`;
}

function numberText(run: Run, value: bigint | number): string {
  if (typeof value === "bigint") return integerText(run, value);
  if (Number.isNaN(value)) return "NaN";
  return Number.isFinite(value) ? floatText(value) : value > 0 ? "Infinity" : "-Infinity";
}

function keyText(run: Run, key: Value): string {
  if (isText(key)) return textOf(key);
  if (key === null) return "null";
  if (typeof key === "boolean") return key ? "true" : "false";
  const number = asNumber(key);
  if (number === undefined) throw typeFault(`a ${typeName(key)} cannot be a key in JSON`);
  return numberText(run, number);
}

type Write<T> = (item: T, margin: string) => string;

class JsonWriter {
  private readonly run: Run;
  private readonly step: string | null;
  private size = 0;

  constructor(run: Run, step: string | null) {
    this.run = run;
    this.step = step;
  }

  private add(text: string): string {
    this.size += text.length;
    this.run.checkAppend(this.size, text.length);
    return text;
  }

  write(value: Value, margin = "\n"): string {
    if (value === null) return this.add("null");
    if (typeof value === "boolean") return this.add(value ? "true" : "false");
    if (isText(value)) return this.add(quote(textOf(value)));
    const number = asNumber(value);
    if (number !== undefined) return this.add(numberText(this.run, number));
    const items = itemsOf(value);
    if (items) return this.enclose("[]", margin, items, (item, inner) => this.write(item, inner));
    if (value instanceof Dict) return this.writeDict(value, margin);
    throw typeFault(`a ${typeName(value)} has no form in JSON`);
  }

  private writeDict(dict: Dict, margin: string): string {
    const entries = sortValues(this.run, [...dict.entries()], ([key]) => key, false);
    return this.enclose("{}", margin, entries, ([key, item], inner) => {
      const name = this.add(`${quote(keyText(this.run, key))}: `);
      return name + this.write(item, inner);
    });
  }

  /** Brackets around elements; each on a line of its own if there is an indentation. */
  private enclose<T>([open, close]: string, margin: string, items: readonly T[], write: Write<T>): string {
    if (items.length === 0) return this.add(`${open}${close}`);
    const inner = this.step === null ? "" : margin + this.step;
    const between = this.step === null ? ", " : `,${inner}`;
    return this.run.inValue(() => {
      const parts = items.map((item) => {
        this.add(between);
        return write(item, inner);
      });
      return `${open}${inner}${parts.join(between)}${this.step === null ? "" : margin}${close}`;
    });
  }
}
