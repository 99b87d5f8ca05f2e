// The grammar of what binds tightest: literals, names, brackets, and the attributes, subscripts, calls, filters and tests after them.
// It knows tokens and nodes, not what they do. Anything between brackets is read through ParserState.expression.
import { type Argument, type Expression, type NodeOf, node } from "./nodes.ts";
import { parseArguments, parseDottedName } from "./parser-arguments.ts";
import type { ParserState } from "./parser-state.ts";
import type { Token } from "./token.ts";
import { wordsOf } from "./token.ts";

const CONSTANTS = new Map<string, boolean | null>([
  ["true", true],
  ["True", true],
  ["false", false],
  ["False", false],
  ["none", null],
  ["None", null],
]);

export const isReserved = (name: string): boolean => CONSTANTS.has(name);

export function parsePrimary(state: ParserState): Expression {
  const token = state.current;
  if (token.kind === "name") return parseName(state);
  if (token.kind === "string") return parseStrings(state);
  if (token.kind !== "integer" && token.kind !== "float") return parseBracket(state);
  state.next();
  return node("Literal", token, { value: token.kind === "integer" ? BigInt(token.value) : Number(token.value) });
}

function parseName(state: ParserState): Expression {
  const token = state.next();
  const constant = CONSTANTS.get(token.value);
  if (constant !== undefined) return node("Literal", token, { value: constant });
  return node("Symbol", token, { value: token.value });
}

/** Strings beside each other are one string. */
function parseStrings(state: ParserState): Expression {
  const first = state.current;
  const parts: string[] = [];
  while (state.is("string")) parts.push(state.next().value);
  return node("Literal", first, { value: parts.join("") });
}

function parseBracket(state: ParserState): Expression {
  const token = state.next();
  if (token.kind === "operator") {
    if (token.value === "(") return parseParentheses(state);
    if (token.value === "[") return parseList(state, token);
    if (token.value === "{") return parseDict(state, token);
  }
  return state.fail(`an expression was expected, but here is ${wordsOf(token)}`, token);
}

function parseParentheses(state: ParserState): Expression {
  const inside = parseTuple(state, { parenthesized: true });
  state.expect("operator", ")");
  return inside;
}

export type TupleOptions = {
  /** Empty is allowed. */
  readonly parenthesized?: boolean;
  /** Reads one element; a whole expression if not given. */
  readonly element?: () => Expression;
};

/** One expression, or a tuple if there is a comma. */
export function parseTuple(state: ParserState, options: TupleOptions = {}): Expression {
  let at = state.current;
  const element = options.element ?? (() => state.expression());
  const children: Expression[] = [];
  let isTuple = false;
  while (!endsTuple(state)) {
    children.push(element());
    if (!state.isOperator(",")) break;
    at = state.next();
    isTuple = true;
  }
  const [only] = children;
  if (only && !isTuple) return only;
  if (!only && !options.parenthesized) state.fail(`an expression was expected, but here is ${wordsOf(state.current)}`);
  return node("Tuple", at, { children });
}

const endsTuple = (state: ParserState): boolean =>
  state.is("variable-end") || state.is("block-end") || state.isOperator(")");

function parseList(state: ParserState, open: Token): Expression {
  const children: Expression[] = [];
  while (!state.isOperator("]")) {
    if (children.length > 0) state.expect("operator", ",");
    if (state.isOperator("]")) break;
    children.push(state.expression());
  }
  state.expect("operator", "]");
  return node("Array", open, { children });
}

function parseDict(state: ParserState, open: Token): Expression {
  const children: NodeOf<"Pair">[] = [];
  while (!state.isOperator("}")) {
    if (children.length > 0) state.expect("operator", ",");
    if (state.isOperator("}")) break;
    const key = state.expression();
    state.expect("operator", ":");
    children.push(node("Pair", state.current, { key, value: state.expression() }));
  }
  state.expect("operator", "}");
  return node("Dict", open, { children });
}

/** Attributes, subscripts and calls. */
export function parsePostfix(state: ParserState, operand: Expression): Expression {
  let result = operand;
  for (let links = 0; state.isOperator(".", "[", "("); links++) {
    state.chain(links);
    result = state.isOperator("(") ? parseCall(state, result) : parseSubscript(state, result);
  }
  return result;
}

/** Filters and tests, and calls of what they give. */
export function parseFilters(state: ParserState, operand: Expression): Expression {
  let result = operand;
  for (let links = 0; ; links++) {
    state.chain(links);
    if (state.skipOperator("|")) result = parseFilter(state, result);
    else if (state.isWord("is")) result = parseTest(state, result);
    else if (state.isOperator("(")) result = parseCall(state, result);
    else return result;
  }
}

function parseSubscript(state: ParserState, target: Expression): Expression {
  const token = state.next();
  if (token.value === "[") return parseItem(state, target, token);
  const name = state.next();
  if (name.kind === "name") return node("Attribute", token, { target, name: name.value });
  if (name.kind !== "integer") state.fail("a name or a number was expected after '.'", name);
  const val = node("Literal", name, { value: BigInt(name.value) });
  return node("LookupVal", token, { target, val });
}

type Part = Expression | { start: Expression | null; stop: Expression | null; step: Expression | null };

function parseItem(state: ParserState, target: Expression, open: Token): Expression {
  const parts: Part[] = [];
  while (!state.isOperator("]")) {
    if (parts.length > 0) state.expect("operator", ",");
    parts.push(parsePart(state));
  }
  state.expect("operator", "]");
  const [part] = parts;
  if (part && parts.length === 1) {
    return "start" in part ? node("Slice", open, { target, ...part }) : node("LookupVal", open, { target, val: part });
  }
  const children = parts.filter((one): one is Expression => !("start" in one));
  if (children.length < parts.length) state.fail("a slice must be the only subscript", open);
  return node("LookupVal", open, { target, val: node("Tuple", open, { children }) });
}

/** A subscript, or up to three expressions between colons, each of which may be left out. */
function parsePart(state: ParserState): Part {
  const part = () => (state.isOperator(":", "]", ",") ? null : state.expression());
  const start = part();
  if (!state.skipOperator(":")) return start ?? state.fail("a subscript was expected");
  const stop = part();
  return { start, stop, step: state.skipOperator(":") ? part() : null };
}

function parseCall(state: ParserState, name: Expression): NodeOf<"FunCall"> {
  const open = state.current;
  return node("FunCall", open, { name, args: parseArguments(state) });
}

function parseFilter(state: ParserState, target: Expression | null): NodeOf<"FilterCall"> {
  const at = state.current;
  const name = parseDottedName(state);
  return node("FilterCall", at, { name, target, args: state.isOperator("(") ? parseArguments(state) : [] });
}

/** The filters of a block, which supplies the value: `name|name…`. */
export function parseBlockFilters(state: ParserState): NodeOf<"FilterCall"> {
  let result = parseFilter(state, null);
  for (let links = 0; state.skipOperator("|"); links++) {
    state.chain(links);
    result = parseFilter(state, result);
  }
  return result;
}

function parseTest(state: ParserState, target: Expression): Expression {
  const at = state.next();
  const negated = state.skipWord("not");
  const name = parseDottedName(state);
  const test = node("TestCall", at, { name, target, args: parseTestArguments(state) });
  return negated ? node("Not", at, { target: test }) : test;
}

/** A test takes its arguments in parentheses, or one tightly bound value without. */
function parseTestArguments(state: ParserState): Argument[] {
  if (state.isOperator("(")) return parseArguments(state);
  const { kind } = state.current;
  const starts = kind === "string" || kind === "integer" || kind === "float" || state.isOperator("[", "{");
  if (!starts && (kind !== "name" || state.isWord("else", "or", "and"))) return [];
  if (state.isWord("is")) state.fail("one test cannot follow another without brackets");
  return [{ form: "value", name: "", value: state.nested(() => parsePostfix(state, parsePrimary(state))) }];
}
