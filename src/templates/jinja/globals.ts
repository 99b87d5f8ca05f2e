// The functions that every template has: range, dict, namespace, cycler, joiner, lipsum.
// It knows which values they make.
import { Dict } from "./dict.ts";
import { valueFault } from "./jinja-error.ts";
import { loremIpsum } from "./lorem-ipsum.ts";
import { fromKeys, updateDict } from "./methods-dict.ts";
import { Cycler, Joiner, Namespace } from "./namespace.ts";
import { toInteger } from "./numbers.ts";
import type { Run } from "./run.ts";
import { itemsOf } from "./sequences.ts";
import { native } from "./signature.ts";
import { Callable, objectText, Range, type Value } from "./values.ts";

function makeRange(start: Value, ...[stop, step = 1n]: (Value | undefined)[]): Range {
  const stride = toInteger(step);
  if (stride === 0n) throw valueFault("the step of a range is 0");
  return stop === undefined
    ? new Range(0n, toInteger(start), 1n)
    : new Range(toInteger(start), toInteger(stop), stride);
}

function makeDict(run: Run, source: Value | undefined, named: Value): Dict {
  const dict = new Dict();
  updateDict(run, dict, source, named);
  return dict;
}

/** `dict` has one function of its own. */
class DictType extends Callable {
  override attribute(_run: Run, name: string): Value | undefined {
    const keys = native("fromkeys", "keys value= /", (run, values, value = null) => fromKeys(run, values, value));
    return name === "fromkeys"
      ? new Callable("fromkeys", keys, objectText("built-in method fromkeys of type object"))
      : undefined;
  }
}

const GLOBALS: readonly Callable[] = [
  new Callable(
    "lipsum",
    native("lipsum", "n= html= min= max=", loremIpsum),
    objectText("function generate_lorem_ipsum"),
  ),
  new Callable(
    "range",
    native("range", "start stop= step= /", (_run, start, ...more) => makeRange(start, ...more)),
    "<class 'range'>",
  ),
  new DictType(
    "dict",
    native("dict", "source= / **named", (run, source, named) => makeDict(run, source, named)),
    "<class 'dict'>",
  ),
  new Callable(
    "namespace",
    native("namespace", "source= / **fields", (run, source, fields) => new Namespace(makeDict(run, source, fields))),
    "<class 'jinja2.utils.Namespace'>",
  ),
  new Callable(
    "cycler",
    native("cycler", "*items", (_run, items) => new Cycler(itemsOf(items) ?? [])),
    "<class 'jinja2.utils.Cycler'>",
  ),
  new Callable(
    "joiner",
    native("joiner", "sep=", (_run, separator = ", ") => new Joiner(separator)),
    "<class 'jinja2.utils.Joiner'>",
  ),
];

export const globalNames = (): Map<string, Value> => new Map(GLOBALS.map((one) => [one.name, one]));
