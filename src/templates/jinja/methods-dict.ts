// The methods of Python's dict.
// It knows dicts and what can become one.
import { Dict } from "./dict.ts";
import { Fault, typeFault, valueFault } from "./jinja-error.ts";
import type { NativeTable, Run } from "./run.ts";
import { collect, each, undefinedFault } from "./sequences.ts";
import { nativeTable } from "./signature.ts";
import { DictView, orElse, Tuple, Undefined, type Value } from "./values.ts";

/** The table is reached only through a dict. */
const dict = (value: Value): Dict => value as Dict;

/** Puts into a dict what another dict, or pairs, or named values hold. */
export function updateDict(run: Run, target: Dict, source: Value | undefined, named?: Value): void {
  if (source instanceof Undefined) throw undefinedFault(source);
  const pairs = source instanceof Dict ? [...source.entries()] : pairsOf(run, source);
  for (const [key, value] of pairs) target.set(run, key, value);
  if (named instanceof Dict) for (const [key, value] of named.entries()) target.set(run, key, value);
}

function* pairsOf(run: Run, source: Value | undefined): Generator<[Value, Value], void, undefined> {
  if (source === undefined) return;
  for (const pair of each(run, source)) {
    const [key, value, ...more] = collect(run, pair);
    if (key === undefined || value === undefined || more.length > 0) throw valueFault("a dict is made from pairs");
    yield [key, value];
  }
}

export function copyDict(run: Run, source: Dict): Dict {
  const copy = new Dict();
  updateDict(run, copy, source);
  return copy;
}

function popItem(run: Run, self: Dict): Value {
  run.charge(1 + Math.floor(self.size / 16));
  let last: [Value, Value] | undefined;
  for (const entry of self.entries()) last = entry;
  if (!last) throw new Fault("KeyError", "the dict is empty");
  self.delete(run, last[0]);
  return new Tuple(last);
}

function pop(run: Run, self: Dict, key: Value, otherwise: Value | undefined): Value {
  const found = self.delete(run, key);
  const value = found === undefined ? otherwise : found;
  if (value === undefined) throw new Fault("KeyError", "the dict has no such key");
  return value;
}

export const DICT_METHODS: NativeTable = nativeTable({
  clear: [
    "self /",
    (_run, self) => {
      dict(self).clear();
      return null;
    },
  ],
  copy: ["self /", (run, self) => copyDict(run, dict(self))],
  fromkeys: ["self keys value= /", (run, _self, keys, value = null) => fromKeys(run, keys, value)],
  get: ["self key otherwise= /", (run, self, key, otherwise = null) => orElse(dict(self).get(run, key), otherwise)],
  items: ["self /", (_run, self) => new DictView(dict(self), "items")],
  keys: ["self /", (_run, self) => new DictView(dict(self), "keys")],
  pop: ["self key otherwise= /", (run, self, key, ...[otherwise]) => pop(run, dict(self), key, otherwise)],
  popitem: ["self /", (run, self) => popItem(run, dict(self))],
  setdefault: [
    "self key value= /",
    (run, self, key, value = null) => {
      const found = dict(self).get(run, key);
      if (found === undefined) dict(self).set(run, key, value);
      return orElse(found, value);
    },
  ],
  update: [
    "self source= / **named",
    (run, self, ...[source, named]) => {
      updateDict(run, dict(self), source, named);
      return null;
    },
  ],
  values: ["self /", (_run, self) => new DictView(dict(self), "values")],
});

export function fromKeys(run: Run, keys: Value, value: Value): Dict {
  const result = new Dict();
  for (const key of each(run, keys)) result.set(run, key, value);
  return result;
}

/** Named arguments come as a dict with texts for keys; `**value` needs that. @throws Fault TypeError */
export function requireDict(value: Value): Dict {
  if (!(value instanceof Dict)) throw typeFault("named values must come as a dict");
  return value;
}
