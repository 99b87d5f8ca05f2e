// From rendered text to one Job: YAML as a Python loader reads it, with a text wherever Kubernetes wants a text.
// Pure. Knows YAML and the shape of a Job; nothing of operations or of how the text was rendered.
import { type Document, isScalar, LineCounter, parseAllDocuments } from "yaml";
import { OpjobError } from "../errors.ts";
import { wantedOfJob } from "./job-types.ts";
import { fieldOf, isObject, type Json, type JsonObject } from "./json.ts";
import { readDocument, YamlFault } from "./yaml-reader.ts";

/**
 * The Job in a rendered template.
 * @param name the template's name, for errors
 * @throws OpjobError TEMPLATE_YAML_INVALID with line and column of the rendered text, TEMPLATE_NOT_A_JOB with what is missing
 */
export function parseManifest(text: string, name: string): JsonObject {
  // YAML 1.1 is what Python's loaders and Kubernetes' own tools speak: 0644 is octal, yes is true.
  const lineCounter = new LineCounter();
  const options = { version: "1.1", uniqueKeys: false, logLevel: "silent", prettyErrors: false, lineCounter } as const;
  const parsed = parseAllDocuments(text, options) as Document[];
  const yamlInvalid = (why: string, offset: number): OpjobError => {
    const { line, col } = lineCounter.linePos(offset);
    const place = `line ${line}, column ${col} of the rendered text`;
    return new OpjobError(
      "TEMPLATE_YAML_INVALID",
      `The template "${name}" renders to invalid YAML (${place}): ${why}.`,
    );
  };
  const error = parsed.flatMap(({ errors }) => errors)[0];
  // The parser quotes what it did not expect, which may be a value that is secret.
  if (error) throw yamlInvalid(error.message.replace(/: ".*"$/s, ""), error.pos[0]);
  const documents = parsed.filter(
    ({ contents }) => contents !== null && !(isScalar(contents) && contents.value === null),
  );
  const [document] = documents;
  if (document === undefined || documents.length !== 1) {
    throw notAJob(name, documents.length === 0 ? "it renders to nothing" : `it renders ${documents.length} documents`);
  }
  try {
    const job = readDocument(document, text, wantedOfJob());
    requireJob(job, name);
    return job;
  } catch (fault) {
    throw fault instanceof YamlFault ? yamlInvalid(fault.message, fault.offset) : fault;
  }
}

const notAJob = (name: string, why: string) =>
  new OpjobError("TEMPLATE_NOT_A_JOB", `The template "${name}" gives no Job: ${why}.`);

function requireJob(job: Json, name: string): asserts job is JsonObject {
  if (!isObject(job)) throw notAJob(name, "it renders to no object");
  if (job["apiVersion"] !== "batch/v1" || job["kind"] !== "Job") {
    const got = [job["apiVersion"], job["kind"]].map((part) => (typeof part === "string" ? part : "nothing")).join(" ");
    throw notAJob(name, `apiVersion and kind must be "batch/v1 Job", not "${got}"`);
  }
  const pod = fieldOf(fieldOf(job["spec"], "template"), "spec");
  const containers = fieldOf(pod, "containers");
  if (!Array.isArray(containers) || containers.length === 0) {
    throw notAJob(name, "spec.template.spec.containers must hold at least one container");
  }
  const wrong = containers.findIndex((container) => !isObject(container));
  if (wrong >= 0) throw notAJob(name, `spec.template.spec.containers[${wrong}] must be an object`);
  for (const section of ["metadata", "spec"]) {
    if (job[section] !== undefined && !isObject(job[section])) throw notAJob(name, `${section} must be an object`);
  }
}
