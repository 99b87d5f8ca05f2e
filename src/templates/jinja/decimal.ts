// Floats as decimal digits, rounded exactly: JavaScript's own functions round ties away from zero, Python's to the even digit.
// It knows numbers only.
import { exponentText } from "./numbers.ts";

/** No double has more digits than this after its point; what is asked beyond them is zeros. */
const ALL_DIGITS = 1_100;

/** |value| = mantissa × 2^exponent, exactly. */
function decompose(value: number): { mantissa: bigint; exponent: number } {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0) & 0x7fff_ffff_ffff_ffffn;
  const biased = Number(bits >> 52n);
  const fraction = bits & 0xf_ffff_ffff_ffffn;
  return biased === 0
    ? { mantissa: fraction, exponent: -1074 }
    : { mantissa: fraction | (1n << 52n), exponent: biased - 1075 };
}

function divideToEven(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  const twice = (dividend - quotient * divisor) * 2n;
  return twice > divisor || (twice === divisor && quotient % 2n === 1n) ? quotient + 1n : quotient;
}

/** |value| × 10^digits as the nearest integer; `digits` may be negative. */
function scaled(value: number, digits: number): bigint {
  const { mantissa, exponent } = decompose(value);
  const dividend = mantissa * (digits > 0 ? 10n ** BigInt(digits) : 1n) * (exponent > 0 ? 1n << BigInt(exponent) : 1n);
  const divisor = (digits < 0 ? 10n ** BigInt(-digits) : 1n) * (exponent < 0 ? 1n << BigInt(-exponent) : 1n);
  return divideToEven(dividend, divisor);
}

/** The digits of |value| with exactly `precision` of them after the point. Finite values only. */
export function fixedDigits(value: number, precision: number): string {
  const known = Math.min(precision, ALL_DIGITS);
  const digits = scaled(value, known)
    .toString()
    .padStart(known + 1, "0");
  if (precision === 0) return digits;
  return `${digits.slice(0, digits.length - known)}.${digits.slice(digits.length - known).padEnd(precision, "0")}`;
}

/** The digits of |value| before and after the point of d.ddd, and its power of ten. Finite values only. */
export function scientificDigits(value: number, precision: number): { digits: string; exponent: number } {
  const known = Math.min(precision, ALL_DIGITS);
  if (value === 0) return { digits: "0".repeat(precision + 1), exponent: 0 };
  let exponent = Number(Math.abs(value).toExponential().split("e")[1]);
  let digits = scaled(value, known - exponent).toString();
  if (digits.length > known + 1) {
    exponent++;
    digits = scaled(value, known - exponent).toString();
  }
  return { digits: digits.padEnd(precision + 1, "0"), exponent };
}

export function scientificText(value: number, precision: number): string {
  const { digits, exponent } = scientificDigits(value, precision);
  const fraction = digits.slice(1);
  return `${digits.charAt(0)}${fraction === "" ? "" : "."}${fraction}e${exponentText(exponent)}`;
}

export type GeneralOptions = {
  /** Keep zeros at the end, and the point. */
  readonly alternate: boolean;
  /** At least one digit after the point, as a float without a format type has. */
  readonly pointed: boolean;
};

/** Fixed or scientific, whichever is shorter, with `precision` digits in all. */
export function generalText(value: number, precision: number, options: GeneralOptions): string {
  const wanted = Math.max(1, precision);
  const { exponent } = scientificDigits(value, wanted - 1);
  const isFixed = exponent >= -4 && exponent < (options.pointed ? wanted - 1 : wanted);
  const text = isFixed ? fixedDigits(value, wanted - 1 - exponent) : scientificText(value, wanted - 1);
  if (options.alternate) return text.includes(".") ? text : text.replace(/(?=e|$)/, ".");
  const short = trimZeros(text);
  return options.pointed && isFixed && !short.includes(".") ? `${short}.0` : short;
}

function trimZeros(text: string): string {
  const [mantissa = "", power] = text.split("e");
  let end = mantissa.length;
  if (mantissa.includes(".")) {
    while (mantissa.charAt(end - 1) === "0") end--;
    if (mantissa.charAt(end - 1) === ".") end--;
  }
  return mantissa.slice(0, end) + (power === undefined ? "" : `e${power}`);
}

/** `round(value, digits)` of a float. */
export function roundFloat(value: number, digits: number): number {
  if (!Number.isFinite(value) || digits > 330) return value;
  if (digits < -310) return value < 0 || Object.is(value, -0) ? -0 : 0;
  const size = Number(
    digits >= 0 ? fixedDigits(value, digits) : (scaled(value, digits) * 10n ** BigInt(-digits)).toString(),
  );
  return value < 0 || Object.is(value, -0) ? -size : size;
}
