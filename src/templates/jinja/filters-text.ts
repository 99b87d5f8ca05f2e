// The filters that change texts.
// It knows values, texts and escaping; longer work on texts is in files of its own.
import { capitalize, lowerCase } from "./casing.ts";
import { Dict } from "./dict.ts";
import { escapeValue } from "./escaping.ts";
import { formatPercentValue } from "./format-markup.ts";
import { Fault, typeFault, valueFault } from "./jinja-error.ts";
import { toCount } from "./numbers.ts";
import { toText } from "./printing.ts";
import { isSpace } from "./python-space.ts";
import type { Run } from "./run.ts";
import { isTrue, itemsOf, requireLength, undefinedFault } from "./sequences.ts";
import type { Definitions, NativeBody } from "./signature.ts";
import { codePointCount, sliceCodePoints } from "./text.ts";
import { replaceText, splitLines, strip } from "./text-cutting.ts";
import { center, requireText } from "./text-values.ts";
import { isText, Markup, Tuple, textOf, Undefined, type Value } from "./values.ts";
import { wordWrap } from "./word-wrap.ts";

/** Applies to a value's text; Markup stays Markup. */
const onText =
  (change: (text: string) => string): NativeBody =>
  (run, value) => {
    const text = change(toText(run, value));
    run.checkString(text.length);
    return value instanceof Markup ? new Markup(text) : text;
  };

/** A word begins after white space, "-" or an opening bracket. */
function title(text: string): string {
  const words: string[] = [];
  let word = "";
  for (const character of text) {
    if (!isSpace(character) && !"-({[<".includes(character)) {
      word += character;
      continue;
    }
    words.push(titleWord(word), character);
    word = "";
  }
  return words.join("") + titleWord(word);
}

function titled(run: Run, text: string): string {
  run.chargeCharacters(text.length);
  return title(text);
}

function titleWord(word: string): string {
  const [first = ""] = word;
  return first.toUpperCase() + lowerCase(word.slice(first.length));
}

function truncate(run: Run, value: Value, ...given: (Value | undefined)[]): Value {
  const [length = 255n, killWords = false, end = "...", spare = null] = given;
  const leeway = spare === null ? 5n : spare;
  const room = toCount(length) - codePointCount(requireText(end));
  if (room < 0) throw valueFault("truncate needs a length of at least that of its end");
  if (toCount(leeway) < 0) throw valueFault("truncate needs a leeway of at least 0");
  if (Number(requireLength(run, value)) <= toCount(length) + toCount(leeway)) return value;
  const kept = cutText(requireText(value), room, isTrue(killWords));
  return value instanceof Markup ? new Markup(kept + escapeValue(run, end).text) : kept + requireText(end);
}

function cutText(text: string, room: number, killsWords: boolean): string {
  const start = sliceCodePoints(text, 0, room);
  return killsWords || !start.includes(" ") ? start : start.slice(0, start.lastIndexOf(" "));
}

type Indent = { readonly by: string; readonly first: boolean; readonly blank: boolean };

function indentText(run: Run, text: string, { by, first, blank }: Indent): string {
  const lines = splitLines(run, `${text}\n`, false);
  run.checkString(text.length + lines.length * by.length);
  const indented = lines.map((line, at) => (at > 0 && (blank || line !== "") ? by + line : line));
  return (first ? by : "") + indented.join("\n");
}

function indent(run: Run, value: Value, ...[width = 4n, first = false, blank = false]: (Value | undefined)[]): Value {
  if (value instanceof Undefined) throw undefinedFault(value);
  const text = requireText(value);
  if (!isText(width)) run.checkString(Math.max(0, toCount(width)));
  const by = isText(width) ? width : " ".repeat(Math.max(0, toCount(width)));
  const indented = indentText(run, text, { by: textOf(by), first: isTrue(first), blank: isTrue(blank) });
  return value instanceof Markup ? new Markup(indented) : indented;
}

/** Where escaping is on and Markup is among the three, the others are escaped and the whole is Markup. */
function replace(run: Run, value: Value, ...given: (Value | undefined)[]): Value {
  const [old = "", by = "", count = null] = given;
  const max = count === null ? -1 : toCount(count);
  run.chargeText(toText(run, value).length);
  if (!run.autoescape || ![value, old, by].some((one) => one instanceof Markup)) {
    return replaceText(run, toText(run, value), { part: toText(run, old), by: toText(run, by) }, max);
  }
  const part = value instanceof Markup ? escapeValue(run, old).text : toText(run, old);
  return new Markup(replaceText(run, escapeValue(run, value).text, { part, by: escapeValue(run, by).text }, max));
}

/** Named values make a dict for the format, others a tuple. */
function format(run: Run, value: Value, values: Value, named: Value): Value {
  const hasNamed = named instanceof Dict && named.size > 0;
  if (hasNamed && (itemsOf(values)?.length ?? 0) > 0)
    throw typeFault("format takes values by place or by name, not both");
  const text = isText(value) ? value : toText(run, value);
  return formatPercentValue(run, text, hasNamed ? named : new Tuple(itemsOf(values) ?? []));
}

function trim(run: Run, value: Value, characters: Value): Value {
  const text = toText(run, value);
  run.chargeText(text.length);
  const trimmed = strip(text, characters === null ? null : requireText(characters), "both");
  return value instanceof Markup ? new Markup(trimmed) : trimmed;
}

function wrap(
  run: Run,
  value: Value,
  ...[width = 79n, breakLong = true, separator = null, breakHyphens = true]: (Value | undefined)[]
): Value {
  if (value instanceof Undefined) throw undefinedFault(value);
  if (!isText(value)) throw new Fault("AttributeError", "only a text can be wrapped");
  const options = { width: toCount(width), breakLong: isTrue(breakLong), breakHyphens: isTrue(breakHyphens) };
  return wordWrap(run, textOf(value), options, separator === null ? "\n" : requireText(separator));
}

function centerValue(run: Run, value: Value, width: number): Value {
  const centered = center(run, toText(run, value), width);
  return value instanceof Markup ? new Markup(centered) : centered;
}

const WORD = /[\p{L}\p{N}_]+/gu;

export const TEXT_FILTERS: Definitions = {
  capitalize: ["s", onText(capitalize)],
  center: ["value width=", (run, value, width = 80n) => centerValue(run, value, toCount(width))],
  e: ["s /", escapeValue],
  escape: ["s /", escapeValue],
  forceescape: ["value", (run, value) => escapeValue(run, toText(run, value))],
  format: ["value / *values **named", format],
  indent: ["s width= first= blank=", indent],
  lower: ["s", onText(lowerCase)],
  replace: ["s old new count=", replace],
  safe: ["value", (run, value) => new Markup(toText(run, value))],
  string: ["object /", (run, value) => (value instanceof Markup ? value : toText(run, value))],
  title: ["s", (run, value) => titled(run, toText(run, value))],
  trim: ["value chars=", (run, value, characters = null) => trim(run, value, characters)],
  truncate: ["s length= killwords= end= leeway=", truncate],
  upper: ["s", onText((text) => text.toUpperCase())],
  wordcount: ["s", (run, value) => BigInt(toText(run, value).match(WORD)?.length ?? 0)],
  wordwrap: ["s width= break_long_words= wrapstring= break_on_hyphens=", wrap],
};
