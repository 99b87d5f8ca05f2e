// The grammar of tags: reads tokens into a tree of nodes.
// It knows what may stand where, not what it does. Tags that would read other templates are refused here.
import type { JinjaLimits } from "./limits.ts";
import { type Body, type Expression, type NodeOf, node, type Statement } from "./nodes.ts";
import { parseConditional, parseOr } from "./parser-expressions.ts";
import { parseBlockFilters, parseTuple } from "./parser-primary.ts";
import { ParserState } from "./parser-state.ts";
import { parseParameterName, parseSignature, parseTarget } from "./parser-targets.ts";
import { sourceError, type Token, wordsOf } from "./token.ts";

type ParseTag = (state: ParserState, tag: Token) => Statement;

/** @throws JinjaError syntax, limit or unsupported */
export function parse(tokens: readonly Token[], limits: JinjaLimits): NodeOf<"Root"> {
  const state = new ParserState(tokens, limits, parseConditional);
  const children = parseBody(state, []);
  if (state.twice) state.fail(`the block ${wordsOf(state.twice)} is there twice`, state.twice);
  return node("Root", { lineno: 0, colno: 0 }, { children });
}

/** Reads up to one of the `ends` (which stays), or to the end of the template if there are none. */
function parseBody(state: ParserState, ends: readonly string[]): Statement[] {
  const body: Statement[] = [];
  for (;;) {
    const token = state.next();
    if (token.kind === "data") {
      body.push(node("TemplateData", token, { value: token.value }));
    } else if (token.kind === "variable-begin") {
      body.push(node("Output", token, { children: [parseTuple(state)] }));
      state.expect("variable-end");
    } else if (token.kind === "block-begin") {
      if (state.isWord(...ends)) return body;
      body.push(parseTag(state, ends));
      state.expect("block-end");
    } else {
      if (ends.length > 0) state.fail(`the template ends where ${wordsOfTags(ends)} was expected`, token);
      return body;
    }
  }
}

const wordsOfTags = (names: readonly string[]): string => names.map((name) => `'{% ${name} %}'`).join(" or ");

/** The body of a tag that is at its end: after it, the word that ended it is the current token. */
function parseInside(state: ParserState, ...ends: string[]): Statement[] {
  state.skipOperator(":");
  state.expect("block-end");
  return state.nested(() => parseBody(state, ends));
}

function parseTag(state: ParserState, ends: readonly string[]): Statement {
  const tag = state.current;
  if (tag.kind !== "name") state.fail("the name of a tag was expected", tag);
  const parseThis = TAGS.get(tag.value);
  if (parseThis) {
    state.next();
    return parseThis(state, tag);
  }
  if (OTHER_TEMPLATES.has(tag.value)) {
    throw sourceError(
      `'{% ${tag.value} %}' is not supported: a template cannot use other templates`,
      tag,
      "unsupported",
    );
  }
  const wanted = ends.length > 0 ? `; ${wordsOfTags(ends)} was expected` : "";
  return state.fail(`there is no tag ${wordsOf(tag)}${wanted}`, tag);
}

const OTHER_TEMPLATES = new Set(["include", "import", "from", "extends"]);

function parseIf(state: ParserState, tag: Token): Statement {
  const branches: { at: Token; cond: Expression; body: Body; elif: boolean }[] = [];
  let at = tag;
  do {
    state.chain(branches.length);
    const cond = parseTuple(state, { element: () => state.nested(() => parseOr(state)) });
    branches.push({ at, cond, body: parseInside(state, "elif", "else", "endif"), elif: at !== tag });
    at = state.current;
  } while (state.skipWord("elif"));
  let else_: Body | null = state.skipWord("else") ? parseInside(state, "endif") : null;
  state.expect("name", "endif");
  for (const branch of branches.toReversed()) else_ = [node("If", branch.at, { ...branch, else_ })];
  const [first] = else_ ?? [];
  return first ?? state.fail("'if' has no branch", tag);
}

function parseFor(state: ParserState, tag: Token): Statement {
  state.loops++;
  const name = parseTarget(state);
  state.expect("name", "in");
  const arr = parseTuple(state, { element: () => state.nested(() => parseOr(state)) });
  const filter = state.skipWord("if") ? state.expression() : null;
  const recursive = state.skipWord("recursive");
  const body = parseInside(state, "endfor", "else");
  const else_ = state.skipWord("else") ? parseInside(state, "endfor") : [];
  state.expect("name", "endfor");
  state.loops--;
  return node("ForLoop", tag, { arr, name, body, else_, filter, recursive });
}

function parseSet(state: ParserState, tag: Token): Statement {
  const targets = parseTarget(state, { fields: true });
  if (state.skipOperator("=")) return node("Set", tag, { targets, value: parseTuple(state) });
  const filter = state.skipOperator("|") ? parseBlockFilters(state) : null;
  const body = parseInside(state, "endset");
  state.expect("name", "endset");
  return node("SetBlock", tag, { targets, filter, body });
}

function parseWith(state: ParserState, tag: Token): Statement {
  const targets: NodeOf<"With">["targets"][number][] = [];
  const values: Expression[] = [];
  while (!state.is("block-end") && !state.isOperator(":")) {
    if (targets.length > 0) state.expect("operator", ",");
    targets.push(parseTarget(state, { parameter: true }));
    state.expect("operator", "=");
    values.push(state.expression());
  }
  const body = parseInside(state, "endwith");
  state.expect("name", "endwith");
  return node("With", tag, { targets, values, body });
}

function parseMacro(state: ParserState, tag: Token): Statement {
  const name = parseParameterName(state);
  const signature = parseSignature(state);
  const body = parseInside(state, "endmacro");
  state.expect("name", "endmacro");
  return node("MacroDefinition", tag, { name, ...signature, body });
}

function parseCallBlock(state: ParserState, tag: Token): Statement {
  const signature = state.isOperator("(") ? parseSignature(state) : { args: [], defaults: [] };
  const call = state.expression();
  if (call.typename !== "FunCall") return state.fail("a call of a macro was expected", tag);
  const body = parseInside(state, "endcall");
  state.expect("name", "endcall");
  return node("CallBlock", tag, { call, ...signature, body });
}

function parseFilterBlock(state: ParserState, tag: Token): Statement {
  const filter = parseBlockFilters(state);
  const body = parseInside(state, "endfilter");
  state.expect("name", "endfilter");
  return node("FilterBlock", tag, { filter, body });
}

function parseAutoEscape(state: ParserState, tag: Token): Statement {
  const value = state.expression();
  const body = parseInside(state, "endautoescape");
  state.expect("name", "endautoescape");
  return node("AutoEscape", tag, { value, body });
}

function parsePrint(state: ParserState, tag: Token): Statement {
  const children: Expression[] = [];
  while (!state.is("block-end")) {
    if (children.length > 0) state.expect("operator", ",");
    children.push(state.expression());
  }
  return node("Output", tag, { children });
}

function parseBlock(state: ParserState, tag: Token): Statement {
  const named = state.expect("name");
  const name = named.value;
  if (state.blockNames.has(name)) state.twice ??= named;
  state.blockNames.add(name);
  const scoped = state.skipWord("scoped");
  const required = state.skipWord("required");
  const body = parseInside(state, "endblock");
  if (required && !body.every((one) => one.typename === "TemplateData" && one.value.trim() === "")) {
    state.fail(`the required block '${name}' must be empty`, tag);
  }
  state.expect("name", "endblock");
  state.skip("name", name);
  return node("Block", tag, { name, body, scoped, required });
}

const TAGS = new Map<string, ParseTag>([
  ["if", parseIf],
  ["for", parseFor],
  ["set", parseSet],
  ["with", parseWith],
  ["macro", parseMacro],
  ["call", parseCallBlock],
  ["filter", parseFilterBlock],
  ["autoescape", parseAutoEscape],
  ["print", parsePrint],
  ["block", parseBlock],
]);
