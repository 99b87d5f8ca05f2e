// The methods of Python's list, tuple and range.
// It knows values and the order of values. Changes in place keep to the bound on sequences.

import { callValue } from "./calls.ts";
import { equals, sortValues } from "./comparison.ts";
import { Fault, valueFault } from "./jinja-error.ts";
import { toCount, toInteger } from "./numbers.ts";
import type { NativeTable, Run } from "./run.ts";
import { collect, itemsOf } from "./sequences.ts";
import { type Definitions, nativeTable } from "./signature.ts";
import { NO_ARGUMENTS, type Value } from "./values.ts";

/** The table is reached only through a value of the right type. */
const list = (value: Value): Value[] => value as Value[];

function find(run: Run, items: readonly Value[], wanted: Value): number {
  return items.findIndex((item) => Object.is(item, wanted) || equals(run, item, wanted));
}

function count(run: Run, items: readonly Value[], wanted: Value): bigint {
  return BigInt(items.filter((item) => Object.is(item, wanted) || equals(run, item, wanted)).length);
}

/** A position as Python's slices take it: negative ones count from the end, and none is out of range. */
function clamp(position: number, length: number): number {
  return Math.max(0, Math.min(length, position < 0 ? position + length : position));
}

function index(run: Run, items: readonly Value[], wanted: Value, ...[start = 0n, stop]: (Value | undefined)[]): bigint {
  const from = clamp(toCount(start), items.length);
  const to = stop === undefined ? items.length : clamp(toCount(stop), items.length);
  const found = find(run, items.slice(from, to), wanted);
  if (found < 0) throw valueFault("the value is not in the list");
  return BigInt(from + found);
}

function pop(run: Run, items: Value[], position: Value = -1n): Value {
  const at = toCount(position);
  const place = at < 0 ? at + items.length : at;
  const item = items[place];
  if (item === undefined) throw new Fault("IndexError", "the list has no element to pop there");
  run.charge(1 + Math.floor(items.length / 64));
  items.splice(place, 1);
  return item;
}

function sort(run: Run, items: Value[], key: Value, reverse: Value): void {
  const keyOf = (item: Value): Value =>
    key === null ? item : callValue(run, key, { ...NO_ARGUMENTS, positional: [item] });
  const sorted = sortValues(run, items, keyOf, toInteger(reverse) !== 0n);
  items.splice(0, items.length);
  for (const item of sorted) items.push(item);
}

const SHARED: Definitions = {
  count: ["self value /", (run, self, value) => count(run, itemsOf(self) ?? [], value)],
  index: [
    "self value start= stop= /",
    (run, self, value, ...range) => index(run, itemsOf(self) ?? [], value, ...range),
  ],
};

const CHANGES: Definitions = {
  append: [
    "self value /",
    (run, self, value) => {
      run.checkGrowth(list(self).length + 1);
      list(self).push(value);
      return null;
    },
  ],
  clear: [
    "self /",
    (_run, self) => {
      list(self).length = 0;
      return null;
    },
  ],
  copy: [
    "self /",
    (run, self) => {
      run.checkSequence(list(self).length);
      return [...list(self)];
    },
  ],
  extend: [
    "self values /",
    (run, self, values) => {
      const added = collect(run, values);
      run.checkSequence(list(self).length + added.length);
      for (const item of added) list(self).push(item);
      return null;
    },
  ],
  insert: [
    "self position value /",
    (run, self, position, value) => {
      run.checkGrowth(list(self).length + 1);
      run.charge(1 + Math.floor(list(self).length / 64));
      list(self).splice(clamp(toCount(position), list(self).length), 0, value);
      return null;
    },
  ],
  pop: ["self position= /", (run, self, position) => pop(run, list(self), position)],
  remove: [
    "self value /",
    (run, self, value) => {
      const at = find(run, list(self), value);
      if (at < 0) throw valueFault("the value is not in the list");
      list(self).splice(at, 1);
      return null;
    },
  ],
  reverse: [
    "self /",
    (run, self) => {
      run.charge(1 + Math.floor(list(self).length / 64));
      list(self).reverse();
      return null;
    },
  ],
  sort: [
    "self / * key= reverse=",
    (run, self, key = null, reverse = false) => {
      sort(run, list(self), key, reverse);
      return null;
    },
  ],
};

export const LIST_METHODS: NativeTable = nativeTable(SHARED, CHANGES);
export const TUPLE_METHODS: NativeTable = nativeTable(SHARED);
export const RANGE_METHODS: NativeTable = nativeTable({
  count: ["self value /", (run, self, value) => count(run, collect(run, self), value)],
  index: ["self value /", (run, self, value) => index(run, collect(run, self), value)],
});
