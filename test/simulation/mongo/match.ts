// Filters: whether a document matches. As many operators as an orchestrator's filters need; one that is not known here stops
// the simulation. Pure.
import { NotSimulated } from "../not-simulated.ts";
import { evaluate } from "./expression.ts";
import { compare, type Doc, isDoc, kindOf, same } from "./values.ts";

export function matches(doc: Doc, filter: Doc): boolean {
  for (const name in filter) if (!holds(doc, name, filter[name])) return false;
  return true;
}

function holds(doc: Doc, name: string, condition: unknown): boolean {
  if (!name.startsWith("$")) return meets(valuesAt(doc, name), condition);
  const all = condition as Doc[];
  switch (name) {
    case "$and":
      return all.every((one) => matches(doc, one));
    case "$or":
      return all.some((one) => matches(doc, one));
    case "$nor":
      return !all.some((one) => matches(doc, one));
    case "$expr":
      return evaluate(condition, doc) === true;
    default:
      throw new NotSimulated(`the filter ${name}`);
  }
}

/**
 * What a filter compares: the value at a path and, where it is a list, also its elements. [undefined]: there is none. Along a
 * list only the documents in it are looked into: there may be nothing at all to compare.
 */
function valuesAt(doc: unknown, path: string): unknown[] {
  const dot = path.indexOf(".");
  const name = dot < 0 ? path : path.slice(0, dot);
  if (Array.isArray(doc)) return doc.flatMap((one) => (isDoc(one) ? valuesAt(one, path) : []));
  const value = isDoc(doc) ? doc[name] : undefined;
  if (dot >= 0) {
    // An event's updatedFields name paths with their dots.
    if (isDoc(doc) && path in doc) return [doc[path]];
    return isDoc(value) || Array.isArray(value) ? valuesAt(value, path.slice(dot + 1)) : [undefined];
  }
  return Array.isArray(value) ? [value, ...value] : [value];
}

const isOperators = (condition: unknown): condition is Doc =>
  isDoc(condition) && (Object.keys(condition)[0] ?? "").startsWith("$");

function meets(values: readonly unknown[], condition: unknown): boolean {
  if (!isOperators(condition)) return values.some((value) => equals(value, condition));
  return Object.entries(condition).every(([operator, wanted]) => {
    const test = TESTS[operator];
    if (test === undefined) throw new NotSimulated(`the filter operator ${operator}`);
    return test(values, wanted);
  });
}

/** A filter for null finds also what is missing. */
const equals = (value: unknown, wanted: unknown): boolean =>
  same(value, wanted) || (value === undefined && wanted === null);

type Test = (values: readonly unknown[], wanted: unknown) => boolean;

const among: Test = (values, wanted) => (wanted as unknown[]).some((one) => values.some((value) => equals(value, one)));
const ordered =
  (right: (order: number) => boolean): Test =>
  (values, wanted) =>
    values
      .map((value) => (value === undefined ? null : value))
      .some((value) => kindOf(value) === kindOf(wanted) && right(compare(value, wanted)));
const typed: Test = (values, wanted) => [wanted].flat().some((one) => values.some((value) => kindOf(value) === one));

const TESTS: Readonly<Record<string, Test>> = {
  $eq: (values, wanted) => values.some((value) => equals(value, wanted)),
  $ne: (values, wanted) => !values.some((value) => equals(value, wanted)),
  $in: among,
  $nin: (values, wanted) => !among(values, wanted),
  $exists: (values, wanted) => values.some((value) => value !== undefined) === Boolean(wanted),
  $type: typed,
  $gt: ordered((order) => order > 0),
  $gte: ordered((order) => order >= 0),
  $lt: ordered((order) => order < 0),
  $lte: ordered((order) => order <= 0),
  $not: (values, wanted) => !meets(values, wanted),
};
