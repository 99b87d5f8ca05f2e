// The filters that count, cut, order and gather elements.
// It knows sequences and the order of values.
import { calculate } from "./arithmetic.ts";
import { pathReader } from "./attribute-path.ts";
import { Dict } from "./dict.ts";
import { joinTexts } from "./escaping.ts";
import { Fault, typeFault } from "./jinja-error.ts";
import { asNumber, toCount } from "./numbers.ts";
import type { Run } from "./run.ts";
import { collect, each, isIterable, itemsOf, lengthOf, requireLength } from "./sequences.ts";
import type { Definitions } from "./signature.ts";
import { codePoints } from "./text.ts";
import {
  isText,
  Markup,
  Opaque,
  orMissing,
  Range,
  Stream,
  Tuple,
  textOf,
  typeName,
  Undefined,
  type Value,
} from "./values.ts";

/** A size that is no number is never reached, as in Jinja2, which only compares with it. */
function* batch(run: Run, value: Value, linecount: Value, fill: Value): Generator<Value, void, undefined> {
  const size = Number(asNumber(linecount) ?? Number.NaN);
  let group: Value[] = [];
  for (const item of each(run, value)) {
    if (group.length === size) {
      yield group;
      group = [];
    }
    run.checkGrowth(group.length + 1);
    group.push(item);
  }
  if (group.length === 0) return;
  if (fill !== null && group.length < toCount(linecount)) {
    run.checkSequence(size);
    while (group.length < size) group.push(fill);
  }
  yield group;
}

/** `count` columns; the first ones take one element more where it does not divide evenly. */
function* slice(run: Run, value: Value, count: number, fill: Value): Generator<Value, void, undefined> {
  const items = collect(run, value);
  if (count === 0) throw new Fault("ZeroDivisionError", "a list cannot be cut into 0 slices");
  const size = Math.floor(items.length / count);
  const longer = items.length - size * count;
  let at = 0;
  for (let column = 0; column < count; column++) {
    run.charge(1);
    const end = at + size + (column < longer ? 1 : 0);
    const part = items.slice(at, end);
    if (fill !== null && column >= longer) part.push(fill);
    at = end;
    yield part;
  }
}

function first(run: Run, value: Value): Value {
  for (const item of each(run, value)) return item;
  return new Undefined("there is no first item, the sequence was empty");
}

function last(run: Run, value: Value): Value {
  if (!isText(value) && lengthOf(run, value) === undefined)
    throw typeFault(`a ${typeName(value)} cannot be read backwards`);
  return orMissing(collect(run, value).at(-1), "there is no last item, the sequence was empty");
}

function reverse(run: Run, value: Value): Value {
  if (isText(value)) {
    run.chargeText(textOf(value).length);
    const reversed = codePoints(textOf(value)).reverse().join("");
    return value instanceof Markup ? new Markup(reversed) : reversed;
  }
  if (!isIterable(value)) throw typeFault(`a ${typeName(value)} cannot be reversed`);
  const reversed = collect(run, value).reverse();
  return value instanceof Opaque ? reversed : new Stream("list_reverseiterator", reversed.values());
}

function sum(run: Run, value: Value, attribute: Value, start: Value): Value {
  if (isText(start)) throw typeFault("texts cannot be summed up; join them instead");
  const read = pathReader(run, attribute);
  let total = start as Value; // not only what the check above leaves
  for (const item of each(run, value)) total = calculate(run, "+", total, read(item));
  return total;
}

function join(run: Run, value: Value, separator: Value, attribute: Value): Value {
  const read = pathReader(run, attribute);
  const items = collect(run, value).map(read);
  return joinTexts(run, items, separator);
}

function random(run: Run, value: Value): Value {
  const isRow = isText(value) || value instanceof Range || value instanceof Undefined;
  const items = isRow ? collect(run, value) : itemsOf(value);
  if (!items) throw typeFault(`nothing can be drawn from a ${typeName(value)}`);
  return orMissing(items[Math.floor(Math.random() * items.length)], "there is no random item, the sequence was empty");
}

function* items(run: Run, value: Value): Generator<Value, void, undefined> {
  if (value instanceof Undefined) return;
  if (!(value instanceof Dict)) throw typeFault(`a ${typeName(value)} has no pairs`);
  for (const [key, item] of value.entries()) {
    run.charge(1);
    yield new Tuple([key, item]);
  }
}

export const SEQUENCE_FILTERS: Definitions = {
  batch: [
    "value linecount fill_with=",
    (run, value, size, fill = null) => new Stream("generator", batch(run, value, size, fill), "do_batch"),
  ],
  count: ["value", requireLength],
  first: ["seq", first],
  items: ["value", (run, value) => new Stream("generator", items(run, value), "do_items")],
  join: [
    "value d= attribute=",
    (run, value, separator = "", attribute = null) => join(run, value, separator, attribute),
  ],
  last: ["seq", last],
  length: ["value", requireLength],
  list: ["value", collect],
  random: ["seq", random],
  reverse: ["value", reverse],
  slice: [
    "value slices fill_with=",
    (run, value, count, fill = null) =>
      new Stream("generator", slice(run, value, toCount(count), fill), "sync_do_slice"),
  ],
  sum: ["iterable attribute= start=", (run, value, attribute = null, start = 0n) => sum(run, value, attribute, start)],
};
