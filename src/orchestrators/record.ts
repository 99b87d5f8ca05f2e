// An orchestrator's record as it is written: new ones in the shape that the database already has, changes in the shape of
// the record that they change. Pure: fields in, documents, filters and updates out.
import { isDocument } from "./orchestrator.ts";
import { DEFAULT_SHAPE, environmentOf, shapeOf, shapeOfRecords } from "./record-shape.ts";

type Document = Readonly<Record<string, unknown>>;

/** What a person can say of an orchestrator beside its name. */
export type RecordFields = {
  readonly description: string;
  readonly executionTemplate: string;
  readonly registrationTemplate: string;
  readonly image: string;
  readonly namespace: string;
  readonly context: string;
  /** Name of the secret that holds its kubeconfig. */
  readonly kubeconfigSecret: string;
};
export type FieldName = keyof RecordFields;

/** A field that is `undefined` is taken away, one that is missing stays as it is. */
export type RecordChange = { readonly [K in FieldName]?: string | undefined };

/** Where each field stands, in both spellings; the first is the caller's of the Management SDK. */
const PLACES: Record<Exclude<FieldName, "description">, readonly ["config" | "secrets", string, string]> = {
  executionTemplate: ["config", "executionTmplUri", "execution_tmpl_uri"],
  registrationTemplate: ["config", "registrationTmplUri", "registration_tmpl_uri"],
  image: ["config", "image", "image"],
  namespace: ["config", "namespace", "namespace"],
  context: ["config", "context", "context"],
  kubeconfigSecret: ["secrets", "kubeConfig", "kube_config"],
};
export const FIELD_NAMES = ["description", ...Object.keys(PLACES)] as readonly FieldName[];

/** A new record in FiftyOne's own fields: `description` always, `deactivated_at` only once it is deactivated. */
export function newRecord(id: string, fields: RecordChange, documents: readonly Document[], now: Date): Document {
  const shapes = shapeOfRecords(documents);
  const partOf = (part: "config" | "secrets"): Document => {
    const { under, camel } = shapes[part];
    const entries = Object.entries(PLACES).flatMap(([field, [where, inCamel, inSnake]]) => {
      const value = fields[field as FieldName];
      return where === part && value !== undefined ? [[camel ? inCamel : inSnake, value]] : [];
    });
    const inner = Object.fromEntries(entries) as Document;
    return under === undefined || entries.length === 0 ? inner : { [under]: inner };
  };
  return {
    instance_id: id,
    description: fields.description ?? null,
    environment: "kubernetes",
    available_operators: [],
    config: partOf("config"),
    secrets: partOf("secrets"),
    created_at: now,
    updated_at: now,
  };
}

export type RecordUpdate = { readonly filter: Document; readonly update: Document };

/** Changes single fields where they stand, or where the record's other fields stand; nothing else is touched. */
export function updateRecord(document: Document, change: RecordChange, now: Date): RecordUpdate {
  const set: Record<string, unknown> = { updated_at: now };
  const unset: Record<string, ""> = {};
  const { description, ...rest } = change;
  if ("description" in change) set["description"] = description ?? null;
  for (const [field, value] of Object.entries(rest) as [keyof typeof PLACES, string | undefined][]) {
    const places = placesOf(document, field);
    const [target = places.fresh, ...others] = places.existing;
    if (value !== undefined) set[target] = value;
    // One spelling is left: which of two counts is nobody's business to know.
    for (const path of value === undefined ? places.existing : others) unset[path] = "";
  }
  withoutNullParts(document, set);
  return {
    filter: { _id: document["_id"], ...as(document, "config"), ...as(document, "secrets") },
    update: { $set: set, ...(Object.keys(unset).length > 0 && { $unset: unset }) },
  };
}

/** What the part was when it was read: another one's change in between is not overwritten. */
const as = (document: Document, part: string): Document => ({
  [part]: part in document ? document[part] : { $exists: false },
});

/** Where a field stands already, in the order in which it is read, and where it would stand. */
function placesOf(document: Document, field: keyof typeof PLACES) {
  const [part, camelName, snakeName] = PLACES[field];
  const outer = isDocument(document[part]) ? (document[part] as Document) : {};
  const under = environmentOf(outer);
  const inner = under === undefined ? undefined : (outer[under] as Document);
  const existing = [...new Set([camelName, snakeName])].flatMap((name) => [
    ...(inner && under !== undefined && name in inner ? [`${part}.${under}.${name}`] : []),
    ...(name in outer ? [`${part}.${name}`] : []),
  ]);
  const other = part === "config" ? "secrets" : "config";
  const shape = shapeOf(document, part) ?? shapeOf(document, other) ?? DEFAULT_SHAPE;
  const name = shape.camel ? camelName : snakeName;
  const place = under ?? (Object.keys(outer).length === 0 ? shape.under : undefined);
  return { existing, fresh: place === undefined ? `${part}.${name}` : `${part}.${place}.${name}` };
}

/** MongoDB sets no field of null: a part that is null becomes an object with what is set in it. */
function withoutNullParts(document: Document, set: Record<string, unknown>): void {
  for (const part of ["config", "secrets"]) {
    if (document[part] !== null) continue;
    for (const [path, value] of Object.entries(set)) {
      if (!path.startsWith(`${part}.`)) continue;
      delete set[path];
      set[part] = nest(path.split(".").slice(1), value, set[part]);
    }
  }
}

function nest([name = "", ...rest]: string[], value: unknown, into: unknown): Document {
  const kept = isDocument(into) ? into : {};
  return { ...kept, [name]: rest.length === 0 ? value : nest(rest, value, kept[name]) };
}
