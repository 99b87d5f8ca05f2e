// The table of all tests (`value is name`). A template reaches no function that is not in it.
// It knows values only.
import { calculate } from "./arithmetic.ts";
import { isCallable } from "./calls.ts";
import { isLowerCased, isLowerOrTitle, isUpperCased, isUpperOrTitle } from "./casing.ts";
import { contains, equals, inOrder, type Ordering } from "./comparison.ts";
import { Dict } from "./dict.ts";
import { formatPercent } from "./format-percent.ts";
import { typeFault } from "./jinja-error.ts";
import { toText } from "./printing.ts";
import type { NativeTable, Run } from "./run.ts";
import { isIterable, lengthOf } from "./sequences.ts";
import { type Definitions, type NativeBody, nativeTable } from "./signature.ts";
import { DictView, isText, Markup, textOf, typeName, Undefined, type Value } from "./values.ts";

const ask = (test: (value: Value) => boolean): Definitions[string] => ["value", (_run, value) => test(value)];
const order = (operator: Ordering): Definitions[string] => ["a b /", (run, a, b) => inOrder(run, a, operator, b)];

const EQUAL: Definitions[string] = ["a b /", equals];
const GREATER = order(">");
const LESS = order("<");
const GREATER_OR_EQUAL = order(">=");
const LESS_OR_EQUAL = order("<=");
const UNEQUAL: Definitions[string] = ["a b /", (run, a, b) => !equals(run, a, b)];

/** `value % divisor == wanted`; the `%` of a text formats it, as in Python. */
function hasRemainder(run: Run, value: Value, divisor: Value, wanted: Value): boolean {
  const rest = isText(value) ? formatPercent(run, textOf(value), divisor) : calculate(run, "%", value, divisor);
  return equals(run, rest, wanted);
}

const cased =
  (lower: boolean): NativeBody =>
  (run, value) => {
    const text = toText(run, value);
    run.chargeCharacters(text.length);
    const characters = Array.from(text);
    const [wanted, other] = lower ? [isLowerCased, isUpperOrTitle] : [isUpperCased, isLowerOrTitle];
    return characters.some(wanted) && !characters.some(other);
  };

const isSequence = (run: Run, value: Value): boolean =>
  value instanceof Undefined || (lengthOf(run, value) !== undefined && !(value instanceof DictView));

const isNumber = (value: Value): boolean =>
  typeof value === "bigint" || typeof value === "number" || typeof value === "boolean";

/** What can change cannot be looked up at all. */
function isName(table: NativeTable, value: Value): boolean {
  const changes =
    Array.isArray(value) || value instanceof Dict || (value instanceof DictView && value.part !== "values");
  if (changes) throw typeFault(`a ${typeName(value)} is no name`);
  return isText(value) && table.has(textOf(value));
}

export const TESTS = nativeTable({
  "!=": UNEQUAL,
  "<": LESS,
  "<=": LESS_OR_EQUAL,
  "==": EQUAL,
  ">": GREATER,
  ">=": GREATER_OR_EQUAL,
  boolean: ask((value) => typeof value === "boolean"),
  callable: ask((value) => isCallable(value) || value instanceof Undefined),
  defined: ask((value) => !(value instanceof Undefined)),
  divisibleby: ["value num", (run, value, divisor) => hasRemainder(run, value, divisor, 0n)],
  eq: EQUAL,
  equalto: EQUAL,
  escaped: ask((value) => value instanceof Markup),
  even: ["value", (run, value) => hasRemainder(run, value, 2n, 0n)],
  false: ask((value) => value === false),
  filter: ["value", (run, value) => isName(run.filters, value)],
  float: ask((value) => typeof value === "number"),
  ge: GREATER_OR_EQUAL,
  greaterthan: GREATER,
  gt: GREATER,
  in: ["value seq", (run, value, container) => contains(run, container, value)],
  integer: ask((value) => typeof value === "bigint"),
  iterable: ask(isIterable),
  le: LESS_OR_EQUAL,
  lessthan: LESS,
  lower: ["value", cased(true)],
  lt: LESS,
  mapping: ask((value) => value instanceof Dict),
  ne: UNEQUAL,
  none: ask((value) => value === null),
  number: ask(isNumber),
  odd: ["value", (run, value) => hasRemainder(run, value, 2n, 1n)],
  sameas: ["value other", (_run, value, other) => Object.is(value, other)],
  sequence: ["value", isSequence],
  string: ask(isText),
  test: ["value", (run, value) => isName(run.tests, value)],
  true: ask((value) => value === true),
  undefined: ask((value) => value instanceof Undefined),
  upper: ["value", cased(false)],
});
