// Field selectors: only the fields that the real server selects by, refused in its words otherwise. Pure.
import type { Selector } from "./label-selector.ts";
import type { KubeObject } from "./objects.ts";
import type { Resource } from "./resources.ts";
import { badRequest } from "./status.ts";

const METADATA_FIELDS = ["metadata.name", "metadata.namespace"];
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  Pod: [
    "status.phase",
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "status.podIP",
  ],
  Job: ["status.successful"],
  Secret: ["type"],
  Namespace: ["status.phase"],
  Event: [
    ...["kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"].map(
      (f) => `involvedObject.${f}`,
    ),
    ...["reason", "reportingComponent", "source", "type"],
  ],
};

/** @throws ApiFailure 400 for a field that the real server does not select by */
export function parseFieldSelector(text: string, resource: Resource): Selector | undefined {
  if (text.trim() === "") return undefined;
  const tests = text.split(",").map((part) => {
    const match = /^\s*([^=!\s]+)\s*(==|=|!=)\s*(.*?)\s*$/.exec(part);
    if (!match) throw badRequest(`invalid selector: '${text}'; can't understand '${part}'`);
    const [, field = "", operator, value = ""] = match;
    if (!METADATA_FIELDS.includes(field) && !FIELDS[resource.kind]?.includes(field)) {
      throw badRequest(notSupported(field, resource));
    }
    return (object: KubeObject) => (fieldOf(object, field) === value) === (operator !== "!=");
  });
  return (object) => tests.every((test) => test(object));
}

function fieldOf(object: KubeObject, path: string): string {
  if (path === "status.successful") return fieldOf(object, "status.succeeded") || "0";
  let value: unknown = object;
  for (const step of path.split(".")) value = (value as Record<string, unknown> | undefined)?.[step];
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

function notSupported(field: string, { kind }: Resource): string {
  if (kind === "Job") return `field label "${field}" not supported for Job`;
  if (FIELDS[kind]) return `field label not supported: ${field}`;
  return `"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`;
}
