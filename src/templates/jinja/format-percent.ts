// text % values: Python's printf-like formatting.
// It knows conversions and values; digits come from format-spec.ts.
import { floatOf } from "./arithmetic.ts";
import { Dict } from "./dict.ts";
import { character, floatDigits, place } from "./format-spec.ts";
import { Fault, typeFault, valueFault } from "./jinja-error.ts";
import { asNumber, chargeInteger, toCount } from "./numbers.ts";
import { toRepr, toText } from "./printing.ts";
import type { Run } from "./run.ts";
import { undefinedFault } from "./sequences.ts";
import { codePointCount, codePoints, sliceCodePoints } from "./text.ts";
import { isText, Range, Tuple, textOf, typeName, Undefined, type Value } from "./values.ts";

const CONVERSION = /%(?:\(((?:[^()]|\([^()]*\))*)\))?([-+ #0]*)(\*|\d{1,15})?(?:\.(\*|\d{0,15}))?[hlL]?([\s\S])?/gu;

type Conversion = {
  readonly flags: string;
  readonly width: number;
  readonly precision: number | undefined;
  readonly type: string;
};

/** What Python takes for a mapping here: everything that has elements by key, but tuples and texts. */
export const hasElements = (value: Value): boolean =>
  [Dict, Array, Range, Undefined].some((type) => value instanceof type);

/** The values of one formatting, and how many are used up. */
class Supply {
  private readonly values: readonly Value[];
  private readonly mapping: Dict | undefined;
  private readonly lenient: boolean;
  private used = 0;

  /** `lenient`: values that are left over do no harm. */
  constructor(values: Value, lenient: boolean) {
    this.values = values instanceof Tuple ? values.items : [values];
    this.mapping = values instanceof Dict ? values : undefined;
    this.lenient = lenient || hasElements(values);
  }
  next(): Value {
    const value = this.values[this.used++];
    if (value === undefined) throw typeFault("the format has more conversions than there are values");
    return value;
  }
  named(run: Run, key: string): Value {
    if (!this.mapping) throw typeFault("a conversion with a name needs a dict");
    const value = this.mapping.get(run, key);
    if (value === undefined) throw new Fault("KeyError", `there is no value '${key.slice(0, 60)}' for the format`);
    return value;
  }
  finish(): void {
    if (this.used < this.values.length && !this.lenient)
      throw typeFault("the format has fewer conversions than there are values");
  }
}

/** @throws Fault */
export function formatPercent(run: Run, text: string, values: Value, lenient = false): string {
  run.chargeText(text.length);
  const supply = new Supply(values, lenient);
  const parts: string[] = [];
  let size = 0;
  let at = 0;
  const add = (part: string): void => {
    size += part.length;
    run.checkAppend(size, part.length);
    parts.push(part);
  };
  for (const match of text.matchAll(CONVERSION)) {
    add(text.slice(at, match.index));
    add(convert(run, supply, match));
    at = match.index + match[0].length;
  }
  add(text.slice(at));
  supply.finish();
  return parts.join("");
}

function convert(run: Run, supply: Supply, [whole, key, flags, width, precision, type]: RegExpMatchArray): string {
  if (type === undefined) throw valueFault("a conversion in the format is incomplete");
  if (whole === "%%") return "%";
  const named = key === undefined ? undefined : supply.named(run, key);
  const size = readSize(supply, width) ?? 0;
  const given = readSize(supply, precision);
  const digits = given === undefined ? undefined : Math.max(0, given);
  run.checkString(Math.max(Math.abs(size), digits ?? 0));
  const left = size < 0 ? "-" : "";
  const conversion = { flags: `${flags}${left}`, width: Math.abs(size), precision: digits, type };
  const value = named === undefined ? supply.next() : named;
  return conversionOf(type)(run, value, conversion);
}

type Convert = (run: Run, value: Value, conversion: Conversion) => string;

function conversionOf(type: string): Convert {
  const found = CONVERSIONS.get(type);
  if (!found) throw valueFault(`the format has no conversion '${type}'`);
  return found;
}

function readSize(supply: Supply, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  return text === "*" ? toCount(supply.next()) : Number(text);
}

const align = (conversion: Conversion): "<" | ">" => (conversion.flags.includes("-") ? "<" : ">");

function convertText(run: Run, value: Value, conversion: Conversion): string {
  const full = conversion.type === "c" ? characterOf(value) : textFor(run, value, conversion.type);
  run.chargeText(full.length);
  const cuts = conversion.precision !== undefined && conversion.type !== "c";
  const digits = cuts ? sliceCodePoints(full, 0, conversion.precision) : full;
  return place(run, { sign: "", digits }, { fill: " ", align: align(conversion), width: conversion.width }, ">");
}

function textFor(run: Run, value: Value, type: string): string {
  if (type === "s") return toText(run, value);
  const text = toRepr(run, value);
  if (type === "r") return text;
  return asciiOnly(text);
}

/** Every character beyond ASCII as an escape, as in Python's ascii(). */
export const asciiOnly = (text: string): string => codePoints(text).map(asciiEscape).join("");

function asciiEscape(one: string): string {
  const code = one.codePointAt(0) ?? 0;
  if (code < 0x80) return one;
  if (code < 0x100) return `\\x${code.toString(16)}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`;
}

function characterOf(value: Value): string {
  if (isText(value) && codePointCount(textOf(value)) === 1) return textOf(value);
  const number = asNumber(value);
  if (typeof number !== "bigint") throw typeFault("%c needs an integer or one character");
  return character(number);
}

function numberOf(value: Value, type: string): bigint | number {
  if (value instanceof Undefined) throw undefinedFault(value);
  const number = asNumber(value);
  if (number === undefined) throw typeFault(`%${type} needs a number, not a ${typeName(value)}`);
  return number;
}

const PREFIXES: Record<string, string> = { o: "0o", x: "0x", X: "0X" };
const RADIX: Record<string, number> = { o: 8, x: 16, X: 16 };

function convertInteger(run: Run, value: Value, conversion: Conversion): string {
  const { type, flags } = conversion;
  const number = wholeNumber(numberOf(value, type), type);
  chargeInteger(run, number);
  const size = (number < 0n ? -number : number).toString(RADIX[type] ?? 10).padStart(conversion.precision ?? 0, "0");
  const sign = signText(number < 0n, flags) + (flags.includes("#") ? (PREFIXES[type] ?? "") : "");
  return placeNumber(run, sign, type === "X" ? size.toUpperCase() : size, conversion);
}

function wholeNumber(number: bigint | number, type: string): bigint {
  if (typeof number === "bigint") return number;
  if (RADIX[type] !== undefined) throw typeFault(`%${type} needs an integer`);
  if (!Number.isFinite(number)) throw valueFault("this float has no whole part");
  return BigInt(Math.trunc(number));
}

function convertFloat(run: Run, value: Value, conversion: Conversion): string {
  const number = floatOf(numberOf(value, conversion.type));
  const digits = floatDigits(run, number, { ...conversion, alternate: conversion.flags.includes("#") });
  const sign = signText(number < 0 || Object.is(number, -0), conversion.flags);
  return placeNumber(run, sign, /[EFG]/.test(conversion.type) ? digits.toUpperCase() : digits, conversion);
}

function signText(negative: boolean, flags: string): string {
  if (negative) return "-";
  return flags.includes("+") ? "+" : flags.includes(" ") ? " " : "";
}

function placeNumber(run: Run, sign: string, digits: string, conversion: Conversion): string {
  const zeros = conversion.flags.includes("0") && align(conversion) === ">";
  const layout = {
    fill: zeros ? "0" : " ",
    align: zeros ? ("=" as const) : align(conversion),
    width: conversion.width,
  };
  return place(run, { sign, digits }, layout, ">");
}

const CONVERSIONS: ReadonlyMap<string, Convert> = new Map([
  ...Array.from("sarc", (type) => [type, convertText] as const),
  ...Array.from("diuoxX", (type) => [type, convertInteger] as const),
  ...Array.from("eEfFgG", (type) => [type, convertFloat] as const),
]);
