// What opjob adds to a team's Job: its name, its namespace, our labels and annotations. The author's own are never changed.
// Pure: a manifest and facts in, the Job to be created out.
import {
  DATABASE_ANNOTATION,
  LABELS,
  ORCHESTRATOR_ANNOTATION,
  QUEUED_ANNOTATION,
  queueingOf,
} from "../clusters/observation.ts";
import { fieldOf, isObject, type Json, type JsonObject } from "./json.ts";
import { finalName, labelValue } from "./naming.ts";

export type Stamp = {
  readonly operation: string;
  readonly operator: string;
  readonly orchestrator: string;
  readonly attempt: number;
  /** When the operation was queued that the Job is made for; null: its document does not say. */
  readonly queuedAt: Date | null;
  /** Fingerprint of the database: another opjob's Jobs in the same namespace are told apart by it. */
  readonly database: string;
  /** The namespace where the template names none. */
  readonly namespace: string;
};

export type StampedJob = { readonly name: string; readonly namespace: string; readonly manifest: JsonObject };

/** The Job as it is sent to the cluster. Its name is a function of the operation and its attempt. */
export function stampJob(manifest: JsonObject, stamp: Stamp): StampedJob {
  const { operation, attempt, orchestrator, operator, queuedAt, database } = stamp;
  return stamped(manifest, {
    named: (rendered) => finalName(rendered, operation, attempt),
    namespace: stamp.namespace,
    labels: {
      [LABELS.operation]: operation,
      [LABELS.orchestrator]: labelValue(orchestrator),
      [LABELS.attempt]: String(attempt),
    },
    annotations: {
      [ORCHESTRATOR_ANNOTATION]: orchestrator,
      "opjob/operator": operator,
      [DATABASE_ANNOTATION]: database,
      [QUEUED_ANNOTATION]: queueingOf(queuedAt),
    },
  });
}

export type RegistrationStamp = Pick<Stamp, "orchestrator" | "database" | "namespace"> & {
  /** Tells one refresh from another; 24 hexadecimal digits, as an operation's id has. */
  readonly registration: string;
};

/** Where a template names no time: nobody follows the Job for longer, and refreshes by cron would heap up (s). */
const KEPT = 86_400;

/** A Job that reports an orchestrator's operators. It has no operation: by its labels it is none of their Jobs. */
export function stampRegistration(manifest: JsonObject, stamp: RegistrationStamp): StampedJob {
  const { registration, orchestrator, database, namespace } = stamp;
  const {
    name,
    namespace: place,
    manifest: job,
  } = stamped(manifest, {
    named: (rendered) => finalName(rendered, registration, 1),
    namespace,
    labels: { [LABELS.registration]: registration, [LABELS.orchestrator]: labelValue(orchestrator) },
    annotations: { [ORCHESTRATOR_ANNOTATION]: orchestrator, [DATABASE_ANNOTATION]: database },
  });
  const spec = { ttlSecondsAfterFinished: KEPT, ...objectOf(job["spec"]) };
  return { name, namespace: place, manifest: { ...job, spec } };
}

type Marks = {
  readonly named: (rendered: string) => string;
  readonly namespace: string;
  readonly labels: JsonObject;
  readonly annotations: JsonObject;
};

function stamped(manifest: JsonObject, marks: Marks): StampedJob {
  const metadata = objectOf(manifest["metadata"]);
  const name = marks.named(textOf(metadata["name"]) ?? textOf(metadata["generateName"]) ?? "");
  const namespace = textOf(metadata["namespace"]) ?? marks.namespace;
  const { generateName: _, ...kept } = metadata;
  const spec = objectOf(manifest["spec"]);
  const template = objectOf(spec["template"]);
  return {
    name,
    namespace,
    manifest: {
      ...manifest,
      metadata: mark({ ...kept, name, namespace }, marks),
      spec: { ...spec, template: { ...template, metadata: mark(objectOf(template["metadata"]), marks) } },
    },
  };
}

/** Our selectors are our own labels; `managed-by` may be the author's. */
function mark(metadata: JsonObject, { labels, annotations }: Marks): JsonObject {
  return {
    ...metadata,
    labels: { [LABELS.managedBy]: "opjob", ...objectOf(metadata["labels"]), ...labels },
    annotations: { ...objectOf(metadata["annotations"]), ...annotations },
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
