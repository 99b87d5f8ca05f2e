// Kubernetes' rules for names and labels, told before a cluster is asked: the field, what is wrong with it, and what to do.
// Pure. Knows rules only; what opjob adds itself keeps to them (naming.ts).
import { OpjobError } from "../errors.ts";
import { fieldOf, isObject, type Json, type JsonObject } from "./json.ts";

/** A label of the domain name system, and names made of several. */
const DNS_LABEL = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;
const DNS_NAME = /^[a-z0-9](?:[-.a-z0-9]*[a-z0-9])?$/;
const QUALIFIED = /^[A-Za-z0-9](?:[-_.A-Za-z0-9]*[A-Za-z0-9])?$/;

const WORDS = 'small letters, digits and "-", with a letter or digit at both ends';

/**
 * Refuses names and labels that no cluster takes.
 * @throws OpjobError TEMPLATE_JOB_INVALID with the field and the remedy
 */
export function requireAcceptable(job: JsonObject, name: string): void {
  const metadata = job["metadata"];
  const template = fieldOf(job["spec"], "template");
  const fault =
    namesFault(metadata) ??
    mapsFault("metadata", metadata) ??
    mapsFault("spec.template.metadata", fieldOf(template, "metadata")) ??
    containersFault(fieldOf(template, "spec"));
  if (fault)
    throw new OpjobError(
      "TEMPLATE_JOB_INVALID",
      `The template "${name}" gives a Job that no cluster takes: ${fault.why}.`,
      { remedy: fault.remedy },
    );
}

type Fault = { readonly why: string; readonly remedy: string };

function namesFault(metadata: Json | undefined): Fault | undefined {
  return nameFault(metadata, "name") ?? nameFault(metadata, "generateName") ?? namespaceFault(metadata);
}

function nameFault(metadata: Json | undefined, field: string): Fault | undefined {
  const value = fieldOf(metadata, field) ?? "";
  // Its end is opjob's to write; a generateName ends in "-" as a rule.
  if (value === "" || (typeof value === "string" && DNS_NAME.test(value.replace(/[-.]+$/, "")))) return undefined;
  return fault(
    `metadata.${field}`,
    `must consist of ${WORDS}`,
    'Use {{ _name }}, which is such a name, or `| lower | replace("_", "-")`.',
  );
}

function namespaceFault(metadata: Json | undefined): Fault | undefined {
  const value = fieldOf(metadata, "namespace") ?? "";
  if (value === "" || (typeof value === "string" && DNS_LABEL.test(value) && value.length <= 63)) return undefined;
  return fault("metadata.namespace", `must be at most 63 ${WORDS}`, "Correct the namespace in the template.");
}

/** Labels hold short words; annotations may hold any text, under keys of the same form. */
function mapsFault(path: string, metadata: Json | undefined): Fault | undefined {
  for (const map of ["labels", "annotations"]) {
    const entries = fieldOf(metadata, map);
    if (!isObject(entries)) continue;
    for (const [key, value] of Object.entries(entries)) {
      const found =
        keyFault(`${path}.${map}`, key) ?? (map === "labels" ? labelFault(`${path}.labels`, key, value) : undefined);
      if (found) return found;
    }
  }
  return undefined;
}

function keyFault(path: string, key: string): Fault | undefined {
  const slash = key.indexOf("/");
  const prefix = slash < 0 ? undefined : key.slice(0, slash);
  const local = key.slice(slash + 1);
  const fits =
    QUALIFIED.test(local) &&
    local.length <= 63 &&
    (prefix === undefined || (DNS_NAME.test(prefix) && prefix.length <= 253));
  if (fits) return undefined;
  return fault(
    `the key ${JSON.stringify(key.slice(0, 80))} of ${path}`,
    'must be a name of at most 63 letters, digits, "-", "_" and ".", perhaps after a domain and "/"',
    "Correct the key in the template.",
  );
}

function labelFault(path: string, key: string, value: Json): Fault | undefined {
  if (typeof value !== "string" || value === "" || (QUALIFIED.test(value) && value.length <= 63)) return undefined;
  return fault(
    `${path}.${key}`,
    `must be at most 63 letters, digits, "-", "_" and ".", with a letter or digit at both ends; it has ${value.length} characters`,
    "Shorten or change the label's value, or make it an annotation, which may hold any text.",
  );
}

function containersFault(pod: Json | undefined): Fault | undefined {
  for (const list of ["initContainers", "containers"]) {
    const containers = fieldOf(pod, list);
    if (!Array.isArray(containers)) continue;
    for (const [at, container] of containers.entries()) {
      const name = fieldOf(container, "name");
      if (typeof name !== "string" || (DNS_LABEL.test(name) && name.length <= 63)) continue;
      return fault(
        `spec.template.spec.${list}[${at}].name`,
        `must be at most 63 ${WORDS}`,
        "Correct the container's name in the template.",
      );
    }
  }
  return undefined;
}

const fault = (field: string, rule: string, remedy: string): Fault => ({ why: `${field} ${rule}`, remedy });
