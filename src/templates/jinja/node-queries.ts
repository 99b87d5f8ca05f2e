// Questions about a piece of the tree: which names it reads, and whether it is constant.
// It knows nodes, not what they do.
import type { Expression, Statement } from "./nodes.ts";

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

const SPECIAL_NAMES = ["caller", "kwargs", "varargs"] as const;
export type SpecialName = (typeof SPECIAL_NAMES)[number];
const isSpecial = (name: unknown): name is SpecialName => SPECIAL_NAMES.some((special) => special === name);

const specials = new WeakMap<object, ReadonlySet<SpecialName>>();

/** Which of a macro's special names a piece of the tree reads. Remembered, because macros inside macros ask again and again. */
export function specialsIn(piece: object): ReadonlySet<SpecialName> {
  const known = specials.get(piece);
  if (known) return known;
  const found = new Set<SpecialName>();
  if (isRecord(piece) && piece["typename"] !== "Block") {
    if (piece["typename"] === "Symbol" && isSpecial(piece["value"])) found.add(piece["value"]);
    const inside = Object.values(piece)
      .filter(isRecord)
      .flatMap((child) => [...specialsIn(child)]);
    for (const name of inside) found.add(name);
  }
  specials.set(piece, found);
  return found;
}

/** All names that pieces of the tree read, also inside macros they define. A block is a world of its own and is left out. */
export function namesIn(pieces: readonly (Expression | Statement)[]): ReadonlySet<string> {
  const found = new Set<string>();
  const queue: unknown[] = [...pieces];
  for (let one = queue.pop(); one !== undefined; one = queue.pop()) {
    if (!isRecord(one) || one["typename"] === "Block") continue;
    const name = one["typename"] === "Symbol" ? one["value"] : undefined;
    if (typeof name === "string") found.add(name);
    for (const child of Object.values(one)) if (isRecord(child)) queue.push(child);
  }
  return found;
}

const NOT_CONSTANT = new Set(["Symbol", "FunCall", "NamespaceField"]);
const FILTERS_TOO = new Set([...NOT_CONSTANT, "FilterCall", "TestCall"]);

/** Made of literals and operators only. Jinja2 computes such a piece before it renders; `volatile`: one with filters it does not. */
export function isConstant(expression: Expression, volatile = false): boolean {
  const excluded = volatile ? FILTERS_TOO : NOT_CONSTANT;
  const queue: unknown[] = [expression];
  for (let one = queue.pop(); one !== undefined; one = queue.pop()) {
    if (!isRecord(one)) continue;
    if (typeof one["typename"] === "string" && excluded.has(one["typename"])) return false;
    for (const child of Object.values(one)) if (isRecord(child)) queue.push(child);
  }
  return true;
}
