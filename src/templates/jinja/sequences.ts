// What has elements: how to walk, count and collect them, as Python's iter(), len() and list() do.
// It knows the shapes of values; every element that is walked is charged.
import { Dict } from "./dict.ts";
import { Fault, typeFault } from "./jinja-error.ts";
import { viewElements } from "./printing.ts";
import type { Run } from "./run.ts";
import { codePointCount, codePoints } from "./text.ts";
import { DictView, isText, Opaque, Range, Tuple, textOf, typeName, Undefined, type Value } from "./values.ts";

/** Walks lazily. A list that grows meanwhile is walked to its new end; a dict must not change its size. */
export function iterate(run: Run, value: Value): Iterator<Value, void, undefined> {
  if (Array.isArray(value)) return walkList(run, value);
  if (value instanceof Tuple) return walkList(run, value.items);
  if (isText(value)) return charged(run, codePoints(textOf(value)).values());
  if (value instanceof Dict) return walkView(run, new DictView(value, "keys"));
  if (value instanceof DictView) return walkView(run, value);
  if (value instanceof Range) return walkRange(run, value);
  if (value instanceof Undefined) return [].values();
  if (value instanceof Opaque && value.walk) return value.walk(run);
  throw typeFault(`a ${typeName(value)} has no elements to go through`);
}

function* walkList(run: Run, list: readonly Value[]): Generator<Value, void, undefined> {
  for (let at = 0; at < list.length; at++) {
    run.charge(1);
    yield list[at] as Value;
  }
}

function* charged(run: Run, items: Iterable<Value>): Generator<Value, void, undefined> {
  for (const item of items) {
    run.charge(1);
    yield item;
  }
}

function* walkView(run: Run, view: DictView): Generator<Value, void, undefined> {
  const { size } = view.dict;
  for (const item of charged(run, { [Symbol.iterator]: () => viewElements(view) })) {
    yield item;
    if (view.dict.size !== size) throw new Fault("RuntimeError", "a dict changed its size while it was gone through");
  }
}

function* walkRange(run: Run, range: Range): Generator<Value, void, undefined> {
  const { length } = range;
  for (let index = 0n; index < length; index++) {
    run.charge(1);
    yield range.at(index);
  }
}

/** An iterable for JavaScript's own loops. Leaving such a loop early must not end a stream, so `return` is not passed on. */
export function each(run: Run, value: Value): Iterable<Value> {
  const iterator = iterate(run, value);
  return { [Symbol.iterator]: () => ({ next: () => iterator.next() }) };
}

/** All elements in a new array, within the bound on sequences. */
export function collect(run: Run, value: Value): Value[] {
  const items: Value[] = [];
  for (const item of each(run, value)) {
    run.checkGrowth(items.length + 1);
    items.push(item);
  }
  return items;
}

/** The number of elements, or undefined where Python has no len(). */
export function lengthOf(run: Run, value: Value): bigint | undefined {
  if (value instanceof Range) return value.length;
  if (value instanceof Opaque) return toBigInt(value.count?.(run));
  if (!isText(value)) return toBigInt(sizeOf(value));
  run.chargeText(textOf(value).length);
  return BigInt(codePointCount(textOf(value)));
}

const toBigInt = (size: number | undefined): bigint | undefined => (size === undefined ? undefined : BigInt(size));

export function requireLength(run: Run, value: Value): bigint {
  const length = lengthOf(run, value);
  if (length === undefined) throw typeFault(`a ${typeName(value)} has no length`);
  return length;
}

export const isIterable = (value: Value): boolean =>
  isText(value) || (value instanceof Opaque ? value.walk !== undefined : sizeOf(value) !== undefined);

/** The items of a list or tuple. */
export function itemsOf(value: Value): readonly Value[] | undefined {
  if (Array.isArray(value)) return value;
  return value instanceof Tuple ? value.items : undefined;
}

export function isTrue(value: Value): boolean {
  if (value === null || typeof value === "boolean") return value === true;
  if (typeof value === "bigint") return value !== 0n;
  if (typeof value === "number") return value !== 0;
  return isText(value) ? textOf(value) !== "" : sizeOf(value) !== 0;
}

/** The size of a container; undefined for what has none, which is true. */
function sizeOf(value: Value): number | undefined {
  if (Array.isArray(value)) return value.length;
  if (value instanceof Tuple) return value.items.length;
  if (value instanceof Dict) return value.size;
  if (value instanceof DictView) return value.dict.size;
  if (value instanceof Range) return Number(value.length);
  return value instanceof Undefined ? 0 : undefined;
}

export function undefinedFault(value: Undefined): Fault {
  return new Fault("UndefinedError", value.message);
}
