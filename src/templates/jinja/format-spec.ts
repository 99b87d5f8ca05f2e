// Python's language of format specifications: [[fill]align][sign][#][0][width][grouping][.precision][type].
// It knows texts and numbers; where a specification comes from is the business of format-braces.ts.

import { floatOf } from "./arithmetic.ts";
import { fixedDigits, generalText, scientificText } from "./decimal.ts";
import { typeFault, valueFault } from "./jinja-error.ts";
import { chargeInteger, floatText, integerText } from "./numbers.ts";
import { toText } from "./printing.ts";
import type { Run } from "./run.ts";
import { codePointCount, sliceCodePoints } from "./text.ts";
import { isText, textOf, typeName, Undefined, type Value } from "./values.ts";

export type Spec = {
  readonly fill: string;
  readonly align: "<" | ">" | "=" | "^" | "";
  readonly sign: "+" | "-" | " " | "";
  /** Whether what is rounded to zero loses its sign. */
  readonly unsignedZero: boolean;
  readonly alternate: boolean;
  readonly zero: boolean;
  readonly width: number;
  readonly grouping: "" | "," | "_";
  readonly precision: number | undefined;
  readonly type: string;
};

const SPEC = /^(?:([\s\S])?([<>=^]))?([-+ ])?(z)?(#)?(0)?(\d{1,15})?([,_])?(?:\.(\d{1,15}))?([a-zA-Z%])?$/u;

function parseSpec(text: string): Spec {
  const found = SPEC.exec(text);
  if (!found) throw valueFault("the format specification is wrong");
  const [, fill, align, sign, unsignedZero, alternate, zero, width, grouping, precision, type] = found;
  return {
    fill: fill ?? (zero === undefined ? " " : "0"),
    align: (align ?? "") as Spec["align"],
    sign: (sign ?? "") as Spec["sign"],
    unsignedZero: unsignedZero !== undefined,
    alternate: alternate !== undefined,
    zero: zero !== undefined,
    width: Number(width ?? 0),
    grouping: (grouping ?? "") as Spec["grouping"],
    precision: precision === undefined ? undefined : Number(precision),
    type: type ?? "",
  };
}

/** `format(value, specification)`. @throws Fault */
export function formatValue(run: Run, value: Value, specification: string): string {
  if (specification === "") return toText(run, value);
  run.chargeText(specification.length);
  if (isText(value)) return formatText(run, textOf(value), parseSpec(specification));
  if (typeof value === "bigint" || typeof value === "boolean")
    return formatInteger(run, value, parseSpec(specification));
  if (typeof value === "number") return formatFloat(run, value, parseSpec(specification));
  if (value instanceof Undefined) throw typeFault("a missing value cannot be formatted");
  throw typeFault(`a ${typeName(value)} takes no format specification`);
}

function formatText(run: Run, text: string, spec: Spec): string {
  const numeric = spec.sign !== "" || spec.unsignedZero || spec.alternate || spec.grouping !== "";
  if (numeric || spec.align === "=" || !"s".includes(spec.type)) {
    throw valueFault("this format does not fit a text");
  }
  run.chargeText(text.length);
  const cut = spec.precision === undefined ? text : sliceCodePoints(text, 0, spec.precision);
  return place(run, { sign: "", digits: cut }, spec, "<");
}

type Parts = { readonly sign: string; readonly digits: string };

/** Fills up to the width. With "=" the fill goes between sign and digits. */
export function place(
  run: Run,
  { sign, digits }: Parts,
  spec: Pick<Spec, "fill" | "align" | "width">,
  usual: "<" | ">" | "=",
): string {
  const missing = Math.max(0, spec.width - codePointCount(sign + digits));
  run.checkString(sign.length + digits.length + missing * spec.fill.length);
  const align = spec.align === "" ? usual : spec.align;
  if (align === "<") return sign + digits + spec.fill.repeat(missing);
  if (align === ">") return spec.fill.repeat(missing) + sign + digits;
  if (align === "=") return sign + spec.fill.repeat(missing) + digits;
  const left = Math.floor(missing / 2);
  return spec.fill.repeat(left) + sign + digits + spec.fill.repeat(missing - left);
}

const RADIX: Record<string, Radix> = {
  b: { radix: 2, prefix: "0b" },
  o: { radix: 8, prefix: "0o" },
  x: { radix: 16, prefix: "0x" },
  X: { radix: 16, prefix: "0X" },
};

function formatInteger(run: Run, value: bigint | boolean, spec: Spec): string {
  const number = BigInt(value);
  if (/^[eEfFgG%]$/.test(spec.type)) return formatFloat(run, floatOf(number), spec);
  if (spec.precision !== undefined || spec.unsignedZero)
    throw valueFault("an integer takes neither a precision nor 'z'");
  if (spec.type === "c") return formatCharacter(run, number, spec);
  const size = number < 0n ? -number : number;
  const base = RADIX[spec.type];
  if (base) return formatRadix(run, { size, sign: signText(number < 0n, spec) }, spec, base);
  if (!/^[dn]?$/.test(spec.type)) throw valueFault("this format does not fit an integer");
  refuseGroupedN(spec);
  return placeNumber(run, { sign: signText(number < 0n, spec), digits: integerText(run, size) }, spec, 3);
}

function formatCharacter(run: Run, code: bigint, spec: Spec): string {
  if (spec.sign !== "" || spec.alternate || spec.grouping !== "")
    throw valueFault("this format does not fit a character");
  return place(run, { sign: "", digits: character(code) }, spec, ">");
}

type Radix = { readonly radix: number; readonly prefix: string };
type Signed = { readonly size: bigint; readonly sign: string };

function formatRadix(run: Run, { size, sign }: Signed, spec: Spec, { radix, prefix }: Radix): string {
  if (spec.grouping === ",") throw valueFault("',' does not fit this format");
  chargeInteger(run, size);
  const digits = size.toString(radix);
  const parts = {
    sign: spec.alternate ? sign + prefix : sign,
    digits: spec.type === "X" ? digits.toUpperCase() : digits,
  };
  return placeNumber(run, parts, spec, 4);
}

export function character(code: bigint): string {
  if (code < 0n || code > 0x10ffffn) throw valueFault("there is no such character");
  return String.fromCodePoint(Number(code));
}

function signText(negative: boolean, spec: Pick<Spec, "sign">): string {
  if (negative) return "-";
  return spec.sign === "+" || spec.sign === " " ? spec.sign : "";
}

/** "n" groups as the locale does, which here is not at all, and so takes no grouping of its own. */
function refuseGroupedN(spec: Spec): void {
  if (spec.type === "n" && spec.grouping !== "") throw valueFault("',' and '_' do not fit the format 'n'");
}

function formatFloat(run: Run, value: number, spec: Spec): string {
  refuseGroupedN(spec);
  if (!["", "e", "E", "f", "F", "g", "G", "n", "%"].includes(spec.type)) {
    throw valueFault("this format does not fit a float");
  }
  const digits = floatDigits(run, value, spec);
  const isZero = spec.unsignedZero && !/[1-9a-z]/i.test(digits.replace(/e.*$/, ""));
  const sign = signText(!isZero && (value < 0 || Object.is(value, -0)), spec);
  return placeNumber(run, { sign, digits: /[EFG]/.test(spec.type) ? digits.toUpperCase() : digits }, spec, 3);
}

type FloatSpec = Pick<Spec, "type" | "precision" | "alternate">;

/** The digits of |value|, in lower case. Also what `%` formatting prints. */
export function floatDigits(run: Run, value: number, spec: FloatSpec): string {
  if (!Number.isFinite(value)) return `${Number.isNaN(value) ? "nan" : "inf"}${spec.type === "%" ? "%" : ""}`;
  const size = Math.abs(value);
  const precision = spec.precision ?? 6;
  run.checkString(precision);
  const type = spec.type.toLowerCase();
  if (type === "e") return withPoint(scientificText(size, precision), spec);
  if (type === "f") return withPoint(fixedDigits(size, precision), spec);
  if (type === "%") return `${withPoint(fixedDigits(size * 100, precision), spec)}%`;
  const { alternate } = spec;
  if (type !== "") return generalText(size, precision, { alternate, pointed: false });
  return spec.precision === undefined
    ? withPoint(floatText(size), spec)
    : generalText(size, precision, { alternate, pointed: true });
}

const withPoint = (text: string, spec: FloatSpec): string =>
  spec.alternate && !text.includes(".") ? text.replace(/(?=e|$)/, ".") : text;

/** Groups the digits before the point; zeros that fill up to the width are grouped too. */
function placeNumber(run: Run, { sign, digits }: Parts, spec: Spec, group: number): string {
  const usual = spec.zero && spec.align === "" ? "=" : ">";
  const between = spec.align === "=" || (usual === "=" && spec.align === "");
  if (spec.grouping === "") return place(run, { sign, digits }, spec, usual);
  const length = group === 3 ? digits.search(/[^0-9]|$/) : digits.length;
  const front = digits.slice(0, length);
  const back = digits.slice(length);
  const filled =
    between && spec.fill === "0" ? zeroFilled(run, front, spec.width - sign.length - back.length, group) : front;
  return place(run, { sign, digits: grouped(filled, spec.grouping, group) + back }, spec, usual);
}

function zeroFilled(run: Run, digits: string, width: number, group: number): string {
  run.checkString(Math.max(0, width));
  let length = digits.length;
  while (length + Math.floor((length - 1) / group) < width) length++;
  return digits.padStart(length, "0");
}

function grouped(digits: string, separator: string, group: number): string {
  const first = digits.length % group || group;
  let result = digits.slice(0, first);
  for (let at = first; at < digits.length; at += group) result += separator + digits.slice(at, at + group);
  return result;
}
