// The operators + - * / // % ** and the signs, with Python's results.
// It knows values only. The `%` of texts is given to it, because formatting is a language of its own.
import { escapeValue } from "./escaping.ts";
import { Fault, typeFault } from "./jinja-error.ts";
import { asNumber, bitLength, chargeInteger } from "./numbers.ts";
import type { Run } from "./run.ts";
import { itemsOf, undefinedFault } from "./sequences.ts";
import { isText, Markup, Tuple, textOf, typeName, Undefined, type Value } from "./values.ts";

export type BinaryOperator = "+" | "-" | "*" | "/" | "//" | "%" | "**";

const divisionByZero = (): Fault => new Fault("ZeroDivisionError", "division by zero");
const tooLarge = (): Fault => new Fault("OverflowError", "the number is too large for a float");

function unsupported(operator: string, a: Value, b: Value): Fault {
  if (a instanceof Undefined) return undefinedFault(a);
  if (b instanceof Undefined) return undefinedFault(b);
  return typeFault(`'${operator}' does not work between a ${typeName(a)} and a ${typeName(b)}`);
}

/** An integer as a float. @throws Fault OverflowError */
export function floatOf(value: bigint | number): number {
  const float = Number(value);
  if (typeof value === "bigint" && !Number.isFinite(float)) throw tooLarge();
  return float;
}

/** All operators but `%` between texts. @throws Fault */
export function calculate(run: Run, operator: BinaryOperator, a: Value, b: Value): Value {
  run.charge(1);
  const x = asNumber(a);
  const y = asNumber(b);
  if (x !== undefined && y !== undefined) {
    if (typeof x === "bigint" && typeof y === "bigint") return INTEGER[operator](run, x, y);
    return FLOAT[operator](floatOf(x), floatOf(y));
  }
  const result = operator === "+" ? add(run, a, b) : operator === "*" ? repeat(run, a, b) : undefined;
  if (result === undefined) throw unsupported(operator, a, b);
  return result;
}

const INTEGER: Record<BinaryOperator, (run: Run, a: bigint, b: bigint) => bigint | number> = {
  "+": (run, a, b) => charged(run, a + b),
  "-": (run, a, b) => charged(run, a - b),
  "*": (run, a, b) => {
    run.checkBits(bitLength(a) + bitLength(b));
    return a * b;
  },
  "/": (run, a, b) => divideIntegers(charged(run, a), divisor(run, b)),
  "//": (run, a, b) => (charged(run, a) - floorModulo(a, divisor(run, b))) / b,
  "%": (run, a, b) => floorModulo(charged(run, a), divisor(run, b)),
  "**": powerOfIntegers,
};

function charged(run: Run, value: bigint): bigint {
  chargeInteger(run, value);
  return value;
}

/** @throws Fault ZeroDivisionError */
function divisor(run: Run, value: bigint): bigint {
  if (value === 0n) throw divisionByZero();
  return charged(run, value);
}

/** The remainder has the sign of the divisor. */
function floorModulo(a: bigint, b: bigint): bigint {
  const remainder = a % b;
  return remainder !== 0n && remainder < 0n !== b < 0n ? remainder + b : remainder;
}

const magnitude = (value: bigint): bigint => (value < 0n ? -value : value);
const isExact = (value: bigint): boolean => BigInt.asIntN(54, value) === value;

/** The float nearest to the quotient. Integers that no float holds are divided first, with digits enough to round once. */
function divideIntegers(a: bigint, b: bigint): number {
  if (isExact(a) && isExact(b)) return Number(a) / Number(b);
  if (a < 0n !== b < 0n) return -divideIntegers(magnitude(a), magnitude(b));
  if (a < 0n) return divideIntegers(-a, -b);
  const shift = Math.max(0, 66 - bitLength(a) + bitLength(b));
  const dividend = a << BigInt(shift);
  const quotient = dividend / b;
  // Any remainder tips the balance where the digits alone lie half way between two floats.
  const sticky = dividend % b === 0n ? quotient : quotient | 1n;
  const result = scaleDown(Number(sticky), shift);
  if (!Number.isFinite(result)) throw tooLarge();
  return result;
}

/** In two steps: a power of two beyond the smallest float would be zero. */
const scaleDown = (value: number, shift: number): number =>
  value / 2 ** Math.min(shift, 1000) / 2 ** Math.max(0, shift - 1000);

function powerOfIntegers(run: Run, base: bigint, exponent: bigint): bigint | number {
  if (exponent < 0n) return powerOfFloats(floatOf(base), floatOf(exponent));
  if (base >= -1n && base <= 1n) return exponent === 0n ? 1n : base === -1n && exponent % 2n === 0n ? 1n : base;
  run.checkBits(Number(exponent) * Math.max(1, bitLength(base) - 1));
  return base ** exponent;
}

const FLOAT: Record<BinaryOperator, (a: number, b: number) => number> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => {
    if (b === 0) throw divisionByZero();
    return a / b;
  },
  "//": floorDivide,
  "%": floatModulo,
  "**": powerOfFloats,
};

function floatModulo(a: number, b: number): number {
  if (b === 0) throw divisionByZero();
  const remainder = a % b;
  if (remainder === 0) return b < 0 ? -0 : 0;
  return remainder < 0 !== b < 0 ? remainder + b : remainder;
}

function floorDivide(a: number, b: number): number {
  if (b === 0) throw divisionByZero();
  const remainder = a % b;
  const below = remainder !== 0 && remainder < 0 !== b < 0 ? 1 : 0;
  const quotient = (a - remainder) / b - below;
  if (quotient === 0) return a / b < 0 || Object.is(a / b, -0) ? -0 : 0;
  const floor = Math.floor(quotient);
  return quotient - floor > 0.5 ? floor + 1 : floor;
}

function powerOfFloats(base: number, exponent: number): number {
  if (base === 0 && exponent < 0) throw new Fault("ZeroDivisionError", "zero to a negative power");
  const special = powerOfOne(base, exponent);
  if (special !== undefined) return special;
  const result = base ** exponent;
  if (!Number.isFinite(base) || !Number.isFinite(exponent) || Number.isFinite(result)) return result;
  if (!Number.isNaN(result)) throw tooLarge();
  throw new Fault("Unsupported", "a broken power of a negative number is complex, which templates cannot use here");
}

/** Where Python and JavaScript differ: 1 to any power, and -1 to an infinite one, are 1. */
function powerOfOne(base: number, exponent: number): number | undefined {
  if (base === 1) return 1;
  return base === -1 && (exponent === Number.POSITIVE_INFINITY || exponent === Number.NEGATIVE_INFINITY)
    ? 1
    : undefined;
}

function add(run: Run, a: Value, b: Value): Value | undefined {
  if (isText(a) && isText(b)) return addTexts(run, a, b);
  if (Array.isArray(a) && Array.isArray(b)) return concatenate(run, a, b);
  if (a instanceof Tuple && b instanceof Tuple) return new Tuple(concatenate(run, a.items, b.items));
  return undefined;
}

function addTexts(run: Run, a: string | Markup, b: string | Markup): Value {
  const escaping = a instanceof Markup || b instanceof Markup;
  const sum = escaping ? escapeValue(run, a).text + escapeValue(run, b).text : textOf(a) + textOf(b);
  run.checkString(sum.length);
  return escaping ? new Markup(sum) : sum;
}

function concatenate(run: Run, a: readonly Value[], b: readonly Value[]): Value[] {
  run.checkSequence(a.length + b.length);
  return [...a, ...b];
}

function repeat(run: Run, a: Value, b: Value): Value | undefined {
  const times = asNumber(b);
  if (typeof times === "bigint") return repeatSequence(run, a, times);
  const swapped = asNumber(a);
  return typeof swapped === "bigint" ? repeatSequence(run, b, swapped) : undefined;
}

function repeatSequence(run: Run, sequence: Value, times: bigint): Value | undefined {
  const count = Math.max(0, Number(times));
  if (isText(sequence)) {
    const text = textOf(sequence);
    if (text !== "") run.checkString(text.length * count);
    const result = text === "" ? "" : text.repeat(count);
    return sequence instanceof Markup ? new Markup(result) : result;
  }
  const items = itemsOf(sequence);
  if (!items) return undefined;
  if (items.length > 0) run.checkSequence(items.length * count);
  const repeated = items.length === 0 ? [] : Array.from({ length: count }, () => items).flat();
  return sequence instanceof Tuple ? new Tuple(repeated) : repeated;
}

export function negate(value: Value): Value {
  const number = signed("-", value);
  return -number;
}

export const affirm = (value: Value): Value => signed("+", value);

function signed(operator: string, value: Value): bigint | number {
  const number = asNumber(value);
  if (number !== undefined) return number;
  if (value instanceof Undefined) throw undefinedFault(value);
  throw typeFault(`the sign '${operator}' does not work before a ${typeName(value)}`);
}
