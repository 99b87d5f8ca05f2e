// How values print: Python's str() and repr().
// It knows values and their texts; what is printed where is the renderer's business. Work and size are charged.
import { Dict } from "./dict.ts";
import { floatText, integerText } from "./numbers.ts";
import type { Run } from "./run.ts";
import { codePoints, isPrintable } from "./text.ts";
import { DictView, Markup, Opaque, Range, Tuple, Undefined, type Value } from "./values.ts";

export function toText(run: Run, value: Value): string {
  if (typeof value === "string") return value;
  if (value instanceof Markup) return value.text;
  if (value instanceof Undefined) return "";
  return toRepr(run, value);
}

export function toRepr(run: Run, value: Value): string {
  const parts: string[] = [];
  new Printer(run, parts).print(value);
  return parts.join("");
}

/** Collects the parts of one repr, and remembers the containers it is inside of, which Python prints as dots. */
class Printer {
  private readonly run: Run;
  private readonly parts: string[];
  private readonly inside = new Set<Value>();
  private size = 0;

  constructor(run: Run, parts: string[]) {
    this.run = run;
    this.parts = parts;
  }

  add(text: string): void {
    this.size += text.length;
    this.run.checkAppend(this.size, text.length);
    this.parts.push(text);
  }

  print(value: Value): void {
    if (value === null) this.add("None");
    else if (typeof value === "boolean") this.add(value ? "True" : "False");
    else if (typeof value === "bigint") this.add(integerText(this.run, value));
    else if (typeof value === "number") this.add(floatText(value));
    else if (typeof value === "string") this.add(quote(value));
    else this.printObject(value);
  }

  private printObject(value: Exclude<Value, null | boolean | bigint | number | string>): void {
    if (value instanceof Markup) this.add(`Markup(${quote(value.text)})`);
    else if (value instanceof Undefined) this.add("Undefined");
    else if (value instanceof Range) this.add(rangeText(value));
    else if (value instanceof Opaque) this.add(value.describe(this.run));
    else this.printContainer(value);
  }

  private printContainer(value: Value[] | Tuple | Dict | DictView): void {
    if (this.inside.has(value)) {
      this.add(Array.isArray(value) ? "[...]" : value instanceof Dict ? "{...}" : "(...)");
      return;
    }
    this.inside.add(value);
    this.run.inValue(() => this.printElements(value));
    this.inside.delete(value);
  }

  private printElements(value: Value[] | Tuple | Dict | DictView): void {
    if (Array.isArray(value)) {
      this.printList("[", value, "]");
    } else if (value instanceof Tuple) {
      this.printList("(", value.items, value.items.length === 1 ? ",)" : ")");
    } else if (value instanceof DictView) {
      this.add(`dict_${value.part}`);
      this.printList("([", viewElements(value), "])");
    } else {
      this.printDict(value);
    }
  }

  private printList(open: string, items: Iterable<Value>, close: string): void {
    this.add(open);
    let first = true;
    for (const item of items) {
      if (!first) this.add(", ");
      first = false;
      this.print(item);
    }
    this.add(close);
  }

  private printDict(dict: Dict): void {
    this.add("{");
    let first = true;
    for (const [key, item] of dict.entries()) {
      if (!first) this.add(", ");
      first = false;
      this.print(key);
      this.add(": ");
      this.print(item);
    }
    this.add("}");
  }
}

export function* viewElements(view: DictView): Generator<Value, void, undefined> {
  for (const [key, value] of view.dict.entries()) {
    if (view.part === "items") yield new Tuple([key, value]);
    else yield view.part === "keys" ? key : value;
  }
}

function rangeText(range: Range): string {
  const step = range.step === 1n ? "" : `, ${range.step}`;
  return `range(${range.start}, ${range.stop}${step})`;
}

const ESCAPES: Record<string, string> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** A string as Python writes it: in single quotes, unless that alone would need escapes. */
export function quote(text: string): string {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'";
  if (/^[ !#-&(-[\]-~]*$/.test(text)) return mark + text + mark;
  let result = mark;
  for (const character of codePoints(text)) result += quoteCharacter(character, mark);
  return result + mark;
}

function quoteCharacter(character: string, mark: string): string {
  const short = ESCAPES[character];
  if (short !== undefined) return short;
  if (character === mark) return `\\${mark}`;
  if (isPrintable(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`;
}
