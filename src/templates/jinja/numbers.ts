// Python's integers and floats: how they print, and which values count as one.
// It knows numbers only; the operators are in arithmetic.ts.
import { typeFault, valueFault } from "./jinja-error.ts";
import type { Budget } from "./limits.ts";
import { typeName, type Value } from "./values.ts";

/** A bool counts as 0 or 1. Undefined if the value is no number. */
export function asNumber(value: Value): bigint | number | undefined {
  if (typeof value === "bigint" || typeof value === "number") return value;
  if (typeof value === "boolean") return value ? 1n : 0n;
  return undefined;
}

/** An argument that must be an integer. @throws Fault TypeError */
export function toInteger(value: Value): bigint {
  const number = asNumber(value);
  if (typeof number !== "bigint") throw typeFault(`a ${typeName(value)} is not an integer`);
  return number;
}

/** An integer as a JavaScript number for positions and widths: beyond what any text or list can hold, it stays there. */
export function toCount(value: Value): number {
  const integer = toInteger(value);
  const bound = 9_007_199_254_740_991n;
  return Number(integer > bound ? bound : integer < -bound ? -bound : integer);
}

/** @throws Fault TypeError if the value is no number */
export function toFloat(value: Value): number {
  const number = asNumber(value);
  if (number === undefined) throw typeFault(`a ${typeName(value)} is not a number`);
  return Number(number);
}

/** How many bits an integer needs, without its sign. */
export function bitLength(value: bigint): number {
  const hex = (value < 0n ? -value : value).toString(16);
  return hex === "0" ? 0 : (hex.length - 1) * 4 + Number.parseInt(hex.charAt(0), 16).toString(2).length;
}

const SMALL = 1n << 64n;

/** Charges for work on an integer, if it is a large one. */
export function chargeInteger(budget: Budget, value: bigint): void {
  if (value > SMALL || value < -SMALL) budget.checkBits(bitLength(value));
}

/** Digits of the largest integer that Python writes out. */
const MOST_DIGITS = 4300;

/** @throws Fault ValueError or Limit */
export function integerText(budget: Budget, value: bigint): string {
  chargeInteger(budget, value);
  const text = value.toString();
  if (text.length > MOST_DIGITS + (value < 0n ? 1 : 0))
    throw valueFault(`an integer has more than ${MOST_DIGITS} digits`);
  return text;
}

/** Python's `repr` of a float: the shortest digits that read back the same. */
export function floatText(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : `${value < 0 ? "-" : ""}inf`;
  if (Object.is(value, -0)) return "-0.0";
  const [mantissa, power] = value.toExponential().split("e");
  const exponent = Number(power);
  if (exponent < -4 || exponent >= 16) return `${mantissa}e${exponentText(exponent)}`;
  const text = value.toString();
  return text.includes(".") ? text : `${text}.0`;
}

/** An exponent as Python writes it: signed, two digits at least. */
export function exponentText(exponent: number): string {
  return `${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}
