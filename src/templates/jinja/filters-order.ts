// The filters that depend on the order or the equality of elements: sort, min, max, unique, groupby, dictsort.
// It knows values and their order.
import { pathReader, pathsReader } from "./attribute-path.ts";
import { lowerCase } from "./casing.ts";
import { inOrder, sortValues } from "./comparison.ts";
import { Dict } from "./dict.ts";
import { typeFault } from "./jinja-error.ts";
import { toInteger } from "./numbers.ts";
import type { Run } from "./run.ts";
import { collect, each, isTrue } from "./sequences.ts";
import type { Definitions } from "./signature.ts";
import { isText, orMissing, Stream, Tuple, textOf, typeName, type Value } from "./values.ts";

/** Texts are compared without their case, unless it matters. */
export const foldCase = (value: Value): Value => (isText(value) ? lowerCase(textOf(value)) : value);

export const foldUnless = (caseMatters: Value): ((value: Value) => Value) =>
  isTrue(caseMatters) ? (value) => value : foldCase;

type Keyed = { readonly caseMatters: Value; readonly attribute: Value };

function extreme(run: Run, value: Value, { caseMatters, attribute }: Keyed, operator: "<" | ">"): Value {
  const read = pathReader(run, attribute);
  const fold = foldUnless(caseMatters);
  let best: { item: Value; key: Value } | undefined;
  for (const item of each(run, value)) {
    const key = fold(read(item));
    if (!best || inOrder(run, key, operator, best.key)) best = { item, key };
  }
  return orMissing(best?.item, "there is no item, the sequence was empty");
}

/** Python wants an integer here, as which a bool counts. @throws Fault TypeError */
const isReversed = (value: Value): boolean => toInteger(value) !== 0n;

function sort(
  run: Run,
  value: Value,
  ...[reversed = false, caseMatters = false, attribute = null]: (Value | undefined)[]
): Value {
  const read = pathsReader(run, attribute);
  const fold = foldUnless(caseMatters);
  const keyOf = (item: Value): Value => read(item).map(fold);
  return sortValues(run, collect(run, value), keyOf, isReversed(reversed));
}

function* unique(run: Run, value: Value, caseMatters: Value, attribute: Value): Generator<Value, void, undefined> {
  const read = pathReader(run, attribute);
  const fold = foldUnless(caseMatters);
  const seen = new Dict();
  for (const item of each(run, value)) {
    const key = fold(read(item));
    if (seen.has(run, key)) continue;
    seen.set(run, key, true);
    yield item;
  }
}

function groupBy(
  run: Run,
  value: Value,
  ...[attribute = null, otherwise = null, caseMatters = false]: (Value | undefined)[]
): Value {
  const read = pathReader(run, attribute, otherwise === null ? undefined : otherwise);
  const fold = foldUnless(caseMatters);
  const groups: { key: Value; folded: Value; items: Value[] }[] = [];
  for (const item of sortValues(run, collect(run, value), (one) => fold(read(one)), false)) {
    const key = read(item);
    const folded = fold(key);
    const group = groups.at(-1);
    if (group && !inOrder(run, group.folded, "<", folded)) group.items.push(item);
    else groups.push({ key, folded, items: [item] });
  }
  return groups.map(({ key, items }) => new Tuple([key, items], ["grouper", "list"]));
}

function dictSort(
  run: Run,
  value: Value,
  ...[caseMatters = false, by = "key", reversed = false]: (Value | undefined)[]
): Value {
  if (!(value instanceof Dict)) throw typeFault(`a ${typeName(value)} is no dict`);
  if (by !== "key" && by !== "value") throw typeFault("dictsort sorts by 'key' or by 'value'");
  const fold = foldUnless(caseMatters);
  const pairs = Array.from(value.entries(), ([key, item]) => new Tuple([key, item]));
  return sortValues(run, pairs, (pair) => fold(pair.items[by === "key" ? 0 : 1] as Value), isReversed(reversed));
}

export const ORDER_FILTERS: Definitions = {
  dictsort: ["value case_sensitive= by= reverse=", dictSort],
  groupby: ["value attribute default= case_sensitive=", groupBy],
  max: [
    "value case_sensitive= attribute=",
    (run, value, ...[caseMatters = false, attribute = null]) => extreme(run, value, { caseMatters, attribute }, ">"),
  ],
  min: [
    "value case_sensitive= attribute=",
    (run, value, ...[caseMatters = false, attribute = null]) => extreme(run, value, { caseMatters, attribute }, "<"),
  ],
  sort: ["value reverse= case_sensitive= attribute=", sort],
  unique: [
    "value case_sensitive= attribute=",
    (run, value, caseMatters = false, attribute = null) =>
      new Stream("generator", unique(run, value, caseMatters, attribute), "sync_do_unique"),
  ],
};
