// value.name and value[key]: what templates may see of a value, and nothing else.
// Names are looked up in tables of our own, never in a host object. Names that Python reserves (__x__) are refused, but for the name
// of a class: they are how templates break out.

import { classOf } from "./class-names.ts";
import { escapeValue } from "./escaping.ts";
import { BraceFormat, type FormatValues, namedValues } from "./format-braces.ts";
import { formatValue } from "./format-spec.ts";
import { Fault, isFault, valueFault } from "./jinja-error.ts";
import { DICT_METHODS, requireDict } from "./methods-dict.ts";
import { LIST_METHODS, RANGE_METHODS, TUPLE_METHODS } from "./methods-list.ts";
import { FLOAT_METHODS, INTEGER_METHODS, numberProperty } from "./methods-number.ts";
import { isMarkupMethod, MARKUP_METHODS, TEXT_METHODS } from "./methods-text.ts";
import { quote } from "./printing.ts";
import type { NativeTable, Run } from "./run.ts";
import { itemsOf, undefinedFault } from "./sequences.ts";
import { nativeTable } from "./signature.ts";
import { itemOf, type SliceBounds, sliceOf } from "./subscripts.ts";
import { requireText } from "./text-values.ts";
import {
  Callable,
  isText,
  Markup,
  Opaque,
  objectText,
  orMissing,
  Range,
  Tuple,
  typeName,
  Undefined,
  type Value,
} from "./values.ts";

/** Formatting reads attributes too, so that it is here and not with the other methods of texts. */
function format(run: Run, self: Value, values: FormatValues): Value {
  const escaping = self instanceof Markup;
  const rules = { attribute: pythonAttribute, text: escaping ? formatEscaped : formatValue };
  const text = new BraceFormat(run, values, rules).format(requireText(self));
  return escaping ? new Markup(text) : text;
}

/** What enters Markup is formatted first and then escaped; Markup itself takes no specification. */
function formatEscaped(run: Run, value: Value, specification: string): string {
  if (!(value instanceof Markup)) return escapeValue(run, formatValue(run, value, specification)).text;
  if (specification !== "") throw valueFault("Markup takes no format specification");
  return value.text;
}

const FORMAT_METHODS: NativeTable = nativeTable({
  format: [
    "self / *values **named",
    (run, self, values, named) => format(run, self, { positional: itemsOf(values) ?? [], named: requireDict(named) }),
  ],
  format_map: ["self mapping /", (run, self, mapping) => format(run, self, namedValues(mapping))],
});

const METHODS: ReadonlyMap<string, NativeTable> = new Map(
  Object.entries({
    str: new Map([...TEXT_METHODS, ...FORMAT_METHODS]),
    Markup: new Map([...MARKUP_METHODS, ...FORMAT_METHODS]),
    list: LIST_METHODS,
    tuple: TUPLE_METHODS,
    dict: DICT_METHODS,
    range: RANGE_METHODS,
    int: INTEGER_METHODS,
    bool: INTEGER_METHODS,
    float: FLOAT_METHODS,
  }),
);

/** Names with two underscores that Python's values do not have: they are missing there, and here too. */
const ABSENT_IN_PYTHON = new Set([
  "__proto__",
  "__defineGetter__",
  "__defineSetter__",
  "__lookupGetter__",
  "__lookupSetter__",
]);

/** The names that Python reserves and that are harmless here: `value.__class__.__name__`. */
const HARMLESS = new Set(["__class__", "__name__"]);

/** @throws Fault Unsupported, instead of a value that is missing here and in Python leads to its inside */
export function refuseReserved(run: Run, value: Value, name: string): void {
  if (!/^__.*__$/.test(name) || ABSENT_IN_PYTHON.has(name)) return;
  if (!HARMLESS.has(name) || pythonAttribute(run, value, name) === undefined)
    throw new Fault("Unsupported", `the attribute '${name.slice(0, 60)}' is not open to templates`);
}

/** A method or property. Undefined (JavaScript's) if the value has none of that name. */
export function pythonAttribute(run: Run, value: Value, name: string): Value | undefined {
  if (value instanceof Opaque) return value.attribute(run, name);
  const type = typeName(value);
  const method = METHODS.get(type)?.get(name);
  if (method) {
    const call: Callable["call"] = (running, { positional, named }) =>
      method(running, { positional: [value, ...positional], named });
    return new Callable(name, call, methodText(value, name));
  }
  return propertyOf(value, name);
}

/** The methods that Markup has of its own are Python's, and print their value. */
function methodText(value: Value, name: string): string {
  if (value instanceof Markup && isMarkupMethod(name))
    return `<bound method Markup.${name} of Markup(${quote(value.text)})>`;
  return objectText(`built-in method ${name} of ${typeName(value)} object`);
}

function propertyOf(value: Value, name: string): Value | undefined {
  if (name === "__class__") return classOf(value);
  if (value instanceof Tuple) {
    const at = value.names.indexOf(name);
    return at < 0 ? undefined : value.items[at];
  }
  if (value instanceof Range) return name === "start" || name === "stop" || name === "step" ? value[name] : undefined;
  return numberProperty(value, name);
}

const describe = (value: Value): string => (value === null ? "None" : `the ${typeName(value)}`);

/** `value.name`: an attribute, or else an element with that key. @throws Fault */
export function getAttribute(run: Run, value: Value, name: string): Value {
  run.charge(1);
  refuseReserved(run, value, name);
  if (value instanceof Undefined) throw undefinedFault(value);
  const attribute = pythonAttribute(run, value, name);
  const found = attribute === undefined ? tryItem(run, value, name) : attribute;
  return orMissing(found, `${describe(value)} has no attribute '${name}'`);
}

/** `value[key]`: an element, or else an attribute of that name. @throws Fault */
export function getItem(run: Run, value: Value, key: Value): Value {
  run.charge(1);
  if (value instanceof Undefined) throw undefinedFault(value);
  const found = tryItem(run, value, key);
  if (found !== undefined) return found;
  if (!isText(key)) return new Undefined(`${describe(value)} has no such element`);
  const name = typeof key === "string" ? key : key.text;
  refuseReserved(run, value, name);
  return orMissing(pythonAttribute(run, value, name), `${describe(value)} has no attribute '${name.slice(0, 60)}'`);
}

function tryItem(run: Run, value: Value, key: Value): Value | undefined {
  try {
    return itemOf(run, value, key);
  } catch (error) {
    if (isFault(error, "TypeError", "IndexError", "KeyError", "AttributeError")) return undefined;
    throw error;
  }
}

/** `value[start:stop:step]`. `lenient` stands for a slice of constants, which Jinja2 looks up as an element. @throws Fault */
export function getSlice(run: Run, value: Value, bounds: SliceBounds, lenient: boolean): Value {
  run.charge(1);
  try {
    return sliceOf(run, value, bounds);
  } catch (error) {
    if (lenient && isFault(error, "TypeError")) return new Undefined(`${describe(value)} has no such element`);
    throw error;
  }
}
