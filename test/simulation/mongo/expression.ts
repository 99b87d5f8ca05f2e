// Aggregation expressions: what one gives for a document. As many operators as filters and updates of an orchestrator need;
// one that is not known here stops the simulation instead of meaning nothing. Pure.
import { NotSimulated } from "../not-simulated.ts";
import { compare, copy, type Doc, isDoc, kindOf, same } from "./values.ts";

type Operator = (args: readonly unknown[], raw: unknown) => unknown;

/** What an expression gives; undefined: a missing value. */
export function evaluate(expression: unknown, doc: Doc): unknown {
  if (typeof expression === "string") return expression.startsWith("$") ? variable(expression, doc) : expression;
  if (Array.isArray(expression)) return expression.map((one) => evaluate(one, doc) ?? null);
  if (!isDoc(expression)) return expression;
  const [name = "", ...more] = Object.keys(expression);
  if (name.startsWith("$")) {
    if (more.length > 0) throw new NotSimulated(`an expression with two operators: ${Object.keys(expression).join()}`);
    return operate(name, expression[name], doc);
  }
  const made: Doc = {};
  for (const [field, value] of Object.entries(expression)) {
    const given = evaluate(value, doc);
    if (given !== undefined) made[field] = given;
  }
  return made;
}

function variable(text: string, doc: Doc): unknown {
  if (!text.startsWith("$$")) return copy(along(doc, text.slice(1).split(".")));
  if (text === "$$ROOT") return copy(doc);
  if (text === "$$REMOVE") return undefined;
  throw new NotSimulated(`the variable ${text}`);
}

/** A list on the way gives the list of what stands in its elements. */
function along(value: unknown, [name, ...rest]: readonly string[]): unknown {
  if (name === undefined) return value;
  if (Array.isArray(value)) return value.map((one) => along(one, [name, ...rest])).filter((one) => one !== undefined);
  return isDoc(value) ? along(value[name], rest) : undefined;
}

function operate(name: string, given: unknown, doc: Doc): unknown {
  if (name === "$literal") return given;
  if (name === "$cond") return condition(given, doc);
  const operator = OPERATORS[name];
  if (operator === undefined) throw new NotSimulated(`the operator ${name}`);
  const args = (Array.isArray(given) ? given : [given]).map((one) => evaluate(one, doc));
  return operator(args, given);
}

function condition(given: unknown, doc: Doc): unknown {
  const [test, then, otherwise] = Array.isArray(given)
    ? given
    : isDoc(given)
      ? [given["if"], given["then"], given["else"]]
      : [];
  return evaluate(truthy(evaluate(test, doc)) ? then : otherwise, doc);
}

const truthy = (value: unknown): boolean => value !== undefined && value !== null && value !== false && value !== 0;
const isNothing = (value: unknown): boolean => value === undefined || value === null;

/** In expressions a missing value comes before null, and is not the same. */
const order = (a: unknown, b: unknown): number =>
  isNothing(a) && isNothing(b) ? Number(a === null) - Number(b === null) : compare(a, b);

function sum(args: readonly unknown[]): unknown {
  if (args.some(isNothing)) return null;
  const total = args.reduce<number>((all, one) => all + (one instanceof Date ? one.getTime() : Number(one)), 0);
  return args.some((one) => one instanceof Date) ? new Date(total) : total;
}

function subtract([a, b]: readonly unknown[]): unknown {
  if (isNothing(a) || isNothing(b)) return null;
  if (a instanceof Date) return b instanceof Date ? a.getTime() - b.getTime() : new Date(a.getTime() - Number(b));
  return Number(a) - Number(b);
}

const extreme =
  (sign: number): Operator =>
  (args) =>
    args
      .flat()
      .filter((one) => !isNothing(one))
      .toSorted((a, b) => sign * compare(a, b))[0] ?? null;

const OPERATORS: Readonly<Record<string, Operator>> = {
  $ifNull: (args) => args.find((one) => !isNothing(one)) ?? args.at(-1),
  $add: sum,
  $subtract: subtract,
  $multiply: (args) => (args.some(isNothing) ? null : args.reduce<number>((all, one) => all * Number(one), 1)),
  $mergeObjects: (args) => Object.assign({}, ...args.filter((one) => !isNothing(one))) as Doc,
  $eq: ([a, b]) => same(a, b),
  $ne: ([a, b]) => !same(a, b),
  $gt: ([a, b]) => order(a, b) > 0,
  $gte: ([a, b]) => order(a, b) >= 0,
  $lt: ([a, b]) => order(a, b) < 0,
  $lte: ([a, b]) => order(a, b) <= 0,
  $and: (args) => args.every(truthy),
  $or: (args) => args.some(truthy),
  $not: ([a]) => !truthy(a),
  $in: ([a, list]) => Array.isArray(list) && list.some((one) => same(one, a)),
  $type: ([a]) => kindOf(a),
  $max: extreme(-1),
  $min: extreme(1),
  $isNumber: ([a]) => typeof a === "number",
  $size: ([a]) => (Array.isArray(a) ? a.length : 0),
  $concatArrays: (args) => args.flat(),
};
