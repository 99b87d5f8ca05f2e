// From a field of a rendered Job to the line of the template that it stands in. Pure. A guess that is made only where the
// text leaves no doubt: a wrong line would mislead more than none.
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseAllDocuments } from "yaml";

/** The template's line (from 1) of a field such as `spec.template.spec.containers[0].image`; undefined: it cannot be told. */
export type LineFinder = (path: string) => number | undefined;

/**
 * @param source the template
 * @param rendered what it rendered
 */
export function lineFinder(source: string, rendered: string): LineFinder {
  const lineCounter = new LineCounter();
  const options = { version: "1.1", uniqueKeys: false, logLevel: "silent", lineCounter } as const;
  const documents = parseAllDocuments(rendered, options);
  const document = Array.isArray(documents) ? documents.find(({ contents }) => isMap(contents)) : undefined;
  const lines = { source: source.split("\n").map(lineOfTemplate), rendered: rendered.split("\n") };
  return (path) => {
    const offset = document && offsetOf(document, path);
    return offset === undefined ? undefined : templateLine(lines, lineCounter.linePos(offset).line - 1);
  };
}

type Document = Extract<ReturnType<typeof parseAllDocuments>, unknown[]>[number];

/** Where a field's name begins; of a field that is not there, where the nearest one around it begins. */
function offsetOf(document: Document, path: string): number | undefined {
  let node = document.contents as Node | null;
  let found: number | undefined;
  for (const step of steps(path)) {
    const inner = isAlias(node) ? node.resolve(document) : node;
    const next = isSeq(inner)
      ? inList(inner.items as Node[], step)
      : isMap(inner)
        ? inMap(inner.items, step)
        : undefined;
    if (next === undefined) return found;
    found = next.offset ?? found;
    node = next.node;
  }
  return found;
}

type Found = { readonly offset: number | undefined; readonly node: Node | null };
type Pairs = readonly { key: unknown; value: unknown }[];

/** Go's errors leave out the index of a list: of one with a single entry it is known all the same. */
function inList(items: readonly Node[], step: string): Found | undefined {
  const index = /^\d+$/.test(step) ? Number(step) : undefined;
  const item = items[index ?? 0];
  if (item === undefined) return undefined;
  if (index !== undefined) return { offset: item.range?.[0], node: item };
  return items.length === 1 && isMap(item) ? inMap(item.items, step) : undefined;
}

function inMap(pairs: Pairs, step: string): Found | undefined {
  const pair = pairs.find(({ key }) => isScalar(key) && String(key.value) === step);
  return pair && { offset: (pair.key as Node).range?.[0], node: pair.value as Node | null };
}

const steps = (path: string): string[] =>
  [...path.matchAll(/\[([^\]]*)\]|([^.[\]]+)/g)].map(([, inner, name]) => (inner ?? name ?? "").replaceAll('"', ""));

/**
 * `literals`: what is written out between the tags; undefined where that is too little to know the line by.
 * `silent`: it renders nothing. One that begins or ends a choice is not silent: what stands behind it need not be rendered.
 */
type TemplateLine = {
  readonly literals: readonly string[] | undefined;
  readonly silent: boolean;
};
type Lines = { readonly source: readonly TemplateLine[]; readonly rendered: readonly string[] };

const TAG = /\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}/g;
const FORK = /\{%[-+]?\s*(if|elif|else|endif)\b/;
const LEAST_LITERAL = 3;
/** Longer lines are nobody's fields. */
const LONGEST = 2_000;

function lineOfTemplate(line: string): TemplateLine {
  if (line.length > LONGEST) return { literals: undefined, silent: false };
  const literals = line.trim().split(TAG);
  const written = literals.join("").replaceAll(/[\s"'-]/g, "").length;
  const known = literals.length === 1 || written >= LEAST_LITERAL;
  return { literals: known ? literals : undefined, silent: literals.join("").trim() === "" && !FORK.test(line) };
}

/** Literal by literal, not by a regular expression: a template could be written so that one never ends. */
function fits({ literals }: TemplateLine, rendered: string): boolean {
  const line = rendered.trim();
  const [first, ...rest] = literals ?? [];
  if (first === undefined) return false;
  const last = rest.pop();
  if (last === undefined) return line === first;
  if (!line.startsWith(first) || !line.endsWith(last)) return false;
  let at = first.length;
  for (const literal of rest) {
    const found = line.indexOf(literal, at);
    if (found < 0) return false;
    at = found + literal.length;
  }
  return at <= line.length - last.length;
}

/** The one line that fits; of several, the one whose neighbours fit best. */
function templateLine({ source, rendered }: Lines, at: number): number | undefined {
  const line = rendered[at] ?? "";
  const candidates = source.flatMap((one, i) => (fits(one, line) ? [i] : []));
  const [first] = candidates;
  if (candidates.length < 2) return first === undefined ? undefined : first + 1;
  const scores = candidates.map((i) => ({ i, score: likeness({ source, rendered }, i, at) }));
  scores.sort((a, b) => b.score - a.score);
  const [best, second] = scores;
  return best !== undefined && best.score > (second?.score ?? 0) ? best.i + 1 : undefined;
}

const FAR = 40;

/** How many lines on both sides fit, one after the other, until the first that does not. */
const likeness = ({ source, rendered }: Lines, from: number, at: number): number =>
  run({ source, rendered }, { from, at, step: -1 }) + run({ source, rendered }, { from, at, step: 1 });

function run({ source, rendered }: Lines, { from, at, step }: { from: number; at: number; step: -1 | 1 }): number {
  let [i, j] = [from, at];
  for (let score = 0; score < FAR; score++) {
    i = past(i, step, (line) => source[line]?.silent === true);
    j = past(j, step, (line) => rendered[line]?.trim() === "");
    const [one, other] = [source[i], rendered[j]];
    if (one === undefined || other === undefined || !fits(one, other)) return score;
  }
  return FAR;
}

function past(from: number, step: -1 | 1, silent: (line: number) => boolean): number {
  let line = from + step;
  while (silent(line)) line += step;
  return line;
}
