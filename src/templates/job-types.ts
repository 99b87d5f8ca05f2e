// What Kubernetes wants at each place of a Job, from a table that is generated out of the client library's models.
// Pure. Knows the table's notation; nothing of YAML or templates.
import models from "./job-types.json" with { type: "json" };

/** A text, a list or map of something, an object with fields, or anything. */
export type Wanted =
  | { readonly kind: "string" }
  | { readonly kind: "list"; readonly of: Wanted }
  | { readonly kind: "map"; readonly of: Wanted }
  | { readonly kind: "object"; readonly fields: ReadonlyMap<string, Wanted> }
  | { readonly kind: "any" };

const known = new Map<string, Wanted>();

/** The type of a Job. */
export const wantedOfJob = (): Wanted => wanted("V1Job");

/** Reads the notation of the models: `string`, `Array<V1EnvVar>`, `{ [key: string]: string; }`, a model's name. */
function wanted(type: string): Wanted {
  const list = /^Array<(.*)>$/.exec(type)?.[1];
  if (list !== undefined) return { kind: "list", of: wanted(list) };
  const map = /^\{ \[key: string\]: (.*?);? \}$/.exec(type)?.[1];
  if (map !== undefined) return { kind: "map", of: wanted(map) };
  if (type === "string" || type === "Date" || type === "V1MicroTime") return { kind: "string" };
  return known.get(type) ?? wantedOfModel(type);
}

function wantedOfModel(type: string): Wanted {
  const model = (models as Readonly<Record<string, Readonly<Record<string, string>>>>)[type];
  if (model === undefined) return { kind: "any" };
  const fields = new Map<string, Wanted>();
  const object: Wanted = { kind: "object", fields };
  known.set(type, object); // before its fields: some models contain themselves
  for (const [name, fieldType] of Object.entries(model)) fields.set(name, wanted(fieldType));
  return object;
}

const ANY: Wanted = { kind: "any" };

/** The fields that an object at this place of a Job may have (`spec.template.spec.containers[0]`); none where any may stand. */
export function knownFields(path: string): string[] {
  let at: Wanted = wantedOfJob();
  for (const [, name] of path.matchAll(/([^.[\]]+)(?:\[\d+\])?/g)) {
    if (name === undefined) continue;
    const inner = fieldWanted(at, name);
    at = inner.kind === "list" ? inner.of : inner;
  }
  return at.kind === "object" ? [...at.fields.keys()] : [];
}

/** What is wanted in a field of what is wanted. */
export function fieldWanted(wanted: Wanted, name: string): Wanted {
  if (wanted.kind === "map") return wanted.of;
  return (wanted.kind === "object" ? wanted.fields.get(name) : undefined) ?? ANY;
}
