// Reads what filters call `attribute`: a name, a number, or a path of them with dots between.
// It knows paths; how one part is read is in attributes.ts.
import { getItem } from "./attributes.ts";
import { asNumber } from "./numbers.ts";
import { toText } from "./printing.ts";
import type { Run } from "./run.ts";
import { Undefined, type Value } from "./values.ts";

export type ReadPath = (value: Value) => Value;

const partsOf = (path: string): Value[] => path.split(".").map((part) => (/^\d+$/.test(part) ? BigInt(part) : part));

/** Without an attribute, the value itself. `otherwise` replaces what is missing. */
export function pathReader(run: Run, attribute: Value, otherwise?: Value): ReadPath {
  if (attribute === null) return (value) => value;
  const parts = asNumber(attribute) === undefined ? partsOf(toText(run, attribute)) : [attribute];
  return (value) =>
    parts.reduce<Value>((current, part) => {
      const found = getItem(run, current, part);
      return otherwise !== undefined && found instanceof Undefined ? otherwise : found;
    }, value);
}

/** Sorting takes several paths, with commas between. What is sorted by is always a list, so that two missing values are equal. */
export function pathsReader(run: Run, attribute: Value): (value: Value) => Value[] {
  const paths = typeof attribute === "string" ? attribute.split(",") : [attribute];
  const readers = paths.map((path) => pathReader(run, path));
  return (value) => readers.map((read) => read(value));
}
