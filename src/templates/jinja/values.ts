// The values that templates compute with: Python's, as a closed set. Nothing of the host is among them.
// It knows shapes only. Integers are bigint and floats number, so that 1 and 1.0 stay apart; a list is an array and changes in place.
import type { Dict } from "./dict.ts";
import type { Run } from "./run.ts";

export type Value =
  | null
  | boolean
  | bigint
  | number
  | string
  | Value[]
  | Tuple
  | Dict
  | Markup
  | Range
  | DictView
  | Undefined
  | Opaque;

/** The arguments of a call, before they meet a signature. */
export type Arguments = { readonly positional: readonly Value[]; readonly named: ReadonlyMap<string, Value> };

export const NO_ARGUMENTS: Arguments = { positional: [], named: new Map() };

export class Tuple {
  readonly items: readonly Value[];
  /** Names of the items, where they have some. */
  readonly names: readonly string[];
  constructor(items: readonly Value[], names: readonly string[] = []) {
    this.items = items;
    this.names = names;
  }
}

/** Text that is already escaped for HTML. Jinja2 makes it from the filters that escape. */
export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export class Range {
  readonly start: bigint;
  readonly stop: bigint;
  readonly step: bigint;
  constructor(start: bigint, stop: bigint, step: bigint) {
    this.start = start;
    this.stop = stop;
    this.step = step;
  }
  get length(): bigint {
    const span = this.step > 0n ? this.stop - this.start : this.start - this.stop;
    const stride = this.step > 0n ? this.step : -this.step;
    return span <= 0n ? 0n : (span + stride - 1n) / stride;
  }
  at(index: bigint): bigint {
    return this.start + index * this.step;
  }
}

/** What `keys()`, `values()` and `items()` of a dict give: they show later changes of the dict. */
export class DictView {
  readonly dict: Dict;
  readonly part: "keys" | "values" | "items";
  constructor(dict: Dict, part: DictView["part"]) {
    this.dict = dict;
    this.part = part;
  }
}

/** A missing name, attribute or element: prints nothing, is false and empty, and fails in every other use. */
export class Undefined {
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}

/** A value that Jinja2 or Python makes and whose inside templates see through a few attributes only. */
export abstract class Opaque {
  /** Python's name of the type, for messages. */
  abstract readonly typeName: string;
  abstract describe(run: Run): string;
  attribute(_run: Run, _name: string): Value | undefined {
    return undefined;
  }
  /** In the types that can be gone through, and counted. */
  readonly walk?: (run: Run) => Iterator<Value, void, undefined>;
  readonly count?: (run: Run) => number;
  /** Undefined in the types that cannot be called. */
  readonly call?: (run: Run, args: Arguments) => Value;
}

/** A function that a template can call. */
export class Callable extends Opaque {
  readonly typeName: string;
  readonly name: string;
  private readonly text: string;
  override readonly call: (run: Run, args: Arguments) => Value;

  constructor(name: string, call: (run: Run, args: Arguments) => Value, text = objectText(`function ${name}`)) {
    super();
    this.typeName = text.startsWith("<class") ? "type" : "function";
    this.name = name;
    this.call = call;
    this.text = text;
  }
  override describe(): string {
    return this.text;
  }
}

/** How Python prints what has no other form: with a place in memory, which here is always the same one. */
export const objectText = (words: string): string => `<${words} at 0x7f0000000000>`;

/** A lazy sequence, which gives each element once. `name` is that of Jinja2's generator, which it prints. */
export class Stream extends Opaque {
  readonly typeName: string;
  private readonly name: string;
  override readonly walk: () => Iterator<Value, void, undefined>;
  constructor(typeName: string, iterator: Iterator<Value, void, undefined>, name = "") {
    super();
    this.typeName = typeName;
    this.name = name;
    this.walk = () => iterator;
  }
  override describe(): string {
    return objectText(this.name === "" ? `${this.typeName} object` : `${this.typeName} object ${this.name}`);
  }
}

/** For what JavaScript gives when nothing is found. Not `??`, which would take a found None for nothing. */
export const orElse = (found: Value | undefined, otherwise: Value): Value => (found === undefined ? otherwise : found);
export const orMissing = (found: Value | undefined, message: string): Value =>
  found === undefined ? new Undefined(message) : found;

export const isText = (value: Value): value is string | Markup => typeof value === "string" || value instanceof Markup;
export const textOf = (value: string | Markup): string => (typeof value === "string" ? value : value.text);

/** Python's name of a value's type. */
export function typeName(value: Value): string {
  if (value === null) return "NoneType";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "bigint") return "int";
  if (typeof value === "number") return "float";
  return typeof value === "string" ? "str" : objectTypeName(value);
}

function objectTypeName(value: Exclude<Value, null | boolean | bigint | number | string>): string {
  if (Array.isArray(value)) return "list";
  if (value instanceof Tuple) return "tuple";
  if (value instanceof Markup) return "Markup";
  if (value instanceof Range) return "range";
  if (value instanceof DictView) return `dict_${value.part}`;
  if (value instanceof Undefined) return "Undefined";
  if (value instanceof Opaque) return value.typeName;
  return "dict";
}
