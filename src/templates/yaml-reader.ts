// Walks parsed YAML beside the types of a Job: a text wherever Kubernetes wants a text, whatever YAML would take it for.
// Pure. Knows YAML's nodes; nothing of what a Job must hold.
import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  type Scalar,
} from "yaml";
import type { Wanted } from "./job-types.ts";
import { isObject, type Json, type JsonObject } from "./json.ts";

/** The parsed document, the text that it was parsed from, the aliases that are being read, and how many were read. */
type Source = { readonly document: Document; readonly text: string; readonly open: Set<Node>; aliases: number };

/** What the parser accepts and a reader cannot: where, as an offset in the text. */
export class YamlFault extends Error {
  override readonly name = "YamlFault";
  readonly offset: number;

  constructor(message: string, node: Node) {
    super(message);
    this.offset = node.range?.[0] ?? 0;
  }
}

/** Aliases within aliases grow without end: no Job needs so many. */
const MOST_ALIASES = 10_000;

type MapPair = Pair<Node, Node | null>;

const ANY: Wanted = { kind: "any" };

/**
 * The data of a document, where something of the type `wanted` belongs.
 * @throws YamlFault for an alias without its anchor, within itself, or too often
 */
export const readDocument = (document: Document, text: string, wanted: Wanted): Json =>
  readNode({ document, text, open: new Set(), aliases: 0 }, document.contents as Node, wanted);

function readNode(source: Source, node: Node | null, wanted: Wanted): Json {
  if (node === null) return null;
  if (isAlias(node)) return readAlias(source, node, wanted);
  if (isScalar(node)) return wanted.kind === "string" ? textOf(node) : dataOf(node);
  if (wanted.kind === "string") return asWritten(source, node);
  if (isSeq(node)) {
    const item = wanted.kind === "list" ? wanted.of : ANY;
    return node.items.map((entry) => readNode(source, entry as Node | null, item));
  }
  return isMap(node) ? readMap(source, node.items as MapPair[], wanted) : null;
}

function readAlias(source: Source, alias: Alias, wanted: Wanted): Json {
  const target = alias.resolve(source.document);
  if (target === undefined) throw new YamlFault(`there is no anchor "${alias.source}"`, alias);
  if (source.open.has(target)) throw new YamlFault(`the anchor "${alias.source}" holds itself`, alias);
  if (++source.aliases > MOST_ALIASES) throw new YamlFault("too many aliases", alias);
  source.open.add(target);
  const data = readNode(source, target, wanted);
  source.open.delete(target);
  return data;
}

function readMap(source: Source, pairs: readonly MapPair[], wanted: Wanted): JsonObject {
  const object: JsonObject = {};
  for (const { key, value } of pairs) {
    const name = isScalar(key) ? String(textOf(key)) : String(key);
    if (name === "<<" && isScalar(key) && key.type === "PLAIN") merge(object, readMerged(source, value, wanted));
    else assign(object, name, readNode(source, value, wanted.kind === "any" ? ANY : fieldWanted(wanted, name)));
  }
  return object;
}

function readMerged(source: Source, value: Node | null, wanted: Wanted): JsonObject[] {
  const target = isAlias(value) ? value.resolve(source.document) : value;
  const merged = readNode(source, value, isSeq(target) ? { kind: "list", of: wanted } : wanted);
  return (Array.isArray(merged) ? merged : [merged]).filter(isObject);
}

/** What a mapping merges in never replaces its own fields; of several, the first wins. */
function merge(object: JsonObject, sources: readonly JsonObject[]): void {
  for (const [name, value] of sources.flatMap((source) => Object.entries(source))) {
    if (!Object.hasOwn(object, name)) assign(object, name, value);
  }
}

/** Never through `object[name] = …`: a key "__proto__" must stay a key. */
function assign(object: JsonObject, name: string, value: Json): void {
  Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
}

function fieldWanted(wanted: Wanted, name: string): Wanted {
  if (wanted.kind === "map") return wanted.of;
  return (wanted.kind === "object" ? wanted.fields.get(name) : undefined) ?? ANY;
}

/** `- a: b` in a list of texts is a mapping to YAML and a text to its author: on one line it arrives as it was written. */
function asWritten(source: Source, node: Node): Json {
  const written = source.text.slice(node.range?.[0] ?? 0, endOf(node)).trimEnd();
  return written.includes("\n") ? readNode(source, node, ANY) : written;
}

/** Where a node's own text ends: the range of a mapping or list in block style takes in a comment behind it. */
function endOf(node: Node): number {
  const items = (isMap(node) || isSeq(node)) && !node.flow ? node.items : [];
  const item = items.at(-1) as MapPair | Node | undefined;
  const last = isPair(item) ? (item.value ?? item.key) : item;
  return last ? endOf(last) : (node.range?.[1] ?? 0);
}

/** A scalar where Kubernetes wants a text: as the author wrote it; one that was left empty stays unset. */
function textOf(scalar: Scalar): string | null {
  if (scalar.value === null && ["", "~", "null", "Null", "NULL"].includes(scalar.source ?? "")) return null;
  if (typeof scalar.value === "string") return scalar.value;
  return scalar.source ?? String(scalar.value);
}

function dataOf(scalar: Scalar): Json {
  const { value } = scalar;
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "bigint") return Number(value);
  if (typeof value === "number" && Number.isFinite(value)) return value;
  return scalar.source ?? null;
}
