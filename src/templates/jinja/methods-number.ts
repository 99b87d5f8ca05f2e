// The methods and properties of Python's int, bool and float.
// It knows numbers only.
import { Fault, valueFault } from "./jinja-error.ts";
import { asNumber, bitLength, chargeInteger, floatText } from "./numbers.ts";
import type { NativeTable } from "./run.ts";
import { nativeTable } from "./signature.ts";
import { Tuple, type Value } from "./values.ts";

/** The tables are reached only through a number. */
const integer = (value: Value): bigint => BigInt(asNumber(value) ?? 0n);
const float = (value: Value): number => Number(value);

export const INTEGER_METHODS: NativeTable = nativeTable({
  as_integer_ratio: ["self /", (_run, self) => new Tuple([integer(self), 1n])],
  bit_count: [
    "self /",
    (run, self) => {
      chargeInteger(run, integer(self));
      return BigInt(integer(self).toString(2).replace(/[^1]/g, "").length);
    },
  ],
  bit_length: [
    "self /",
    (run, self) => {
      chargeInteger(run, integer(self));
      return BigInt(bitLength(integer(self)));
    },
  ],
  conjugate: ["self /", (_run, self) => integer(self)],
});

/** A float is an integer divided by a power of two. */
function ratio(value: number): Tuple {
  if (Number.isNaN(value)) throw valueFault("nan is no ratio of integers");
  if (!Number.isFinite(value)) throw new Fault("OverflowError", "an infinite number is no ratio of integers");
  let numerator = value;
  let denominator = 1n;
  while (!Number.isInteger(numerator)) {
    numerator *= 2;
    denominator *= 2n;
  }
  return new Tuple([BigInt(numerator), denominator]);
}

function hexText(value: number): string {
  if (!Number.isFinite(value)) return floatText(value);
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  if (value === 0) return `${sign}0x0.0p+0`;
  let mantissa = Math.abs(value);
  let exponent = 0;
  for (; mantissa >= 2; exponent++) mantissa /= 2;
  for (; mantissa < 1 && exponent > -1022; exponent--) mantissa *= 2;
  const whole = Math.floor(mantissa);
  const digits = BigInt((mantissa - whole) * 2 ** 52).toString(16);
  return `${sign}0x${whole}.${digits.padStart(13, "0")}p${exponent < 0 ? "" : "+"}${exponent}`;
}

export const FLOAT_METHODS: NativeTable = nativeTable({
  as_integer_ratio: [
    "self /",
    (run, self) => {
      run.charge(100);
      return ratio(float(self));
    },
  ],
  conjugate: ["self /", (_run, self) => self],
  hex: ["self /", (_run, self) => hexText(float(self))],
  is_integer: ["self /", (_run, self) => Number.isInteger(float(self))],
});

export function numberProperty(value: Value, name: string): Value | undefined {
  const number = asNumber(value);
  if (number === undefined) return undefined;
  if (name === "real") return number;
  if (name === "imag") return typeof number === "bigint" ? 0n : 0;
  if (typeof number !== "bigint") return undefined;
  return name === "numerator" ? number : name === "denominator" ? 1n : undefined;
}
