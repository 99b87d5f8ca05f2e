// Cuts a template's source into plain text and tags, and decides which white space around tags disappears.
// It knows delimiters and white space; what stands inside a tag is the business of lexer-tags.ts.
import { JinjaError } from "./jinja-error.ts";
import { LexerState } from "./lexer-state.ts";
import { lexTag } from "./lexer-tags.ts";
import type { JinjaLimits } from "./limits.ts";
import { skipSpaces, trimEnd } from "./python-space.ts";
import { type LexerOptions, sourceError, type Token } from "./token.ts";

/** The tokens of a template; the last one is "end", or "error" where the lexer could not go on. */
export function tokenize(source: string, options: LexerOptions, limits: JinjaLimits): readonly Token[] {
  const lexer = new LexerState(source, options, limits);
  try {
    lexAll(lexer);
  } catch (error) {
    if (!(error instanceof JinjaError)) throw error;
    lexer.fail(error);
  }
  return lexer.tokens;
}

function lexAll(lexer: LexerState): void {
  while (lexer.at < lexer.source.length) {
    const open = findTag(lexer.source, lexer.at);
    if (open < 0) {
      lexer.push("data", lexer.source.slice(lexer.at), lexer.at);
      lexer.at = lexer.source.length;
    } else {
      lexTagAt(lexer, open);
    }
  }
  lexer.end();
}

function findTag(source: string, from: number): number {
  for (let at = source.indexOf("{", from); at >= 0; at = source.indexOf("{", at + 1)) {
    const next = source.charAt(at + 1);
    if (next === "%" || next === "{" || next === "#") return at;
  }
  return -1;
}

const signAt = (source: string, at: number): string => (/[-+]/.test(source.charAt(at)) ? source.charAt(at) : "");

function lexTagAt(lexer: LexerState, open: number): void {
  const { source } = lexer;
  const mark = source.charAt(open + 1);
  const sign = signAt(source, open + 2);
  pushText(lexer, open, { sign, ownLine: mark !== "{" });
  lexer.at = open + 2 + sign.length;
  if (mark === "#") {
    skipComment(lexer, open);
  } else if (mark === "{") {
    lexer.push("variable-begin", "", open);
    lexTag(lexer, "variable-end");
  } else if (!lexRaw(lexer)) {
    lexer.push("block-begin", "", open);
    lexTag(lexer, "block-end");
  }
}

/** The text before a tag: all its trailing space goes before "-"; only the tag's indentation goes with `lstripBlocks`. */
function pushText(lexer: LexerState, end: number, tag: { sign: string; ownLine: boolean }): void {
  const { source, at } = lexer;
  const text = source.slice(at, end);
  let kept = text;
  if (tag.sign === "-") {
    kept = trimEnd(text);
  } else if (lexer.options.lstripBlocks && tag.ownLine && tag.sign !== "+") {
    const lineStart = text.lastIndexOf("\n") + 1;
    const startsLine = lineStart > 0 || at === 0 || source.charAt(at - 1) === "\n";
    if (startsLine && skipSpaces(text, lineStart) === text.length) kept = text.slice(0, lineStart);
  }
  if (kept !== "") lexer.push("data", kept, at);
}

function skipComment(lexer: LexerState, open: number): void {
  if (lexer.at === lexer.source.length) return; // Jinja2 takes an opening as the very last thing for nothing
  const close = lexer.source.indexOf("#}", lexer.at);
  if (close < 0) throw sourceError("a comment is not closed", lexer.position(open));
  const sign = close > lexer.at ? signAt(lexer.source, close - 1) : "";
  lexer.closeTag(close, sign, lexer.options.trimBlocks);
}

/** Reads `{% raw %}…{% endraw %}` if that is what stands here. A line end after the opening tag is always text. */
function lexRaw(lexer: LexerState): boolean {
  const opening = wordTag(lexer.source, lexer.at, "raw");
  if (!opening || opening.sign === "+") return false;
  lexer.closeTag(opening.close, opening.sign, false);
  const { source } = lexer;
  if (lexer.at >= source.length) return true;
  for (let at = source.indexOf("{%", lexer.at); at >= 0; at = source.indexOf("{%", at + 1)) {
    const sign = signAt(source, at + 2);
    const closing = wordTag(source, at + 2 + sign.length, "endraw");
    if (!closing) continue;
    pushText(lexer, at, { sign, ownLine: true });
    lexer.closeTag(closing.close, closing.sign, lexer.options.trimBlocks);
    return true;
  }
  throw sourceError("a raw block is not closed", lexer.position(lexer.at));
}

/** Whether a tag holds one word and nothing else; where it closes, and the sign before that. */
function wordTag(source: string, from: number, word: string): { close: number; sign: string } | undefined {
  const start = skipSpaces(source, from);
  if (!source.startsWith(word, start)) return undefined;
  const end = skipSpaces(source, start + word.length);
  const sign = signAt(source, end);
  return source.startsWith("%}", end + sign.length) ? { close: end + sign.length, sign } : undefined;
}
