// Cuts the inside of one tag into names, strings, numbers and operators.
// It knows characters, not grammar. It is the only place where names are made, and it lets only identifiers through.
import type { LexerState } from "./lexer-state.ts";
import { skipSpaces } from "./python-space.ts";
import { BadEscape, decodeEscapes } from "./string-literal.ts";
import { sourceError, type TokenKind } from "./token.ts";

const FLOAT = /(?:\d+_)*\d+(?:\.(?:\d+_)*\d+(?:e[-+]?(?:\d+_)*\d+)?|e[-+]?(?:\d+_)*\d+)/iy;
const INTEGER = /0b(?:_?[01])+|0o(?:_?[0-7])+|0x(?:_?[\da-f])+|[1-9](?:_?\d)*|0(?:_?0)*/iy;
const NAME = /[\p{XID_Continue}]+/uy;
const IDENTIFIER = /^[\p{XID_Start}_]\p{XID_Continue}*$/u;
const OPERATOR = /\/\/|\*\*|[=!<>]=|[-+/*%~[\](){}<>=.:|,;]/y;

const CLOSERS: Record<string, string> = { "(": ")", "[": "]", "{": "}" };

/** Digits of a number in the source; more cannot be a number that any bound allows, and conversion takes quadratic time. */
const LONGEST_NUMBER = 5_000;

function match(pattern: RegExp, source: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(source)?.[0];
}

/** Reads up to and including the end of a tag. Its closing delimiter counts only where no bracket is open. */
export function lexTag(lexer: LexerState, end: "block-end" | "variable-end"): void {
  const { source } = lexer;
  const open: string[] = [];
  for (;;) {
    lexer.at = skipSpaces(source, lexer.at);
    if (lexer.at >= source.length) return;
    if (open.length === 0 && lexEnd(lexer, end)) return;
    lexToken(lexer, open);
  }
}

function lexEnd(lexer: LexerState, end: "block-end" | "variable-end"): boolean {
  const { source, at } = lexer;
  const delimiter = end === "block-end" ? "%}" : "}}";
  const sign = source.charAt(at);
  const signed = sign === "-" || (sign === "+" && end === "block-end") ? sign : "";
  if (!source.startsWith(delimiter, at + signed.length)) return false;
  lexer.push(end, "", at);
  lexer.closeTag(at + signed.length, signed, end === "block-end" && lexer.options.trimBlocks);
  return true;
}

function lexToken(lexer: LexerState, open: string[]): void {
  if (LEXERS.some((lex) => lex(lexer))) return;
  const { source, at } = lexer;
  const operator = match(OPERATOR, source, at);
  if (operator === undefined) {
    throw sourceError(`unexpected character ${JSON.stringify(source.charAt(at))}`, lexer.position(at));
  }
  balance(lexer, open, operator);
  pushToken(lexer, "operator", operator, operator.length);
}

/** Each tries to read one kind of token, and says whether it did. */
const LEXERS: readonly ((lexer: LexerState) => boolean)[] = [
  (lexer) => lexer.source.charAt(lexer.at - 1) !== "." && pushNumber(lexer, "float", FLOAT),
  (lexer) => pushNumber(lexer, "integer", INTEGER),
  pushName,
  pushString,
];

/** A loop and not one pattern: the engine's pattern matcher runs out of stack on a long string. */
function lexString(source: string, at: number): string | undefined {
  const quote = source.charAt(at);
  if (quote !== "'" && quote !== '"') return undefined;
  for (let end = at + 1; end < source.length; end++) {
    const character = source.charAt(end);
    if (character === quote) return source.slice(at, end + 1);
    if (character === "\\") end++;
  }
  return undefined;
}

function pushToken(lexer: LexerState, kind: TokenKind, value: string, length: number): void {
  lexer.push(kind, value, lexer.at);
  lexer.at += length;
}

function pushNumber(lexer: LexerState, kind: "integer" | "float", pattern: RegExp): boolean {
  const text = match(pattern, lexer.source, lexer.at);
  if (text === undefined) return false;
  if (text.length > LONGEST_NUMBER) {
    throw sourceError("a number has too many digits", lexer.position(lexer.at), "limit");
  }
  pushToken(lexer, kind, text.replaceAll("_", ""), text.length);
  return true;
}

function pushName(lexer: LexerState): boolean {
  const name = match(NAME, lexer.source, lexer.at);
  if (name === undefined) return false;
  if (!IDENTIFIER.test(name)) throw sourceError("a name has a character it must not have", lexer.position(lexer.at));
  pushToken(lexer, "name", name, name.length);
  return true;
}

function pushString(lexer: LexerState): boolean {
  const quoted = lexString(lexer.source, lexer.at);
  if (quoted === undefined) return false;
  try {
    pushToken(lexer, "string", decodeEscapes(quoted.slice(1, -1)), quoted.length);
  } catch (error) {
    if (!(error instanceof BadEscape)) throw error;
    throw sourceError(error.message, lexer.position(lexer.at), error.needsNames ? "unsupported" : "syntax");
  }
  return true;
}

function balance(lexer: LexerState, open: string[], operator: string): void {
  const closer = CLOSERS[operator];
  if (closer !== undefined) {
    open.push(closer);
  } else if (operator === ")" || operator === "]" || operator === "}") {
    const expected = open.pop();
    if (expected === operator) return;
    const wanted = expected === undefined ? "" : `, '${expected}' was expected`;
    throw sourceError(`unexpected '${operator}'${wanted}`, lexer.position(lexer.at));
  }
}
