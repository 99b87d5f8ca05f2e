// text.format(…): replaces the fields between braces.
// It knows fields and their paths. How an attribute is read is given to it, so that nothing but the tables of attributes is open.
import { Dict } from "./dict.ts";
import { asciiOnly } from "./format-percent.ts";
import { Fault, typeFault, valueFault } from "./jinja-error.ts";
import { toRepr, toText } from "./printing.ts";
import type { Run } from "./run.ts";
import { itemOf } from "./subscripts.ts";
import type { Value } from "./values.ts";

/** How an attribute is read, and what becomes of a value and its specification. */
export type FormatRules = {
  readonly attribute: (run: Run, value: Value, name: string) => Value | undefined;
  readonly text: (run: Run, value: Value, specification: string) => string;
};
export type FormatValues = { readonly positional: readonly Value[]; readonly named: Dict };

/** One call of format: the text between braces may itself hold braces, once. */
export class BraceFormat {
  private readonly run: Run;
  private readonly values: FormatValues;
  private readonly rules: FormatRules;
  private numbering: "automatic" | "manual" | undefined;
  private next = 0n;
  private size = 0;

  constructor(run: Run, values: FormatValues, rules: FormatRules) {
    this.run = run;
    this.values = values;
    this.rules = rules;
  }

  /** @throws Fault */
  format(text: string, depth = 2): string {
    if (depth === 0) throw valueFault("the fields of the format are nested too deeply");
    let result = "";
    for (let at = 0; at < text.length; ) {
      const brace = findBrace(text, at);
      result += this.add(text.slice(at, brace));
      if (brace >= text.length) break;
      if (text.charAt(brace + 1) === text.charAt(brace)) {
        result += this.add(text.charAt(brace));
        at = brace + 2;
      } else {
        const end = fieldEnd(text, brace);
        result += this.add(this.field(text.slice(brace + 1, end), depth));
        at = end + 1;
      }
    }
    return result;
  }

  private add(text: string): string {
    this.size += text.length;
    this.run.checkAppend(this.size, text.length);
    return text;
  }

  private field(text: string, depth: number): string {
    const [, path = "", conversion, specification = ""] =
      /^((?:[^[:!]|\[[^\]]*\]?)*)(?:!([^:]*))?(?::([\s\S]*))?$/.exec(text) ?? [];
    const value = this.resolve(path);
    const spec =
      specification.includes("{") || specification.includes("}")
        ? this.format(specification, depth - 1)
        : specification;
    return this.rules.text(this.run, this.convert(value, conversion), spec);
  }

  private convert(value: Value, conversion: string | undefined): Value {
    if (conversion === undefined) return value;
    if (conversion === "s") return toText(this.run, value);
    if (conversion === "r") return toRepr(this.run, value);
    if (conversion === "a") return asciiOnly(toRepr(this.run, value));
    throw valueFault("the format has an unknown conversion");
  }

  /** A field's value: `name`, `0` or nothing, then `.attribute` and `[key]` in any number. */
  private resolve(path: string): Value {
    const first = /^[^.[]*/.exec(path)?.[0] ?? "";
    let value = this.first(first);
    for (const [part, attribute, key] of path.slice(first.length).matchAll(/\.([^.[]*)|\[([^\]]*)(?:\]|$)|[\s\S]/g)) {
      if (!part.endsWith("]") && attribute === undefined) throw valueFault("a field of the format is malformed");
      value = attribute === undefined ? this.item(value, key ?? "") : this.attribute(value, attribute);
    }
    return value;
  }

  private first(name: string): Value {
    if (name === "" || /^\d+$/.test(name)) {
      const kind = name === "" ? "automatic" : "manual";
      if (this.numbering !== undefined && this.numbering !== kind)
        throw valueFault("fields are numbered, and not, in one format");
      this.numbering = kind;
      const value = this.values.positional[Number(name === "" ? this.next++ : name)];
      if (value === undefined) throw new Fault("IndexError", "the format has more fields than there are values");
      return value;
    }
    const value = this.values.named.get(this.run, name);
    if (value === undefined) throw new Fault("KeyError", `there is no value '${name.slice(0, 60)}' for the format`);
    return value;
  }

  private item(value: Value, key: string): Value {
    if (key === "") throw valueFault("a field of the format is malformed");
    return itemOf(this.run, value, /^\d+$/.test(key) ? BigInt(key.slice(0, 20)) : key);
  }

  private attribute(value: Value, name: string): Value {
    if (name === "") throw valueFault("a field of the format is malformed");
    const found = this.rules.attribute(this.run, value, name);
    if (found === undefined) throw new Fault("AttributeError", `the value has no attribute '${name.slice(0, 60)}'`);
    return found;
  }
}

function findBrace(text: string, from: number): number {
  let at = from;
  while (at < text.length && text.charAt(at) !== "{" && text.charAt(at) !== "}") at++;
  return at;
}

function fieldEnd(text: string, open: number): number {
  if (text.charAt(open) === "}") throw valueFault("the format has a '}' without '{'");
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === "{") depth++;
    else if (character === "}" && --depth === 0) return at;
  }
  throw valueFault("the format has a '{' without '}'");
}

/** `format_map` takes its names from a dict. @throws Fault TypeError */
export function namedValues(mapping: Value): FormatValues {
  if (!(mapping instanceof Dict)) throw typeFault("format_map needs a dict");
  return { positional: [], named: mapping };
}
