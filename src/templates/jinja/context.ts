// What a caller gives to a template, as values of the template's world: copies, so that neither side can change the other's.
// It knows JSON-like data and values. A number without a fraction becomes an integer, because JavaScript does not tell 1 from 1.0:
// whoever can tell them apart gives a bigint or a Float.
import { Dict } from "./dict.ts";
import { typeFault } from "./jinja-error.ts";
import { chargeInteger } from "./numbers.ts";
import type { Run } from "./run.ts";
import type { Value } from "./values.ts";

export type JinjaValue =
  | null
  | boolean
  | number
  | bigint
  | Float
  | string
  | readonly JinjaValue[]
  | ReadonlyMap<string, JinjaValue>
  | { readonly [key: string]: JinjaValue };

/** A number that is a float to Python, whether it has a fraction or not. */
export class Float {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

/** @throws Fault TypeError for what is not JSON-like, or Limit */
export function fromContext(run: Run, given: JinjaValue): Value {
  run.charge(1);
  if (given === null || typeof given === "boolean") return given;
  if (typeof given === "string") return checkedText(run, given);
  if (typeof given === "bigint") return checkedInteger(run, given);
  if (given instanceof Float) return given.value;
  if (typeof given === "number") return Number.isSafeInteger(given) && !Object.is(given, -0) ? BigInt(given) : given;
  if (typeof given !== "object") throw typeFault(`a ${typeof given} cannot be given to a template`);
  return run.inValue(() => fromContainer(run, given));
}

function checkedText(run: Run, text: string): string {
  run.checkString(text.length);
  return text;
}

function checkedInteger(run: Run, integer: bigint): bigint {
  chargeInteger(run, integer);
  return integer;
}

type Container = Exclude<JinjaValue, null | boolean | number | bigint | Float | string>;

/** The names that a template begins with. A Map keeps their order, also of those that look like numbers. */
export type JinjaContext = Readonly<Record<string, JinjaValue>> | ReadonlyMap<string, JinjaValue>;

export const entriesOf = (given: JinjaContext): Iterable<[string, JinjaValue]> =>
  given instanceof Map ? given.entries() : Object.entries(given);

function fromContainer(run: Run, given: Container): Value {
  if (isList(given)) {
    run.checkSequence(given.length);
    return Array.from(given, (item) => fromContext(run, item));
  }
  const dict = new Dict();
  for (const [key, value] of entriesOf(given)) dict.set(run, key, fromContext(run, value));
  return dict;
}

const isList = (given: Container): given is readonly JinjaValue[] => Array.isArray(given);
