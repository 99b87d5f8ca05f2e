// What a caller gives to a template, as values of the template's world: copies, so that neither side can change the other's.
// It knows JSON-like data and values. A number without a fraction becomes an integer, because JavaScript does not tell 1 from 1.0.
import { Dict } from "./dict.ts";
import { typeFault } from "./jinja-error.ts";
import type { Run } from "./run.ts";
import type { Value } from "./values.ts";

export type JinjaValue =
  | null
  | boolean
  | number
  | string
  | readonly JinjaValue[]
  | { readonly [key: string]: JinjaValue };

/** @throws Fault TypeError for what is not JSON-like, or Limit */
export function fromContext(run: Run, given: JinjaValue): Value {
  run.charge(1);
  if (given === null || typeof given === "boolean") return given;
  if (typeof given === "string") return checkedText(run, given);
  if (typeof given === "number") return Number.isSafeInteger(given) && !Object.is(given, -0) ? BigInt(given) : given;
  if (typeof given !== "object") throw typeFault(`a ${typeof given} cannot be given to a template`);
  return run.inValue(() => fromContainer(run, given));
}

function checkedText(run: Run, text: string): string {
  run.checkString(text.length);
  return text;
}

function fromContainer(run: Run, given: readonly JinjaValue[] | { readonly [key: string]: JinjaValue }): Value {
  if (isList(given)) {
    run.checkSequence(given.length);
    return Array.from(given, (item) => fromContext(run, item));
  }
  const dict = new Dict();
  for (const [key, value] of Object.entries(given)) dict.set(run, key, fromContext(run, value));
  return dict;
}

const isList = (given: JinjaValue): given is readonly JinjaValue[] => Array.isArray(given);
