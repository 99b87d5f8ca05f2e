// Reading integers and floats from texts and from other values, as Python's int() and float() do.
// It knows texts and numbers; how numbers print is in numbers.ts.
import { typeFault, valueFault } from "./jinja-error.ts";
import type { Budget } from "./limits.ts";
import { asNumber, toFloat } from "./numbers.ts";
import { trim } from "./python-space.ts";
import { isText, textOf, typeName, type Value } from "./values.ts";

const FLOAT = /^[-+]?(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:e[-+]?\d+(?:_\d+)*)?$/i;
const SPECIAL = /^([-+]?)(?:(inf|infinity)|nan)$/i;
/** More digits than any bounded number has: refused before a conversion that takes quadratic time. */
const LONGEST = 5_000;

/** `float(text)`. @throws Fault ValueError */
export function parseFloatText(text: string): number {
  const trimmed = trim(text);
  const special = SPECIAL.exec(trimmed);
  if (special)
    return special[2] ? (special[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY) : Number.NaN;
  if (trimmed.length > LONGEST || !FLOAT.test(trimmed)) throw valueFault("this text is not a number");
  return Number(trimmed.replaceAll("_", ""));
}

const PREFIXES: Record<string, number> = { b: 2, o: 8, x: 16 };
const INTEGER = /^([-+]?)(?:0([box])_?(?=[0-9a-z]))?([0-9a-z]+(?:_[0-9a-z]+)*)$/i;

/** `int(text, base)`. Base 0 takes the base from the text's prefix. @throws Fault ValueError */
export function parseIntegerText(budget: Budget, text: string, base: number): bigint {
  if (base !== 0 && (base < 2 || base > 36)) throw valueFault("the base of an integer must be 0 or 2 to 36");
  const trimmed = trim(text);
  const parts = trimmed.length > LONGEST ? null : INTEGER.exec(trimmed);
  const value = parts && readInteger(budget, parts, base);
  if (value === null || value === undefined) throw valueFault("this text is not an integer");
  return parts?.[1] === "-" ? -value : value;
}

/** A prefix that does not belong to the base is digits: "0b1" is a number to base 16. */
function readInteger(budget: Budget, [, , prefix, body]: RegExpExecArray, base: number): bigint | undefined {
  const digits = (body ?? "").replaceAll("_", "").toLowerCase();
  const named = prefix === undefined ? undefined : PREFIXES[prefix.toLowerCase()];
  if (named !== undefined && (base === 0 || base === named)) return readDigits(budget, digits, named);
  if (base === 0) return /^0+[1-9]/.test(digits) ? undefined : readDigits(budget, digits, 10);
  return readDigits(budget, prefix === undefined ? digits : `0${prefix.toLowerCase()}${digits}`, base);
}

function readDigits(budget: Budget, digits: string, radix: number): bigint | undefined {
  budget.checkBits(digits.length * Math.log2(radix));
  budget.charge(digits.length);
  if (radix === 16 && /^[\da-f]+$/.test(digits)) return BigInt(`0x${digits}`);
  if (radix === 10) return /^\d+$/.test(digits) ? BigInt(digits) : undefined;
  let value = 0n;
  for (const digit of digits) {
    const code = Number.parseInt(digit, 36);
    if (Number.isNaN(code) || code >= radix) return undefined;
    value = value * BigInt(radix) + BigInt(code);
  }
  return value;
}

/** `int(value)`. @throws Fault TypeError, ValueError or OverflowError */
export function toIntegerValue(budget: Budget, value: Value): bigint {
  if (isText(value)) return parseIntegerText(budget, textOf(value), 10);
  const number = asNumber(value);
  if (number === undefined) throw typeFault(`a ${typeName(value)} cannot become an integer`);
  if (typeof number === "bigint") return number;
  if (!Number.isFinite(number)) throw valueFault("this float cannot become an integer");
  return BigInt(Math.trunc(number));
}

/** `float(value)`. @throws Fault TypeError or ValueError */
export function toFloatValue(value: Value): number {
  return isText(value) ? parseFloatText(textOf(value)) : toFloat(value);
}
