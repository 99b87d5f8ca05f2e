// What the lexer hands to the parser.
// Knows the shapes of tokens only. A name token always holds a checked identifier: no later stage has to fear its characters.
import { JinjaError, type JinjaErrorKind } from "./jinja-error.ts";

/** Where something stands in the source: both 0-based, as nunjucks' nodes count them. */
export type Position = { readonly lineno: number; readonly colno: number };

export type TokenKind =
  | "data"
  | "block-begin"
  | "block-end"
  | "variable-begin"
  | "variable-end"
  | "name"
  | "string"
  | "integer"
  | "float"
  | "operator"
  | "end"
  | "error";

/**
 * `value` is the decoded text: of a string without quotes and escapes, of a number without underscores.
 * An "error" token ends the tokens where the lexer can go no further: what the parser has against an earlier token counts first.
 */
export type Token = Position & { readonly kind: TokenKind; readonly value: string; readonly error?: JinjaError };

export type LexerOptions = {
  readonly trimBlocks: boolean;
  readonly lstripBlocks: boolean;
  readonly keepTrailingNewline: boolean;
};

const WORDS: Partial<Record<TokenKind, string>> = {
  data: "text",
  "block-begin": "'{%'",
  "block-end": "'%}'",
  "variable-begin": "'{{'",
  "variable-end": "'}}'",
  end: "the end of the template",
};

/** A token in the words of an error message. */
export const wordsOf = (token: Token): string => WORDS[token.kind] ?? `'${token.value.slice(0, 40)}'`;

export function sourceError(message: string, at: Position, kind: JinjaErrorKind = "syntax"): JinjaError {
  return new JinjaError(kind, message, { line: at.lineno + 1, column: at.colno + 1 });
}
