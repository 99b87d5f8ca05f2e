// Reads the body of a request as the API server does: unknown fields are found and dropped, wrong types are refused in Go's words.
// Knows the shapes of schema.ts, no rules about values.
import { isRecord, type KubeObject } from "./objects.ts";
import { groupVersion, type Resource } from "./resources.ts";
import { KINDS, metadata, type Scalar, type Shape, type Struct } from "./schema.ts";
import { badRequest } from "./status.ts";

export type Decoded = { readonly object: KubeObject; readonly unknown: readonly string[] };

/** Where the reader is: Go names the innermost struct and the field names (without indexes); unknown fields are named with them. */
type Place = { readonly struct: string; readonly fields: string; readonly path: string; readonly unknown: string[] };

class TypeMismatch extends Error {}

const QUANTITY = /^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$/;
const QUANTITY_RULE = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

/**
 * The object of a body that is meant for a resource, without nulls and unknown fields.
 * @returns the paths of the unknown fields beside it
 * @throws ApiFailure 400 for another kind or version, and for a value of a wrong type
 */
export function decode(body: unknown, resource: Resource): Decoded {
  const { kind } = resource;
  if (!isRecord(body)) {
    throw badRequest(`the object provided is unrecognized (must be of type ${kind}): not a JSON object`);
  }
  refuseOther(body, resource);
  const unknown: string[] = [];
  try {
    const value = readStruct(body, KINDS[kind] ?? openStruct(kind, body), {
      struct: kind,
      fields: "",
      path: "",
      unknown,
    });
    const { kind: _kind, apiVersion: _version, metadata: meta, ...rest } = value;
    const object = { kind, apiVersion: groupVersion(resource), metadata: meta ?? {}, ...rest };
    return { object: object as unknown as KubeObject, unknown };
  } catch (error) {
    if (!(error instanceof TypeMismatch)) throw error;
    throw cannotBeHandled(resource, error.message);
  }
}

const textOf = (value: unknown, otherwise: string): string => (typeof value === "string" ? value : otherwise);

/** A body may leave out its kind and version, but not name others. */
function refuseOther(body: Record<string, unknown>, resource: Resource): void {
  const kind = textOf(body["kind"], resource.kind);
  const version = textOf(body["apiVersion"], groupVersion(resource));
  if (kind === resource.kind && version === groupVersion(resource)) return;
  const last = version.slice(version.indexOf("/") + 1);
  const why = `no kind "${kind}" is registered for version "${version}" in scheme "pkg/api/legacyscheme/scheme.go:30"`;
  throw badRequest(`${kind} in version "${last}" cannot be handled as a ${resource.kind}: ${why}`);
}

/** The shape of a kind of which only the metadata is known. */
function openStruct(kind: string, body: Record<string, unknown>): Struct {
  const open = Object.fromEntries(Object.keys(body).map((key) => [key, "open" as const]));
  return { struct: kind, fields: () => ({ ...open, metadata }) };
}

/** The 400 of a body that cannot be read as the resource's kind. */
export const cannotBeHandled = (resource: Resource, why: string) =>
  badRequest(`${resource.kind} in version "${resource.version}" cannot be handled as a ${resource.kind}: ${why}`);

export const strictError = (resource: Resource, problems: readonly string[]) =>
  cannotBeHandled(resource, `strict decoding error: ${problems.join(", ")}`);

export const unknownField = (path: string): string => `unknown field "${path}"`;

function read(value: unknown, shape: Shape, place: Place): unknown {
  if (value === null || value === undefined) return undefined;
  if (shape === "open") return withoutNulls(value);
  if ("scalar" in shape) return readScalar(value, shape, place);
  if ("struct" in shape) {
    if (!isRecord(value)) throw mismatch(value, place, `v1.${shape.struct}`);
    return readStruct(value, shape, place);
  }
  if ("list" in shape) {
    if (!Array.isArray(value)) throw mismatch(value, place, goName(shape));
    return value.map(
      (item, index) => read(item, shape.list, { ...place, path: `${place.path}[${index}]` }) ?? zero(shape.list),
    );
  }
  if (!isRecord(value)) throw mismatch(value, place, goName(shape));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      read(item, shape.map, { ...place, path: `${place.path}.${key}` }) ?? zero(shape.map),
    ]),
  );
}

function readStruct(value: Record<string, unknown>, shape: Struct, place: Place): Record<string, unknown> {
  const fields = shape.fields();
  const result: Record<string, unknown> = {};
  for (const [name, item] of Object.entries(value)) {
    const path = place.path === "" ? name : `${place.path}.${name}`;
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (field === undefined) {
      place.unknown.push(path);
      continue;
    }
    const inner = {
      ...place,
      struct: shape.struct,
      fields: place.fields === "" ? name : `${place.fields}.${name}`,
      path,
    };
    const known = read(item, field, inner);
    if (known !== undefined) result[name] = known;
  }
  return result;
}

function readScalar(value: unknown, { scalar, go }: Scalar, place: Place): unknown {
  if (scalar === "quantity") return readQuantity(value);
  if (scalar === "time") return readTime(value);
  if (typeof value !== TYPES[scalar]) throw mismatch(value, place, go);
  if (scalar === "int" && !fits(Number(value), go)) throw mismatch(value, place, go, `number ${Number(value)}`);
  return value;
}

const TYPES = { string: "string", bool: "boolean", int: "number" } as const;

function readQuantity(value: unknown): string {
  if (typeof value !== "number" && typeof value !== "string") throw new TypeMismatch(QUANTITY_RULE);
  if (!QUANTITY.test(String(value))) throw new TypeMismatch(QUANTITY_RULE);
  return String(value);
}

/** Go reads a time from the left: what is no year is refused as such; the rest is told more plainly than Go does. */
function readTime(value: unknown): string {
  const text = String(value);
  if (MICRO_TIME.test(text) && !Number.isNaN(Date.parse(text))) return text;
  throw new TypeMismatch(`parsing time ${JSON.stringify(text)} as "${GO_TIME}": cannot parse "${text}" as "2006"`);
}

const GO_TIME = "2006-01-02T15:04:05.000000Z07:00";
const MICRO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)$/;

const fits = (value: number, go: string): boolean =>
  Number.isInteger(value) && Math.abs(value) <= (go === "int32" ? 2 ** 31 - 1 : Number.MAX_SAFE_INTEGER);

function mismatch(value: unknown, place: Place, go: string, described = describe(value)): TypeMismatch {
  return new TypeMismatch(
    `json: cannot unmarshal ${described} into Go struct field ${place.struct}.${place.fields} of type ${go}`,
  );
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return "array";
  return typeof value === "boolean" ? "bool" : typeof value;
}

function goName(shape: Shape): string {
  if (shape === "open") return "interface {}";
  if ("scalar" in shape) return shape.go;
  if ("struct" in shape) return `v1.${shape.struct}`;
  return "list" in shape ? `[]${goName(shape.list)}` : `map[string]${goName(shape.map)}`;
}

/** Go keeps the place of a null in a list or a map, with the zero value of its type. */
function zero(shape: Shape): unknown {
  if (shape === "open") return null;
  if ("scalar" in shape) return { string: "", int: 0, bool: false, quantity: "0", time: null }[shape.scalar];
  return "list" in shape ? [] : {};
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isRecord(value)) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== null);
  return Object.fromEntries(entries.map(([key, item]) => [key, withoutNulls(item)]));
}
