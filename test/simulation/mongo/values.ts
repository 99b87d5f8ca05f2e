// Values of documents: when two are the same, which comes first, what stands at a path. As MongoDB has it, for the kinds of
// values that operations hold. Pure.
import { ObjectId } from "mongodb";
import { NotSimulated } from "../not-simulated.ts";

export type Doc = { [field: string]: unknown };

export const isDoc = (value: unknown): value is Doc =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Date) &&
  !(value instanceof ObjectId) &&
  !(value instanceof Uint8Array) &&
  !("_bsontype" in value);

/** A copy that shares nothing changeable. */
export function copy<T>(value: T): T {
  if (Array.isArray(value)) return value.map(copy) as T;
  if (!isDoc(value)) return value;
  const made: Doc = {};
  for (const name in value) if (value[name] !== undefined) made[name] = copy(value[name]);
  return made as T;
}

/** A missing value is no null here: the caller decides whether they are the same. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (a instanceof Date) return b instanceof Date && a.getTime() === b.getTime();
  return a instanceof ObjectId ? a.equals(b as ObjectId) : sameInside(a, b);
}

const sameInside = (a: object, b: object): boolean =>
  Array.isArray(a) ? sameLists(a, b) : isDoc(a) && isDoc(b) && sameDocs(a, b);

const sameLists = (a: unknown, b: unknown): boolean =>
  Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((one, i) => same(one, b[i]));

/** The order of fields counts. */
function sameDocs(a: Doc, b: Doc): boolean {
  const [names, others] = [Object.keys(a), Object.keys(b)];
  return names.length === others.length && names.every((name, i) => name === others[i] && same(a[name], b[name]));
}

const KINDS = ["missing", "null", "number", "string", "object", "array", "objectId", "bool", "date"] as const;
export type Kind = (typeof KINDS)[number];

export function kindOf(value: unknown): Kind {
  if (value === undefined) return "missing";
  if (value === null) return "null";
  if (value instanceof Date) return "date";
  if (value instanceof ObjectId) return "objectId";
  if (Array.isArray(value)) return "array";
  const type = typeof value;
  return type === "number" || type === "string" ? type : type === "boolean" ? "bool" : "object";
}

/** MongoDB's order over all kinds of values; a missing value sorts as null does. */
export function compare(a: unknown, b: unknown): number {
  const [kind, other] = [kindOf(a), kindOf(b)];
  const kinds = Math.max(1, KINDS.indexOf(kind)) - Math.max(1, KINDS.indexOf(other));
  if (kinds !== 0) return kinds;
  if ((kind === "object" || kind === "array") && !same(a, b)) throw new NotSimulated(`the order of two of ${kind}`);
  const [left, right] = [ordered(a), ordered(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

function ordered(value: unknown): number | string {
  if (value instanceof Date) return value.getTime();
  if (value instanceof ObjectId) return value.toHexString();
  if (typeof value === "boolean") return Number(value);
  return typeof value === "number" || typeof value === "string" ? value : 0;
}

/** What stands at a dotted path; undefined: nothing. Lists on the way are not looked into. */
export function at(doc: unknown, path: string): unknown {
  if (!path.includes(".")) return isDoc(doc) ? doc[path] : undefined;
  let value: unknown = doc;
  for (const name of path.split(".")) {
    if (!isDoc(value)) return undefined;
    value = value[name];
  }
  return value;
}

/** Sets a dotted path in a document that is the caller's to change; what is no document on the way is refused, as MongoDB does. */
export function put(doc: Doc, path: string, value: unknown): void {
  const names = path.split(".");
  const last = names.pop() as string;
  let place = doc;
  for (const name of names) {
    const inner = place[name];
    if (inner !== undefined && !isDoc(inner)) throw new Error(`Cannot create field in element {${name}: …}`);
    if (inner === undefined) place[name] = {};
    place = place[name] as Doc;
  }
  if (value === undefined) delete place[last];
  else place[last] = value;
}

/** The fields in which two documents differ, by dotted paths, as a change event tells them; undefined: removed. */
export function difference(before: Doc, after: Doc, prefix = ""): Doc {
  const changed: Doc = {};
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [was, is] = [before[name], after[name]];
    if (same(was, is)) continue;
    if (isDoc(was) && isDoc(is)) Object.assign(changed, difference(was, is, `${prefix}${name}.`));
    else changed[`${prefix}${name}`] = is;
  }
  return changed;
}
