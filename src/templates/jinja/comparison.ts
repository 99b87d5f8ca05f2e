// ==, <, in: how Python compares values.
// It knows values only. Comparing follows nested values, which is charged and bounded.
import { Dict } from "./dict.ts";
import { typeFault } from "./jinja-error.ts";
import { asNumber } from "./numbers.ts";
import type { Run } from "./run.ts";
import { each, itemsOf, undefinedFault } from "./sequences.ts";
import { compareTexts } from "./text.ts";
import { DictView, isText, Range, Tuple, textOf, typeName, Undefined, type Value } from "./values.ts";

export function equals(run: Run, a: Value, b: Value): boolean {
  run.charge(1);
  const x = asNumber(a);
  const y = asNumber(b);
  if (x !== undefined && y !== undefined) return x >= y && x <= y; // an integer of bounded size compares in a step
  if (isText(a) && isText(b)) return equalTexts(run, textOf(a), textOf(b));
  if (a === null || b === null || typeof a !== "object" || typeof b !== "object") return a === b;
  return equalObjects(run, a, b);
}

function equalTexts(run: Run, a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  run.chargeText(a.length);
  return a === b;
}

type Compound = Extract<Value, object>;

function equalObjects(run: Run, a: Compound, b: Compound): boolean {
  if (a instanceof Dict && b instanceof Dict) return equalDicts(run, a, b);
  if (a instanceof Undefined) return b instanceof Undefined;
  if (a instanceof Range && b instanceof Range) return equalRanges(a, b);
  if (a instanceof DictView && b instanceof DictView) return equalViews(run, a, b);
  const pair = sameRows(a, b);
  return pair ? equalItems(run, ...pair) : a === b;
}

type Rows = [readonly Value[], readonly Value[]];

/** The elements of two lists, or of two tuples. */
function sameRows(a: Value, b: Value): Rows | undefined {
  if (Array.isArray(a) && Array.isArray(b)) return [a, b];
  return a instanceof Tuple && b instanceof Tuple ? [a.items, b.items] : undefined;
}

/** Python takes an element for equal to itself without asking it. */
function same(run: Run, a: Value, b: Value): boolean {
  run.charge(1);
  return Object.is(a, b) || equals(run, a, b);
}

function equalItems(run: Run, a: readonly Value[], b: readonly Value[]): boolean {
  if (a.length !== b.length) return false;
  return run.inValue(() => a.every((item, at) => same(run, item, b[at] as Value)));
}

function equalDicts(run: Run, a: Dict, b: Dict): boolean {
  if (a.size !== b.size) return false;
  return run.inValue(() => {
    for (const [key, value] of a.entries()) {
      const other = b.get(run, key);
      if (other === undefined || !same(run, value, other)) return false;
    }
    return true;
  });
}

function equalRanges(a: Range, b: Range): boolean {
  const { length } = a;
  if (length !== b.length) return false;
  return length === 0n || (a.start === b.start && (length === 1n || a.step === b.step));
}

function equalViews(run: Run, a: DictView, b: DictView): boolean {
  if (a.part === "values" || b.part === "values") return a === b;
  if (a.part !== b.part || a.dict.size !== b.dict.size) return false;
  return a.part === "items"
    ? equalDicts(run, a.dict, b.dict)
    : [...a.dict.entries()].every(([key]) => b.dict.has(run, key));
}

export type Ordering = "<" | "<=" | ">" | ">=";

const DECIDE: Record<Ordering, (difference: number) => boolean> = {
  "<": (difference) => difference < 0,
  "<=": (difference) => difference <= 0,
  ">": (difference) => difference > 0,
  ">=": (difference) => difference >= 0,
};

/** @throws Fault TypeError if Python has no order between the two, UndefinedError if one is missing */
export function inOrder(run: Run, a: Value, operator: Ordering, b: Value): boolean {
  run.charge(1);
  const x = asNumber(a);
  const y = asNumber(b);
  if (x !== undefined && y !== undefined) return compareNumbers(x, operator, y);
  if (isText(a) && isText(b)) {
    run.chargeText(Math.min(textOf(a).length, textOf(b).length));
    return DECIDE[operator](compareTexts(textOf(a), textOf(b)));
  }
  const pair = sameRows(a, b);
  if (pair) return itemsInOrder(run, operator, ...pair);
  if (a instanceof DictView && b instanceof DictView) return viewsInOrder(run, a, operator, b);
  const missing = [a, b].find((value) => value instanceof Undefined);
  if (missing) throw undefinedFault(missing);
  throw typeFault(`there is no order between a ${typeName(a)} and a ${typeName(b)}`);
}

/** Keys and pairs are sets: one is less than another if it is a part of it. */
function viewsInOrder(run: Run, a: DictView, operator: Ordering, b: DictView): boolean {
  if (a.part === "values" || b.part === "values") throw typeFault("there is no order between the values of dicts");
  const [small, large] = operator.startsWith("<") ? [a, b] : [b, a];
  const difference = small.dict.size - large.dict.size;
  if (difference > 0 || (difference === 0 && operator.length === 1)) return false;
  return [...each(run, small)].every((item) => contains(run, large, item));
}

function compareNumbers(a: bigint | number, operator: Ordering, b: bigint | number): boolean {
  if (operator === "<") return a < b;
  if (operator === "<=") return a <= b;
  return operator === ">" ? a > b : a >= b;
}

/** The first unequal elements decide, or else the lengths. */
function itemsInOrder(run: Run, operator: Ordering, ...[a, b]: Rows): boolean {
  return run.inValue(() => {
    for (let at = 0; at < Math.min(a.length, b.length); at++) {
      const [left, right] = [a[at] as Value, b[at] as Value];
      if (!same(run, left, right)) return inOrder(run, left, operator, right);
    }
    return DECIDE[operator](a.length - b.length);
  });
}

/** `item in container`. */
export function contains(run: Run, container: Value, item: Value): boolean {
  if (isText(container)) {
    if (!isText(item)) throw typeFault(`a ${typeName(item)} cannot be part of a text`);
    run.chargeText(textOf(container).length);
    return textOf(container).includes(textOf(item));
  }
  if (container instanceof Dict) return container.has(run, item);
  if (container instanceof DictView && container.part === "keys") return container.dict.has(run, item);
  if (container instanceof Range) return inRange(run, container, item);
  const items = itemsOf(container) ?? each(run, container);
  for (const candidate of items) if (same(run, candidate, item)) return true;
  return false;
}

function inRange(run: Run, range: Range, item: Value): boolean {
  run.charge(1);
  const number = asNumber(item);
  if (number === undefined || !Number.isInteger(Number(number))) return false;
  const offset = BigInt(number) - range.start;
  return offset % range.step === 0n && offset / range.step >= 0n && offset / range.step < range.length;
}

type Comparison = (run: Run, a: Value, b: Value) => boolean;

const COMPARISONS: Readonly<Record<string, Comparison>> = {
  "==": equals,
  "!=": (run, a, b) => !equals(run, a, b),
  in: (run, a, b) => contains(run, b, a),
  "not in": (run, a, b) => !contains(run, b, a),
};

/** What an operator of the grammar's comparisons does. */
export function comparisonOf(operator: string): Comparison {
  return COMPARISONS[operator] ?? ((run, a, b) => inOrder(run, a, operator as Ordering, b));
}

/** A stable sort in Python's order; equal elements keep their order also when it is reversed. */
export function sortValues<T>(run: Run, items: readonly T[], keyOf: (item: T) => Value, reverse: boolean): T[] {
  const sign = reverse ? -1 : 1;
  return items
    .map((item) => ({ item, key: keyOf(item) }))
    .sort((a, b) => {
      if (inOrder(run, a.key, "<", b.key)) return -sign;
      return inOrder(run, b.key, "<", a.key) ? sign : 0;
    })
    .map(({ item }) => item);
}
