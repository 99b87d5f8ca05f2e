// The filters that apply another filter or test to each element: map, select, reject and their like; and attr.
// It knows how their arguments name what is applied.

import { pathReader } from "./attribute-path.ts";
import { pythonAttribute, refuseReserved } from "./attributes.ts";
import { callNamed } from "./calls.ts";
import { Dict } from "./dict.ts";
import { typeFault } from "./jinja-error.ts";
import type { Run } from "./run.ts";
import { each, isTrue, itemsOf, undefinedFault } from "./sequences.ts";
import type { Definitions, NativeBody } from "./signature.ts";
import { requireText } from "./text-values.ts";
import { isText, orMissing, Stream, textOf, Undefined, type Value } from "./values.ts";

type Apply = (item: Value) => Value;

function namedOf(named: Value): Map<string, Value> {
  const values = new Map<string, Value>();
  if (named instanceof Dict)
    for (const [key, value] of named.entries()) if (isText(key)) values.set(textOf(key), value);
  return values;
}

function applied(run: Run, kind: "filter" | "test", rest: readonly Value[], named: Value): Apply | undefined {
  const [name, ...others] = rest;
  if (name === undefined) return undefined;
  if (!isText(name)) throw typeFault(`the name of a ${kind} must be a text`);
  const values = namedOf(named);
  return (item) => callNamed(run, kind, textOf(name), { positional: [item, ...others], named: values });
}

const nonNull = (value: Value | undefined): Value | undefined => (value === null ? undefined : value);

/** `map(attribute=…, default=…)` or `map("filter", …)`. */
function mapping(run: Run, rest: readonly Value[], named: Value): Apply {
  const values = namedOf(named);
  const attribute = values.get("attribute");
  if (rest.length > 0 || attribute === undefined) {
    const apply = applied(run, "filter", rest, named);
    if (!apply) throw typeFault("map needs the name of a filter, or an attribute");
    return apply;
  }
  const unknown = [...values.keys()].find((key) => key !== "attribute" && key !== "default");
  if (unknown !== undefined) throw typeFault(`map has no parameter '${unknown}'`);
  return pathReader(run, attribute, nonNull(values.get("default")));
}

function* map(run: Run, value: Value, rest: readonly Value[], named: Value): Generator<Value, void, undefined> {
  if (!isTrue(value)) return;
  const apply = mapping(run, rest, named);
  for (const item of each(run, value)) yield apply(item);
}

type Choice = { readonly keep: boolean; readonly byAttribute: boolean };

function* choose(
  run: Run,
  value: Value,
  { keep, byAttribute }: Choice,
  given: Value[],
): Generator<Value, void, undefined> {
  if (!isTrue(value)) return;
  const [rest = null, named = null] = given;
  const names = [...(itemsOf(rest) ?? [])];
  const attribute = byAttribute ? names.shift() : null;
  if (attribute === undefined) throw typeFault("the name of the attribute is missing");
  const read = pathReader(run, attribute);
  const test = applied(run, "test", names, named) ?? ((item: Value): Value => item);
  for (const item of each(run, value)) if (isTrue(test(read(item))) === keep) yield item;
}

const chooser =
  (choice: Choice): NativeBody =>
  (run, value, ...given) =>
    new Stream("generator", choose(run, value, choice, given), "select_or_reject");

function attr(run: Run, value: Value, name: Value): Value {
  if (value instanceof Undefined) throw undefinedFault(value);
  const key = requireText(name);
  refuseReserved(run, value, key);
  return orMissing(pythonAttribute(run, value, key), `the value has no attribute '${key.slice(0, 60)}'`);
}

const SIGNATURE = "value *rest **named";

export const SELECT_FILTERS: Definitions = {
  attr: ["obj name", attr],
  map: [
    SIGNATURE,
    (run, value, rest, named) => new Stream("generator", map(run, value, itemsOf(rest) ?? [], named), "sync_do_map"),
  ],
  reject: [SIGNATURE, chooser({ keep: false, byAttribute: false })],
  rejectattr: [SIGNATURE, chooser({ keep: false, byAttribute: true })],
  select: [SIGNATURE, chooser({ keep: true, byAttribute: false })],
  selectattr: [SIGNATURE, chooser({ keep: true, byAttribute: true })],
};
