// How the arguments of a call meet the parameters of a built-in function.
// It knows names and counts; a signature is written as text, as in "value width= / *args **rest".
import { Dict } from "./dict.ts";
import { typeFault } from "./jinja-error.ts";
import type { Native, NativeTable, Run } from "./run.ts";
import { type Arguments, isText, Tuple, textOf, type Value } from "./values.ts";

/** Gets one value for each parameter; JavaScript's undefined for those that were left out, so that its own defaults apply. */
export type NativeBody = (run: Run, ...values: Value[]) => Value;

type Signature = {
  readonly names: readonly string[];
  readonly required: number;
  /** Parameters that cannot be given by name. */
  readonly positionalOnly: number;
  /** Parameters that can be given by place. */
  readonly placed: number;
  readonly rest: boolean;
  readonly named: boolean;
};

function readSignature(text: string): Signature {
  const words = text.split(" ").filter((word) => word !== "");
  const slash = words.indexOf("/");
  const star = words.indexOf("*");
  const names = words.filter((word) => word !== "/" && !word.startsWith("*"));
  return {
    names: names.map((name) => name.replace("=", "")),
    required: names.filter((name) => !name.endsWith("=")).length,
    positionalOnly: slash < 0 ? 0 : slash,
    placed: star < 0 ? names.length : words.slice(0, star).filter((word) => word !== "/").length,
    rest: words.some((word) => /^\*[^*]/.test(word)),
    named: words.some((word) => word.startsWith("**")),
  };
}

/**
 * Makes a function of the tables. Signature: names; `=` after a name that may be left out; `/` after those that cannot be
 * named; `*` before those that can only be named; `*rest` gives a tuple and `**rest` a dict, as the last values.
 */
export function native(name: string, signature: string, body: NativeBody): Native {
  const parameters = readSignature(signature);
  return (run, args) => {
    for (const value of args.positional) chargeSize(run, value);
    return body(run, ...bind(run, name, parameters, args));
  };
}

/** Most functions look at the whole of what they are given, and none is cheaper for it. */
function chargeSize(run: Run, value: Value): void {
  if (isText(value)) run.chargeText(textOf(value).length);
  else if (Array.isArray(value)) run.charge(Math.floor(value.length / 64));
}

export type Definitions = Readonly<Record<string, readonly [signature: string, body: NativeBody]>>;

export function nativeTable(...definitions: Definitions[]): NativeTable {
  const entries = definitions.flatMap((one) => Object.entries(one));
  return new Map(entries.map(([name, [signature, body]]) => [name, native(name, signature, body)]));
}

function bind(run: Run, name: string, signature: Signature, args: Arguments): Value[] {
  const { names, required } = signature;
  const surplus = args.positional.slice(signature.placed);
  if (surplus.length > 0 && !signature.rest) throw typeFault(`${name} takes at most ${signature.placed} values`);
  const values: (Value | undefined)[] = names.map((_, at) => (at < signature.placed ? args.positional[at] : undefined));
  const others = new Dict();
  for (const [key, value] of args.named) {
    if (!placeNamed(values, signature, key, value)) {
      if (!signature.named) throw typeFault(`${name} takes no '${key}' here`);
      others.set(run, key, value);
    }
  }
  const missing = names.find((_, at) => at < required && values[at] === undefined);
  if (missing !== undefined) throw typeFault(`${name} needs a value for '${missing}'`);
  if (signature.rest) values.push(new Tuple(surplus));
  if (signature.named) values.push(others);
  return values as Value[]; // undefined stands for "left out": bodies declare those parameters with a default or as optional
}

/** Puts a named value where its parameter is. False if there is no such parameter. */
function placeNamed(values: (Value | undefined)[], signature: Signature, key: string, value: Value): boolean {
  const at = signature.names.indexOf(key, signature.positionalOnly);
  if (at < 0) return false;
  if (values[at] !== undefined) throw typeFault(`the call gives '${key}' twice`);
  values[at] = value;
  return true;
}
