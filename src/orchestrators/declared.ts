// Orchestrators as a team keeps them in git: YAML in the words of `fom.register_orchestrator`, one mapping a document or a list
// of them. Pure: text in, declarations out. What it does not know is refused, for a typing error would else change nothing.
import { type Document, LineCounter, parseAllDocuments } from "yaml";
import { OpjobError } from "../errors.ts";
import { didYouMean } from "../nearest.ts";
import { isDocument, parseOrchestrator } from "./orchestrator.ts";
import type { Declaration, Kubeconfig } from "./registration.ts";

type Mapping = Readonly<Record<string, unknown>>;

/** A declaration whose kubeconfig may stand in a file beside it. */
export type Declared = Omit<Declaration, "kubeconfig"> & {
  readonly kubeconfig: Kubeconfig | { readonly kind: "file"; readonly path: string };
};

const TOP = ["instance_id", "description", "environment", "config", "secrets"];
const CONFIG = ["image", "executionTmplUri", "registrationTmplUri", "namespace", "context"];
const CONFIG_IN_SNAKE = ["execution_tmpl_uri", "registration_tmpl_uri"];
const SECRETS = ["kubeConfig", "kubeConfigFile"];
const SECRETS_IN_SNAKE = ["kube_config", "kube_config_file"];
const ENVIRONMENTS = ["kubernetes", "KUBERNETES"];

/**
 * Reads a file of orchestrators.
 * @throws OpjobError INPUT_INVALID with the place
 */
export function parseDeclared(text: string, file: string): Declared[] {
  const entries = documentsOf(text, file).flatMap((document) => (Array.isArray(document) ? document : [document]));
  if (entries.length === 0) throw invalid(file, "it holds no orchestrator");
  const declared = entries.map((entry, i) => declaredOf(entry, `orchestrator ${i + 1}`, file));
  const twice = declared.find(({ id }, i) => declared.findIndex((other) => other.id === id) < i);
  if (twice) throw invalid(file, `"${twice.id}" stands in it twice`);
  return declared;
}

/** What each document holds; empty ones are left out. */
function documentsOf(text: string, file: string): unknown[] {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, logLevel: "silent" }) as Document[];
  const broken = parsed.flatMap(({ errors }) => errors)[0];
  if (broken) throw invalid(file, `line ${lines.linePos(broken.pos[0]).line} is not YAML`);
  try {
    return parsed.map((document) => document.toJS() as unknown).filter((value) => value !== null);
  } catch {
    throw invalid(file, "its aliases cannot be resolved");
  }
}

function declaredOf(entry: unknown, place: string, file: string): Declared {
  if (!isDocument(entry)) throw invalid(file, `${place} is no mapping`);
  known(entry, TOP, { where: place, file });
  const id = entry["instance_id"];
  if (typeof id !== "string" || id === "") throw invalid(file, `${place} has no instance_id`);
  requireEnvironment(entry, id, file);
  const config = part(entry, "config", { where: `config of "${id}"`, file });
  const secrets = part(entry, "secrets", { where: `secrets of "${id}"`, file });
  known(config, CONFIG, { where: `config of "${id}"`, file }, CONFIG_IN_SNAKE);
  known(secrets, SECRETS, { where: `secrets of "${id}"`, file }, SECRETS_IN_SNAKE);
  return {
    id,
    fields: { ...fieldsOf(entry), ...descriptionOf(entry, id, file) },
    kubeconfig: kubeconfigOf(id, secrets, file),
  };
}

function requireEnvironment({ environment = "kubernetes" }: Mapping, id: string, file: string): void {
  if (typeof environment === "string" && ENVIRONMENTS.includes(environment)) return;
  throw invalid(file, `"${id}" has another environment than kubernetes`);
}

/** A description that the file does not name stays: it is for people, and may be written elsewhere. */
function descriptionOf({ description }: Mapping, id: string, file: string): { description?: string | undefined } {
  if (description === undefined) return {};
  if (description === null || description === "") return { description: undefined };
  if (typeof description !== "string") throw invalid(file, `the description of "${id}" is no text`);
  return { description };
}

/** Whatever the file does not name is taken away from the record: it says all that there is to say. */
function fieldsOf(entry: Mapping): Omit<Declaration["fields"], "description"> {
  const { executionTemplate, registrationTemplate, image, namespace, context } = parseOrchestrator({
    ...entry,
    secrets: undefined,
  });
  return { executionTemplate, registrationTemplate, image, namespace, context };
}

function kubeconfigOf(id: string, secrets: Mapping, file: string): Declared["kubeconfig"] {
  const [path, name] = [
    secrets["kubeConfigFile"] ?? secrets["kube_config_file"],
    secrets["kubeConfig"] ?? secrets["kube_config"],
  ].map((value) => value ?? "");
  if (typeof path !== "string" || typeof name !== "string")
    throw invalid(file, `the kubeconfig of "${id}" must be named by a text`);
  if (path !== "" && name !== "") throw invalid(file, `"${id}" has both a kubeConfig and a kubeConfigFile`);
  if (path !== "") return { kind: "file", path };
  return name === "" ? { kind: "none" } : { kind: "secret", name: secretName(name, id, file) };
}

/** Whoever keeps such files in git must not keep credentials in them. */
function secretName(name: string, id: string, file: string): string {
  if (!/[\n:{]/.test(name)) return name;
  const remedy = "Keep credentials out of such files: name a secret, or the file of a kubeconfig by kubeConfigFile.";
  const message = `${file} cannot be used: kubeConfig of "${id}" is not a secret's name.`;
  throw new OpjobError("INPUT_INVALID", message, { remedy });
}

type Place = { readonly where: string; readonly file: string };

/** A part's fields, under the environment's name or flat. */
function part(entry: Mapping, name: "config" | "secrets", { where, file }: Place): Mapping {
  const outer = entry[name] ?? {};
  if (!isDocument(outer)) throw invalid(file, `${where} is no mapping`);
  const under = ENVIRONMENTS.find((key) => key in outer);
  if (under === undefined) return outer;
  const inner = outer[under] ?? {};
  if (!isDocument(inner)) throw invalid(file, `${where}: ${under} is no mapping`);
  known(outer, [under], { where, file });
  return inner;
}

function known(mapping: Mapping, names: readonly string[], { where, file }: Place, more: readonly string[] = []): void {
  const stranger = Object.keys(mapping).find((key) => !names.includes(key) && !more.includes(key));
  if (stranger === undefined) return;
  throw invalid(file, `${where} has no "${stranger}". ${didYouMean(stranger, names, "fields")}`);
}

const invalid = (file: string, why: string) =>
  new OpjobError("INPUT_INVALID", `${file} cannot be used: ${why.replace(/[.?]?$/, (end) => end || ".")}`);
