// Reads JSON as Go does: the same words for what is wrong, and the paths of fields that are there twice (the last one counts).
// JSON.parse can tell neither. Pure.

/** The text is no JSON; the message is Go's. */
export class JsonSyntax extends Error {}

export type Read = {
  readonly value: unknown;
  /** Paths such as `spec.containers[0].name`. */
  readonly duplicates: readonly string[];
};

const LITERALS = [
  ["true", true],
  ["false", false],
  ["null", null],
] as const;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const STRING = /"(?:[^"\\]|\\.)*"/y;
const BLANK = /[ \t\r\n]*/y;

class Reader {
  readonly text: string;
  readonly duplicates: string[] = [];
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  fail(where: string): JsonSyntax {
    const found = this.text[this.at];
    if (found === undefined) return new JsonSyntax("unexpected end of JSON input");
    const shown = found === "'" ? "'\\''" : `'${found}'`;
    return new JsonSyntax(`invalid character ${shown} ${where}`);
  }

  /** The next character that is no blank. */
  peek(): string | undefined {
    BLANK.lastIndex = this.at;
    BLANK.test(this.text);
    this.at = BLANK.lastIndex;
    return this.text[this.at];
  }

  value(path: string): unknown {
    const next = this.peek();
    if (next === "{") return this.object(path);
    if (next === "[") return this.array(path);
    if (next === '"') return this.string("looking for beginning of value");
    const literal = LITERALS.find(([word]) => this.text.startsWith(word, this.at));
    if (literal) {
      this.at += literal[0].length;
      return literal[1];
    }
    NUMBER.lastIndex = this.at;
    const [number] = NUMBER.exec(this.text) ?? [];
    if (number === undefined) throw this.fail("looking for beginning of value");
    this.at += number.length;
    return Number(number);
  }

  string(where: string): string {
    if (this.peek() !== '"') throw this.fail(where);
    STRING.lastIndex = this.at;
    const [literal] = STRING.exec(this.text) ?? [];
    if (literal === undefined) throw new JsonSyntax("unexpected end of JSON input");
    try {
      const value: unknown = JSON.parse(literal);
      this.at += literal.length;
      return String(value);
    } catch {
      throw new JsonSyntax("invalid character in string literal");
    }
  }

  object(path: string): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    this.at += 1;
    if (this.peek() === "}") this.at += 1;
    else
      do {
        const key = this.string("looking for beginning of object key string");
        if (this.peek() !== ":") throw this.fail("after object key");
        this.at += 1;
        const inner = path === "" ? key : `${path}.${key}`;
        if (Object.hasOwn(result, key)) this.duplicates.push(inner);
        Object.defineProperty(result, key, {
          value: this.value(inner),
          enumerable: true,
          configurable: true,
          writable: true,
        });
      } while (this.goesOn("}", "after object key:value pair"));
    return result;
  }

  array(path: string): unknown[] {
    const result: unknown[] = [];
    this.at += 1;
    if (this.peek() === "]") this.at += 1;
    else
      do {
        result.push(this.value(`${path}[${result.length}]`));
      } while (this.goesOn("]", "after array element"));
    return result;
  }

  goesOn(end: string, where: string): boolean {
    const next = this.peek();
    if (next !== "," && next !== end) throw this.fail(where);
    this.at += 1;
    return next === ",";
  }
}

/** @throws JsonSyntax */
export function readJson(text: string): Read {
  const reader = new Reader(text);
  const value = reader.value("");
  if (reader.peek() !== undefined) throw reader.fail("after top-level value");
  return { value, duplicates: reader.duplicates };
}
