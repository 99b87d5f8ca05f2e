// value[index] and value[start:stop:step].
// It knows the shapes of values; what happens when an element is missing is decided in attributes.ts.
import { Dict } from "./dict.ts";
import { Fault, typeFault } from "./jinja-error.ts";
import { asNumber, toCount } from "./numbers.ts";
import type { Run } from "./run.ts";
import { itemsOf, undefinedFault } from "./sequences.ts";
import { codePoints } from "./text.ts";
import { isText, Markup, Range, Tuple, textOf, typeName, Undefined, type Value } from "./values.ts";

/** @throws Fault TypeError, IndexError or KeyError, which Jinja2 takes for "undefined" */
export function itemOf(run: Run, target: Value, key: Value): Value {
  if (target instanceof Undefined) throw undefinedFault(target);
  if (target instanceof Dict) {
    const found = target.get(run, key);
    if (found === undefined) throw new Fault("KeyError", "the dict has no such key");
    return found;
  }
  const index = asNumber(key);
  if (typeof index !== "bigint") throw typeFault(`a ${typeName(target)} has no element with such a key`);
  if (target instanceof Range) return target.at(checkIndex(index, target.length));
  if (isText(target)) {
    run.chargeText(textOf(target).length);
    const characters = codePoints(textOf(target));
    const character = characters[Number(checkIndex(index, BigInt(characters.length)))] ?? "";
    return target instanceof Markup ? new Markup(character) : character;
  }
  const items = itemsOf(target);
  if (!items) throw typeFault(`a ${typeName(target)} has no elements`);
  return items[Number(checkIndex(index, BigInt(items.length)))] as Value;
}

function checkIndex(index: bigint, length: bigint): bigint {
  const position = index < 0n ? index + length : index;
  if (position < 0n || position >= length) throw new Fault("IndexError", "the index is out of range");
  return position;
}

export type SliceBounds = { readonly start: Value; readonly stop: Value; readonly step: Value };
type Steps = { first: bigint; end: bigint; step: bigint };

/** @throws Fault TypeError, ValueError or UndefinedError */
export function sliceOf(run: Run, target: Value, bounds: SliceBounds): Value {
  if (target instanceof Undefined) throw undefinedFault(target);
  if (isText(target)) {
    run.chargeText(textOf(target).length);
    const characters = codePoints(textOf(target));
    const text = pick(run, characters, resolve(bounds, characters.length)).join("");
    return target instanceof Markup ? new Markup(text) : text;
  }
  if (target instanceof Range) {
    const { first, end, step } = resolve(bounds, target.length);
    return new Range(target.at(first), target.at(end), target.step * step);
  }
  const items = itemsOf(target);
  if (!items) throw typeFault(`a ${typeName(target)} cannot be sliced`);
  const picked = pick(run, items, resolve(bounds, items.length));
  return target instanceof Tuple ? new Tuple(picked) : picked;
}

/** Python's rules for bounds that are missing, negative or out of range. */
function resolve(bounds: SliceBounds, size: number | bigint): Steps {
  const length = BigInt(size);
  const step = bound(bounds.step) ?? 1n;
  if (step === 0n) throw new Fault("ValueError", "the step of a slice is 0");
  const lowest = step < 0n ? -1n : 0n;
  const highest = step < 0n ? length - 1n : length;
  const place = (value: bigint | undefined, otherwise: bigint): bigint => {
    if (value === undefined) return otherwise;
    const position = value < 0n ? value + length : value;
    return position < lowest ? lowest : position > highest ? highest : position;
  };
  const [start, stop] = step < 0n ? [highest, lowest] : [lowest, highest];
  return { first: place(bound(bounds.start), start), end: place(bound(bounds.stop), stop), step };
}

function bound(value: Value): bigint | undefined {
  if (value === null) return undefined;
  const number = asNumber(value);
  if (typeof number === "bigint") return number;
  throw typeFault(`a ${typeName(value)} cannot be the bound of a slice`);
}

function pick<T>(run: Run, items: readonly T[], { first, end, step }: Steps): T[] {
  run.charge(1 + Math.floor(items.length / 64));
  if (step === 1n) return charged(run, items.slice(Number(first), Math.max(Number(first), Number(end))));
  // All in range of the items, but for the step.
  const [from, to, by] = [Number(first), Number(end), toCount(step)];
  const picked: T[] = [];
  for (let at = from; by > 0 ? at < to : at > to; at += by) picked.push(items[at] as T);
  return charged(run, picked);
}

/** By its size too: what is kept takes memory. */
function charged<T>(run: Run, items: T[]): T[] {
  run.charge(items.length / 16);
  return items;
}
