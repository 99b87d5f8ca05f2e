// Walks parsed YAML beside the types of a Job: a text wherever Kubernetes wants a text, whatever YAML would take it for.
// Pure. Knows YAML's nodes; nothing of what a Job must hold. Every node that is read counts, also those that aliases repeat.
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
import { type Blanked, Hole, holdsBlank } from "./blanks.ts";
import { fieldWanted, type Wanted } from "./job-types.ts";
import { aliasTargets } from "./yaml-aliases.ts";
import { isNull, resolvePlain, resolveTagged } from "./yaml-scalars.ts";

type MapPair = Pair<Node, Node | null>;
type BlankedObject = { [key: string]: Blanked };

/** What the parser accepts and a reader cannot: where, as an offset in the text. */
export class YamlFault extends Error {
  override readonly name = "YamlFault";
  readonly offset: number;

  constructor(message: string, node: Node) {
    super(message);
    this.offset = node.range?.[0] ?? 0;
  }
}

/** No Job needs so many values, nor so many levels: aliases within aliases would grow without end. */
const MOST_NODES = 50_000;
const DEEPEST = 100;

const ANY: Wanted = { kind: "any" };

/** YAML's own tags that have a form in JSON, and none at all. */
const KNOWN_TAGS: ReadonlySet<string> = new Set([
  "",
  "!",
  ...["str", "int", "float", "bool", "null", "binary", "timestamp", "map", "seq"].map(
    (name) => `tag:yaml.org,2002:${name}`,
  ),
]);

/**
 * The data of a document, where something of the type `wanted` belongs.
 * @throws YamlFault for an alias without its anchor or within itself, for too many values, or for a blank in the place of a field
 */
export const readDocument = (document: Document, text: string, wanted: Wanted): Blanked =>
  new Reader(text, aliasTargets(document.contents as Node)).read(document.contents as Node, wanted, 0);

class Reader {
  private readonly text: string;
  private readonly targets: ReadonlyMap<Alias, Node>;
  private readonly open = new Set<Node>();
  private nodes = 0;

  constructor(text: string, targets: ReadonlyMap<Alias, Node>) {
    this.text = text;
    this.targets = targets;
  }

  read(node: Node | null, wanted: Wanted, depth: number): Blanked {
    if (node === null) return null;
    this.check(node, depth);
    if (isAlias(node)) return this.readAlias(node, wanted, depth);
    if (isScalar(node)) return wanted.kind === "string" ? textOf(node) : dataOf(node);
    if (wanted.kind === "string") return this.asWritten(node, depth);
    if (isSeq(node)) {
      const item = wanted.kind === "list" ? wanted.of : ANY;
      return node.items.map((entry) => this.read(entry as Node | null, item, depth + 1));
    }
    return isMap(node) ? this.readMap(node.items as MapPair[], wanted, depth) : null;
  }

  private check(node: Node, depth: number): void {
    if (++this.nodes > MOST_NODES) throw new YamlFault(`there are more than ${MOST_NODES} values`, node);
    if (depth > DEEPEST) throw new YamlFault(`there are more than ${DEEPEST} levels`, node);
    if (!isAlias(node) && !KNOWN_TAGS.has(node.tag ?? "")) throw new YamlFault("its tag is unknown", node);
  }

  private readAlias(alias: Alias, wanted: Wanted, depth: number): Blanked {
    const target = this.targets.get(alias);
    if (target === undefined) throw new YamlFault("there is no anchor for this alias", alias);
    if (this.open.has(target)) throw new YamlFault("the anchor of this alias holds itself", alias);
    this.open.add(target);
    const data = this.read(target, wanted, depth + 1);
    this.open.delete(target);
    return data;
  }

  private readMap(pairs: readonly MapPair[], wanted: Wanted, depth: number): BlankedObject {
    const object: BlankedObject = {};
    for (const { key, value } of pairs) {
      const name = nameOf(key);
      if (name === "<<" && isScalar(key) && key.type === "PLAIN") {
        merge(object, this.readMerged(value, wanted, depth));
        continue;
      }
      if (wanted.kind === "object" && holdsBlank(name))
        throw new YamlFault("a value stands in the place of a field's name", key);
      assign(object, name, this.read(value, fieldWanted(wanted, name), depth + 1));
    }
    return object;
  }

  private readMerged(value: Node | null, wanted: Wanted, depth: number): BlankedObject[] {
    const target = isAlias(value) ? this.targets.get(value) : value;
    const merged = this.read(value, isSeq(target) ? { kind: "list", of: wanted } : wanted, depth + 1);
    return (Array.isArray(merged) ? merged : [merged]).filter(isBlankedObject);
  }

  /** `- a: b` in a list of texts is a mapping to YAML and a text to its author: on one line it arrives as it was written. */
  private asWritten(node: Node, depth: number): Blanked {
    const written = this.text.slice(node.range?.[0] ?? 0, endOf(node)).trimEnd();
    return written.includes("\n") ? this.read(node, ANY, depth + 1) : withHoles(written, false);
  }
}

const isBlankedObject = (value: Blanked): value is BlankedObject =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Hole);

/** What a mapping merges in never replaces its own fields; of several, the first wins. */
function merge(object: BlankedObject, sources: readonly BlankedObject[]): void {
  for (const [name, value] of sources.flatMap((source) => Object.entries(source))) {
    if (!Object.hasOwn(object, name)) assign(object, name, value);
  }
}

/** Never through `object[name] = …`: a key "__proto__" must stay a key. */
function assign(object: BlankedObject, name: string, value: Blanked): void {
  Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
}

/** Keys are texts; one that was left empty, or is no scalar, is one as well. */
const nameOf = (key: Node): string => (isScalar(key) ? writtenText(key) : String(key));

/** Where a node's own text ends: the range of a mapping or list in block style takes in a comment behind it. */
function endOf(node: Node): number {
  const items = (isMap(node) || isSeq(node)) && !node.flow ? node.items : [];
  const item = items.at(-1) as MapPair | Node | undefined;
  const last = isPair(item) ? (item.value ?? item.key) : item;
  return last ? endOf(last) : (node.range?.[1] ?? 0);
}

const writtenText = ({ value, source }: Scalar): string => (typeof value === "string" ? value : (source ?? ""));

const withHoles = (text: string, plain: boolean): string | Hole => (holdsBlank(text) ? new Hole(text, plain) : text);

/** A scalar where Kubernetes wants a text: as the author wrote it; one that was left empty stays unset. */
function textOf(scalar: Scalar): Blanked {
  const text = writtenText(scalar);
  if (scalar.tag === "tag:yaml.org,2002:null") return null;
  return isPlain(scalar) && isNull(text) ? null : withHoles(text, isPlain(scalar));
}

function dataOf(scalar: Scalar): Blanked {
  const text = writtenText(scalar);
  if (holdsBlank(text)) return new Hole(text, isPlain(scalar));
  if (!hasTag(scalar)) return isPlain(scalar) ? resolvePlain(text) : text;
  const value = resolveTagged(scalar.tag, text);
  if (value === undefined) throw new YamlFault("its tag does not fit it", scalar);
  return value;
}

/** Without quotes, and without a tag that says more than that there is none. */
const isPlain = (scalar: Scalar): boolean => scalar.type === "PLAIN" && !hasTag(scalar);
const hasTag = (scalar: Scalar): scalar is Scalar & { tag: string } => scalar.tag !== undefined && scalar.tag !== "!";
