// The filters that make or change numbers.
// It knows numbers and how they are read from other values.

import { calculate } from "./arithmetic.ts";
import { roundFloat } from "./decimal.ts";
import { formatPercent } from "./format-percent.ts";
import { isFault, typeFault } from "./jinja-error.ts";
import { parseIntegerText, toFloatValue, toIntegerValue } from "./number-text.ts";
import { asNumber, toCount } from "./numbers.ts";
import type { Run } from "./run.ts";
import { isTrue, undefinedFault } from "./sequences.ts";
import type { Definitions } from "./signature.ts";
import { isText, textOf, typeName, Undefined, type Value } from "./values.ts";

/** Runs what may fail as a conversion does; undefined (JavaScript's) if it fails so. */
function attempt<T>(convert: () => T, ...more: "OverflowError"[]): T | undefined {
  try {
    return convert();
  } catch (error) {
    if (isFault(error, "TypeError", "ValueError", ...more)) return undefined;
    throw error;
  }
}

function toInt(run: Run, value: Value, otherwise: Value, base: Value): Value {
  if (value instanceof Undefined) throw undefinedFault(value);
  const direct = (): bigint =>
    isText(value) ? parseIntegerText(run, textOf(value), toCount(base)) : toIntegerValue(run, value);
  const viaFloat = (): bigint => toIntegerValue(run, toFloatValue(value));
  return attempt(direct) ?? attempt(viaFloat, "OverflowError") ?? otherwise;
}

function toFloat(value: Value, otherwise: Value): Value {
  if (value instanceof Undefined) throw undefinedFault(value);
  return attempt(() => toFloatValue(value)) ?? otherwise;
}

function requireNumber(value: Value): bigint | number {
  const number = asNumber(value);
  if (number !== undefined) return number;
  throw value instanceof Undefined ? undefinedFault(value) : typeFault(`a ${typeName(value)} is not a number`);
}

function round(run: Run, value: Value, precision: Value, method: Value): Value {
  if (method !== "common" && method !== "ceil" && method !== "floor") {
    throw typeFault("round takes the method 'common', 'ceil' or 'floor'");
  }
  const number = requireNumber(value);
  const digits = toCount(precision);
  run.charge(8 + Math.min(Math.abs(digits), 400) / 4);
  if (method === "common")
    return typeof number === "bigint" ? roundInteger(run, number, digits) : roundFloat(number, digits);
  return roundTo(run, number, digits, method === "ceil" ? Math.ceil : Math.floor);
}

/** As Python does it: scaled up, made an integer, and divided again. */
function roundTo(run: Run, number: bigint | number, digits: number, cut: (scaled: number) => number): Value {
  const factor = calculate(run, "**", 10n, BigInt(digits));
  const scaled = calculate(run, "*", number, factor);
  const whole = typeof scaled === "bigint" ? scaled : toIntegerValue(run, cut(Number(scaled)));
  return calculate(run, "/", whole, factor);
}

/** To tens, hundreds, … for negative digits; ties go to the even one. */
function roundInteger(run: Run, value: bigint, digits: number): bigint {
  if (digits >= 0) return value;
  run.checkBits(-digits * 4);
  const unit = 10n ** BigInt(-digits);
  const floor = value - (((value % unit) + unit) % unit);
  const twice = (value - floor) * 2n;
  const up = twice > unit || (twice === unit && (floor / unit) % 2n !== 0n);
  return up ? floor + unit : floor;
}

const DECIMAL_UNITS = ["kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];
const BINARY_UNITS = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"];

function fileSize(run: Run, value: Value, binary: Value): string {
  const bytes = toFloatValue(value);
  const base = isTrue(binary) ? 1024 : 1000;
  if (bytes === 1) return "1 Byte";
  if (bytes < base) return `${formatPercent(run, "%d", bytes)} Bytes`;
  const units = isTrue(binary) ? BINARY_UNITS : DECIMAL_UNITS;
  const power = units.findIndex((_, at) => bytes < base ** (at + 2));
  const at = power < 0 ? units.length - 1 : power;
  return `${formatPercent(run, "%.1f", (base * bytes) / base ** (at + 2))} ${units[at]}`;
}

function absolute(value: Value): Value {
  const number = requireNumber(value);
  return number < 0 || Object.is(number, -0) ? -number : number;
}

export const NUMBER_FILTERS: Definitions = {
  abs: ["x /", (_run, value) => absolute(value)],
  filesizeformat: ["value binary=", (run, value, binary = false) => fileSize(run, value, binary)],
  float: ["value default=", (_run, value, otherwise = 0) => toFloat(value, otherwise)],
  int: ["value default= base=", (run, value, ...[otherwise = 0n, base = 10n]) => toInt(run, value, otherwise, base)],
  round: [
    "value precision= method=",
    (run, value, precision = 0n, method = "common") => round(run, value, precision, method),
  ],
};
