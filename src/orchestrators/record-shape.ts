// The shapes in which FiftyOne's programs store an orchestrator's config and secrets: under the environment's name or flat, in
// camelCase or snake_case. No public source fixes it, so a new record takes the shape of those that are there. Pure.
import { isDocument } from "./orchestrator.ts";

type Document = Readonly<Record<string, unknown>>;
type Part = "config" | "secrets";

export type Shape = {
  /** The name that the fields stand under; undefined: they are flat. */
  readonly under: string | undefined;
  readonly camel: boolean;
};

/** As FiftyOne's Management SDK gives it back: `orc.secrets["kube_config"]`. */
export const DEFAULT_SHAPE: Shape = { under: undefined, camel: false };

const ENVIRONMENTS = ["kubernetes", "databricks", "anyscale"];
const SPELLINGS = [...ENVIRONMENTS, ...ENVIRONMENTS.map((name) => name.toUpperCase())];

/** The environment's name that a part's fields stand under. */
export const environmentOf = (part: Document): string | undefined => SPELLINGS.find((key) => isDocument(part[key]));

/** The shape of the newest record that has one, be it of another environment: whoever wrote it reads ours as well. */
export function shapeOfRecords(documents: readonly Document[]): { readonly [P in Part]: Shape } {
  const find = (part: Part): Shape | undefined =>
    documents.toReversed().flatMap((document) => shapeOf(document, part) ?? [])[0];
  const config = find("config");
  const secrets = find("secrets");
  return { config: config ?? secrets ?? DEFAULT_SHAPE, secrets: secrets ?? config ?? DEFAULT_SHAPE };
}

/** The shape of one part; undefined where it holds nothing that tells. */
export function shapeOf(document: Document, part: Part): Shape | undefined {
  const outer = document[part];
  if (!isDocument(outer)) return undefined;
  const found = environmentOf(outer);
  const names = Object.keys(found === undefined ? outer : (outer[found] as Document));
  const snake = names.some((name) => name.includes("_"));
  const camel = names.some((name) => /[a-z][A-Z]/.test(name));
  if (found === undefined) return snake || camel ? { under: undefined, camel } : undefined;
  // Where no name tells, a part under its environment is what the SDK's caller gave: in camelCase.
  return { under: found === found.toUpperCase() ? "KUBERNETES" : "kubernetes", camel: camel || !snake };
}
