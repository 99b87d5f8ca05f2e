// What opjob adds to a team's Job: its name, its namespace, our labels and annotations. The author's own are never changed.
// Pure: a manifest and facts in, the Job to be created out.
import { DATABASE_ANNOTATION, LABELS, ORCHESTRATOR_ANNOTATION } from "../clusters/observation.ts";
import { fieldOf, isObject, type Json, type JsonObject } from "./json.ts";
import { finalName, labelValue } from "./naming.ts";

export type Stamp = {
  readonly operation: string;
  readonly operator: string;
  readonly orchestrator: string;
  readonly attempt: number;
  /** Fingerprint of the database: another opjob's Jobs in the same namespace are told apart by it. */
  readonly database: string;
  /** The namespace where the template names none. */
  readonly namespace: string;
};

export type StampedJob = { readonly name: string; readonly namespace: string; readonly manifest: JsonObject };

/** The Job as it is sent to the cluster. Its name is a function of the operation and its attempt. */
export function stampJob(manifest: JsonObject, stamp: Stamp): StampedJob {
  const metadata = objectOf(manifest["metadata"]);
  const rendered = textOf(metadata["name"]) ?? textOf(metadata["generateName"]) ?? "";
  const name = finalName(rendered, stamp.operation, stamp.attempt);
  const namespace = textOf(metadata["namespace"]) ?? stamp.namespace;
  const { generateName: _, ...kept } = metadata;
  const spec = objectOf(manifest["spec"]);
  const template = objectOf(spec["template"]);
  return {
    name,
    namespace,
    manifest: {
      ...manifest,
      metadata: mark({ ...kept, name, namespace }, stamp),
      spec: { ...spec, template: { ...template, metadata: mark(objectOf(template["metadata"]), stamp) } },
    },
  };
}

/** Our selector is the operation's label; `managed-by` may be the author's. */
function mark(metadata: JsonObject, stamp: Stamp): JsonObject {
  return {
    ...metadata,
    labels: {
      [LABELS.managedBy]: "opjob",
      ...objectOf(metadata["labels"]),
      [LABELS.operation]: stamp.operation,
      [LABELS.orchestrator]: labelValue(stamp.orchestrator),
      [LABELS.attempt]: String(stamp.attempt),
    },
    annotations: {
      ...objectOf(metadata["annotations"]),
      [ORCHESTRATOR_ANNOTATION]: stamp.orchestrator,
      "opjob/operator": stamp.operator,
      [DATABASE_ANNOTATION]: stamp.database,
    },
  };
}

/** The namespace that a manifest names itself; undefined: the orchestrator's applies. */
export const namespaceOf = (manifest: JsonObject): string | undefined =>
  textOf(fieldOf(manifest["metadata"], "namespace"));

/** The images of all containers of a Job, as it names them. */
export function imagesOf(manifest: JsonObject): string[] {
  const pod = fieldOf(fieldOf(manifest["spec"], "template"), "spec");
  const containers = ["initContainers", "containers"].flatMap((name) => fieldOf(pod, name) ?? []);
  return containers.flatMap((container) => textOf(fieldOf(container, "image")) ?? []);
}

const objectOf = (value: Json | undefined): JsonObject => (isObject(value) ? value : {});
const textOf = (value: Json | undefined): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;
