// Reads JSON as Python does: integers of any size and floats stay apart, and the keys of an object keep their order.
// JSON.parse can do neither: it makes 1 of 1.0, and puts keys that look like numbers first. Pure.
import { Float, type JinjaValue } from "../templates/jinja/jinja.ts";

/** Levels of brackets; the bounds of templates are far below. */
const DEEPEST = 500;

const WORDS: ReadonlyMap<string, JinjaValue> = new Map<string, JinjaValue>([
  ["true", true],
  ["false", false],
  ["null", null],
  ["NaN", new Float(Number.NaN)],
  ["Infinity", new Float(Number.POSITIVE_INFINITY)],
  ["-Infinity", new Float(Number.NEGATIVE_INFINITY)],
]);
const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const WORD = /-?[A-Za-z]+/y;

/** @throws SyntaxError */
export function readPythonJson(text: string): JinjaValue {
  const reader = new Reader(text);
  const value = reader.value(0);
  if (reader.next() !== "") throw reader.fault();
  return value;
}

class Reader {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  fault(): SyntaxError {
    return new SyntaxError(`no JSON from character ${this.at + 1} on`);
  }

  /** The next character that is no blank; empty at the end. */
  next(): string {
    while (" \t\r\n".includes(this.text.charAt(this.at)) && this.at < this.text.length) this.at++;
    return this.text.charAt(this.at);
  }

  value(depth: number): JinjaValue {
    if (depth > DEEPEST) throw this.fault();
    const first = this.next();
    if (first === "{") return this.object(depth);
    if (first === "[") return this.array(depth);
    if (first === '"') return this.string();
    const word = this.word();
    return word === undefined ? this.number() : word;
  }

  private word(): JinjaValue | undefined {
    WORD.lastIndex = this.at;
    const [found = ""] = WORD.exec(this.text) ?? [];
    const value = WORDS.get(found);
    if (value !== undefined) this.at += found.length;
    return value;
  }

  private number(): JinjaValue {
    NUMBER.lastIndex = this.at;
    const [digits, fraction, power] = NUMBER.exec(this.text) ?? [];
    if (digits === undefined) throw this.fault();
    this.at += digits.length;
    return fraction === undefined && power === undefined ? BigInt(digits) : new Float(Number(digits));
  }

  private string(): string {
    if (this.next() !== '"') throw this.fault();
    let end = this.at + 1;
    while (this.text.charAt(end) !== '"') {
      if (end >= this.text.length) throw this.fault();
      end += this.text.charAt(end) === "\\" ? 2 : 1;
    }
    const value = JSON.parse(this.text.slice(this.at, end + 1)) as string;
    this.at = end + 1;
    return value;
  }

  private array(depth: number): JinjaValue[] {
    const items: JinjaValue[] = [];
    this.elements("]", () => items.push(this.value(depth + 1)));
    return items;
  }

  private object(depth: number): ReadonlyMap<string, JinjaValue> {
    const entries = new Map<string, JinjaValue>();
    this.elements("}", () => {
      const key = this.string();
      if (this.next() !== ":") throw this.fault();
      this.at++;
      entries.set(key, this.value(depth + 1));
    });
    return entries;
  }

  /** Reads from the opening bracket to the closing one. */
  private elements(close: string, read: () => void): void {
    this.at++;
    if (this.next() === close) {
      this.at++;
      return;
    }
    for (;;) {
      read();
      const mark = this.next();
      this.at++;
      if (mark === close) return;
      if (mark !== ",") throw this.fault();
    }
  }
}
