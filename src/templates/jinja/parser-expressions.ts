// The grammar of operators, loosest first: inline if, or, and, not, comparisons, + -, ~, * / // %, **, sign.
// It knows tokens and nodes, not what they do.
import { type Comparison, type Expression, node } from "./nodes.ts";
import { parseFilters, parsePostfix, parsePrimary } from "./parser-primary.ts";
import type { ParserState } from "./parser-state.ts";

type Parse = (state: ParserState) => Expression;
type BinaryKind = "Or" | "And" | "Add" | "Sub" | "Mul" | "Div" | "FloorDiv" | "Mod" | "Pow";

/** `value if condition else other`. */
export function parseConditional(state: ParserState): Expression {
  let at = state.current;
  let body = parseOr(state);
  for (let links = 0; state.isWord("if"); links++) {
    state.chain(links);
    state.next();
    const cond = parseOr(state);
    const else_ = state.skipWord("else") ? state.nested(() => parseConditional(state)) : null;
    body = node("InlineIf", at, { cond, body, else_ });
    at = state.current;
  }
  return body;
}

/**
 * A level of the grammar that reads from the left: operand, operator, operand, …
 * As in Jinja2, which tells errors by the lines of these nodes, the first stands where its left operand does, the others at their
 * operators.
 */
function leftToRight(operand: Parse, kindOf: (state: ParserState) => BinaryKind | undefined): Parse {
  return (state) => {
    let at = state.current;
    let left = operand(state);
    for (let links = 0; ; links++) {
      const kind = kindOf(state);
      if (!kind) return left;
      state.chain(links);
      state.next();
      left = node(kind, at, { left, right: operand(state) });
      at = state.current;
    }
  };
}

const word = (name: string, kind: BinaryKind) => (state: ParserState) => (state.isWord(name) ? kind : undefined);

function operator(kinds: Readonly<Record<string, BinaryKind>>): (state: ParserState) => BinaryKind | undefined {
  return ({ current }) =>
    current.kind === "operator" && Object.hasOwn(kinds, current.value) ? kinds[current.value] : undefined;
}

/** A sign takes what is bound tighter than filters: `-x|abs` is `(-x)|abs`. */
function parseSigned(state: ParserState): Expression {
  const at = state.current;
  if (state.skipOperator("-")) return node("Neg", at, { target: state.nested(() => parseSigned(state)) });
  if (state.skipOperator("+")) return node("Pos", at, { target: state.nested(() => parseSigned(state)) });
  return parsePostfix(state, parsePrimary(state));
}

const parseUnary: Parse = (state) => parseFilters(state, parseSigned(state));
const parsePower = leftToRight(parseUnary, operator({ "**": "Pow" }));
const parseProduct = leftToRight(parsePower, operator({ "*": "Mul", "/": "Div", "//": "FloorDiv", "%": "Mod" }));

function parseJoined(state: ParserState): Expression {
  const first = state.current;
  const child = parseProduct(state);
  const children = [child];
  while (state.skipOperator("~")) children.push(parseProduct(state));
  return children.length === 1 ? child : node("JoinedText", first, { children });
}

const parseSum = leftToRight(parseJoined, operator({ "+": "Add", "-": "Sub" }));

function parseComparison(state: ParserState): Expression {
  const expr = parseSum(state);
  const ops: Comparison[] = [];
  for (;;) {
    const name = comparisonAt(state);
    if (!name) break;
    state.next();
    if (name === "not in") state.next();
    ops.push({ operator: name, expr: parseSum(state) });
  }
  return ops.length === 0 ? expr : node("Compare", state.current, { expr, ops }); // where Jinja2 sees it too: after it
}

function comparisonAt(state: ParserState): string | undefined {
  if (state.isOperator("==", "!=", "<", "<=", ">", ">=")) return state.current.value;
  if (state.isWord("in")) return "in";
  const after = state.ahead(1);
  return state.isWord("not") && after.kind === "name" && after.value === "in" ? "not in" : undefined;
}

function parseNot(state: ParserState): Expression {
  const at = state.current;
  if (state.skipWord("not")) return node("Not", at, { target: state.nested(() => parseNot(state)) });
  return parseComparison(state);
}

const parseAnd = leftToRight(parseNot, word("and", "And"));

/** What stands where an inline `if` would be misread, as after `for x in`. */
export const parseOr = leftToRight(parseAnd, word("or", "Or"));
