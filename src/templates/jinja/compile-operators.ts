// What operators do with operands that are compiled already.
// It knows values and functions; which node stands for which operator is the business of compile-expressions.ts.
import { type BinaryOperator, calculate, negate } from "./arithmetic.ts";
import type { Evaluate } from "./compile-context.ts";
import { formatPercentValue } from "./format-markup.ts";
import { isTrue } from "./sequences.ts";
import { isText, type Value } from "./values.ts";

export const binary =
  (operator: BinaryOperator, a: Evaluate, b: Evaluate): Evaluate =>
  (run, scope) => {
    const x = a(run, scope);
    const y = b(run, scope);
    return operator === "%" && isText(x) ? formatPercentValue(run, x, y) : calculate(run, operator, x, y);
  };

export const unary =
  (apply: (value: Value) => Value, operand: Evaluate): Evaluate =>
  (run, scope) => {
    run.charge(1);
    return apply(operand(run, scope));
  };

/** `or` and `and` give one of their operands. */
export const choice =
  (stopsAt: boolean, a: Evaluate, b: Evaluate): Evaluate =>
  (run, scope) => {
    const value = a(run, scope);
    return isTrue(value) === stopsAt ? value : b(run, scope);
  };

const isNegative = (value: Value): value is bigint | number =>
  (typeof value === "bigint" && value < 0n) || (typeof value === "number" && (value < 0 || Object.is(value, -0)));

/**
 * The power of a constant base. Jinja2 computes such a base beforehand and writes it before Python's `**`, where a minus sign
 * binds less than the power: `(-1) ** n` is `-(1 ** n)` there.
 */
export const powerOfConstant =
  (base: Evaluate, exponent: Evaluate): Evaluate =>
  (run, scope) => {
    const x = base(run, scope);
    const y = exponent(run, scope);
    return isNegative(x) ? negate(calculate(run, "**", negate(x), y)) : calculate(run, "**", x, y);
  };
