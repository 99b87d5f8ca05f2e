// The methods of Python's str that change or cut a text; the others come from the files beside this one.
// It knows values and code points; cutting is done by text-cutting.ts.
import { encodeText } from "./bytes.ts";
import { capitalize, foldCase, lowerCase, pythonTitle, swapCase } from "./casing.ts";
import { escapeValue } from "./escaping.ts";
import { valueFault } from "./jinja-error.ts";
import { TEXT_PREDICATES } from "./methods-text-is.ts";
import { TEXT_SEARCH } from "./methods-text-search.ts";
import { TEXT_TABLES } from "./methods-text-table.ts";
import { toCount, toInteger } from "./numbers.ts";
import type { Native, NativeTable, Run } from "./run.ts";
import { collect } from "./sequences.ts";
import { type Definitions, type NativeBody, native, nativeTable } from "./signature.ts";
import { codePointCount } from "./text.ts";
import * as cut from "./text-cutting.ts";
import { center, joinStrict, pad, requireText } from "./text-values.ts";
import { Markup, Tuple, type Value } from "./values.ts";

/** A method that makes a text of no more than about its own size, of each character by itself unless the engine does it. */
const change = (body: (text: string) => string, byEngine = false): readonly [string, NativeBody] => [
  "self /",
  (run, self) => {
    if (!byEngine) run.chargeCharacters(requireText(self).length);
    const result = body(requireText(self));
    run.checkString(result.length);
    return result;
  },
];

function zeroFill(run: Run, text: string, width: number): string {
  const sign = /^[-+]/.test(text) ? text.charAt(0) : "";
  const left = width - codePointCount(text);
  return sign + pad(run, text.slice(sign.length), { left, right: 0 }, "0");
}

function partition(self: Value, separator: Value, fromRight: boolean): Tuple {
  const text = requireText(self);
  const mark = requireText(separator);
  if (mark === "") throw valueFault("the separator is empty");
  const at = fromRight ? text.lastIndexOf(mark) : text.indexOf(mark);
  if (at < 0) return new Tuple(fromRight ? ["", "", text] : [text, "", ""]);
  return new Tuple([text.slice(0, at), mark, text.slice(at + mark.length)]);
}

function split(run: Run, self: Value, separator: Value, max: Value): Value[] {
  run.chargeText(requireText(self).length);
  if (separator === null) return cut.splitWords(run, requireText(self), toCount(max));
  return cut.splitAt(run, requireText(self), requireText(separator), toCount(max));
}

function splitFromRight(run: Run, self: Value, separator: Value, max: Value): Value[] {
  run.chargeText(requireText(self).length);
  if (separator === null) return cut.splitWordsFromRight(run, requireText(self), toCount(max));
  return cut.splitAtFromRight(run, requireText(self), requireText(separator), toCount(max));
}

const stripBody =
  (sides: "left" | "right" | "both"): NativeBody =>
  (run, self, characters = null) => {
    run.chargeText(requireText(self).length);
    return cut.strip(requireText(self), characters === null ? null : requireText(characters), sides);
  };

const CHANGES: Definitions = {
  capitalize: change(capitalize),
  casefold: change(foldCase),
  lower: change(lowerCase, true),
  swapcase: change(swapCase),
  title: change(pythonTitle),
  upper: change((text) => text.toUpperCase(), true),
};

/** @throws Fault TypeError if the width is no integer */
const padding =
  (place: (run: Run, text: string, width: number, fill: string) => string): NativeBody =>
  (run, self, width, fill = " ") =>
    place(run, requireText(self), toCount(width), requireText(fill));

const missing = (text: string, width: number): number => width - codePointCount(text);

const PADDING: Definitions = {
  center: ["self width fill= /", padding(center)],
  ljust: [
    "self width fill= /",
    padding((run, text, width, fill) => pad(run, text, { left: 0, right: missing(text, width) }, fill)),
  ],
  rjust: [
    "self width fill= /",
    padding((run, text, width, fill) => pad(run, text, { left: missing(text, width), right: 0 }, fill)),
  ],
  zfill: ["self width /", (run, self, width) => zeroFill(run, requireText(self), toCount(width))],
};

const CUTTING: Definitions = {
  encode: [
    "self encoding= errors=",
    (run, self, code = "utf-8", errors = "strict") => encodeText(run, requireText(self), code, errors),
  ],
  expandtabs: ["self tabsize=", (run, self, size = 8n) => cut.expandTabs(run, requireText(self), toCount(size))],
  join: ["self values /", (run, self, values) => joinStrict(run, requireText(self), values)],
  lstrip: ["self characters= /", stripBody("left")],
  partition: ["self separator /", (_run, self, separator) => partition(self, separator, false)],
  removeprefix: [
    "self prefix /",
    (_run, self, prefix) => {
      const [text, start] = [requireText(self), requireText(prefix)];
      return text.startsWith(start) ? text.slice(start.length) : text;
    },
  ],
  removesuffix: [
    "self suffix /",
    (_run, self, suffix) => {
      const [text, end] = [requireText(self), requireText(suffix)];
      return text.endsWith(end) ? text.slice(0, text.length - end.length) : text;
    },
  ],
  replace: [
    "self old new count= /",
    (run, self, ...[old = null, by = null, count = -1n]) => {
      run.chargeText(requireText(self).length);
      return cut.replaceText(run, requireText(self), { part: requireText(old), by: requireText(by) }, toCount(count));
    },
  ],
  rpartition: ["self separator /", (_run, self, separator) => partition(self, separator, true)],
  rsplit: ["self sep= maxsplit=", (run, self, sep = null, max = -1n) => splitFromRight(run, self, sep, max)],
  rstrip: ["self characters= /", stripBody("right")],
  split: ["self sep= maxsplit=", (run, self, sep = null, max = -1n) => split(run, self, sep, max)],
  splitlines: [
    "self keepends=",
    (run, self, keep = false) => cut.splitLines(run, requireText(self), toInteger(keep) !== 0n),
  ],
  strip: ["self characters= /", stripBody("both")],
};

export const TEXT_METHODS: NativeTable = nativeTable(
  CHANGES,
  PADDING,
  CUTTING,
  TEXT_SEARCH,
  TEXT_TABLES,
  TEXT_PREDICATES,
);

const UNMARKED = new Set([...Object.keys(TEXT_SEARCH), ...Object.keys(TEXT_PREDICATES), "encode", "maketrans"]);

export const isMarkupMethod = (name: string): boolean => !UNMARKED.has(name);

/** Methods of Markup: texts among the arguments are escaped, and what comes out is Markup again. */
export const MARKUP_METHODS: NativeTable = new Map(
  [...TEXT_METHODS].map(([name, method]) => [name, markupVersion(name, method)]),
);

function markupVersion(name: string, method: Native): Native {
  if (name === "join") return (run, args) => joinMarkup(run, args);
  return UNMARKED.has(name) ? method : markupMethod(method);
}

/** Markup joins values of every type, each escaped. */
const joinMarkup: Native = native("join", "self values /", (run, self, values) => {
  const escaped = collect(run, values).map((value) => escapeValue(run, value).text);
  return new Markup(joinStrict(run, requireText(self), escaped));
});

function markupMethod(method: Native): Native {
  return (run, { positional: [self, ...others], named }) => {
    const safe = others.map((value) => (typeof value === "string" ? escapeValue(run, value) : value));
    return mark(method(run, { positional: [requireText(self ?? null), ...safe], named }));
  };
}

function mark(value: Value): Value {
  if (typeof value === "string") return new Markup(value);
  if (Array.isArray(value)) return value.map(mark);
  return value instanceof Tuple ? new Tuple(value.items.map(mark)) : value;
}
