// An orchestrator's record as it is read from the database, in every shape that FiftyOne's programs are known to write.
// Pure: a document in, an Orchestrator out. Knows nothing of clusters or of where secrets are.
import { OpjobError } from "../errors.ts";

export type Orchestrator = {
  /** The logical key; an operation's `delegation_target` names it. */
  readonly id: string;
  readonly image: string | undefined;
  readonly executionTemplate: string | undefined;
  readonly registrationTemplate: string | undefined;
  readonly namespace: string | undefined;
  readonly context: string | undefined;
  /** Name of the secret that holds the kubeconfig; undefined: in-cluster or default credentials. */
  readonly kubeconfigSecret: string | undefined;
  /** How many of its operations may be in flight at once; 0: no limit; undefined: as the settings say. */
  readonly maxInFlight: number | undefined;
  readonly updatedAt: Date | undefined;
};

type Document = Readonly<Record<string, unknown>>;

/**
 * Reads a record. `config` and `secrets` may stand under "kubernetes" or be flat, in camelCase or snake_case:
 * no public source fixes it, and the Management SDK reads back another shape than it is given.
 * @throws OpjobError ORCHESTRATOR_INVALID naming the field
 */
export function parseOrchestrator(document: Document): Orchestrator {
  const id = document["instance_id"];
  if (typeof id !== "string" || id === "") throw invalid(String(document["_id"]), "instance_id", "a text");
  const config = section(id, document, "config");
  const secrets = section(id, document, "secrets");
  return {
    id,
    image: text(id, config, "image"),
    executionTemplate: text(id, config, "executionTmplUri", "execution_tmpl_uri"),
    registrationTemplate: text(id, config, "registrationTmplUri", "registration_tmpl_uri"),
    namespace: text(id, config, "namespace"),
    context: text(id, config, "context"),
    kubeconfigSecret: text(id, secrets, "kubeConfig", "kube_config"),
    maxInFlight: count(id, config, "maxInFlight", "max_in_flight"),
    updatedAt: document["updated_at"] instanceof Date ? document["updated_at"] : undefined,
  };
}

/** A secret's name as FiftyOne looks it up: its words joined by "_", in upper case. */
export function normaliseSecretName(name: string): string {
  return (name.match(/[\p{L}\p{N}_]+/gu) ?? []).join("_").toUpperCase();
}

function section(id: string, document: Document, field: string): Document {
  const outer = document[field];
  if (outer === undefined || outer === null) return {};
  if (!isDocument(outer)) throw invalid(id, field, "an object");
  const inner = outer["kubernetes"] ?? outer["KUBERNETES"];
  if (inner === undefined || inner === null) return outer;
  if (!isDocument(inner)) throw invalid(id, `${field}.kubernetes`, "an object");
  return { ...outer, ...inner };
}

/** The first of the spellings that holds something; an empty text counts as absent. */
function text(id: string, from: Document, ...spellings: string[]): string | undefined {
  for (const spelling of spellings) {
    const value = from[spelling];
    if (value === undefined || value === null || value === "") continue;
    if (typeof value !== "string") throw invalid(id, spelling, "a text");
    return value;
  }
  return undefined;
}

/** A whole number from 0 on, also one that was stored as a text or as a 64-bit integer. */
function count(id: string, from: Document, ...spellings: string[]): number | undefined {
  for (const spelling of spellings) {
    const value = from[spelling];
    if (value === undefined || value === null || value === "") continue;
    const number = ["number", "string", "bigint"].includes(typeof value) ? Number(value) : Number.NaN;
    if (!Number.isSafeInteger(number) || number < 0) throw invalid(id, spelling, "a whole number from 0 on");
    return number;
  }
  return undefined;
}

export const isDocument = (value: unknown): value is Document =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);

const invalid = (id: string, field: string, wanted: string) =>
  new OpjobError("ORCHESTRATOR_INVALID", `The record of orchestrator "${id}" is wrong: ${field} must be ${wanted}.`);
