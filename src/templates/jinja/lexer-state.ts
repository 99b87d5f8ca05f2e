// How far the lexer has come: the source, the tokens so far, and the lines counted on the way.
// It knows nothing of what the tokens mean.
import type { JinjaError } from "./jinja-error.ts";
import { type JinjaLimits, limitFault } from "./limits.ts";
import { skipSpaces } from "./python-space.ts";
import { type LexerOptions, type Position, sourceError, type Token, type TokenKind } from "./token.ts";

/** Line ends become "\n"; one at the very end goes, unless it is to be kept. */
function normalize(source: string, keepTrailingNewline: boolean): string {
  const text = source.replace(/\r\n?/g, "\n");
  return !keepTrailingNewline && text.endsWith("\n") ? text.slice(0, -1) : text;
}

export class LexerState {
  readonly source: string;
  readonly tokens: Token[] = [];
  readonly options: LexerOptions;
  private readonly limits: JinjaLimits;
  at = 0;
  private lineno = 0;
  private lineStart = 0;
  /** The first line end at or after the last counted place; the source's length if there is none. */
  private newline: number;

  constructor(source: string, options: LexerOptions, limits: JinjaLimits) {
    this.limits = limits;
    this.source = normalize(source, options.keepTrailingNewline);
    this.options = options;
    this.newline = this.newlineAfter(0);
  }

  private newlineAfter(offset: number): number {
    const found = this.source.indexOf("\n", offset);
    return found < 0 ? this.source.length : found;
  }

  /** The place of an offset. Offsets must not go backwards: lines are counted on the way. */
  position(offset: number): Position {
    while (this.newline < offset) {
      this.lineno++;
      this.lineStart = this.newline + 1;
      this.newline = this.newlineAfter(this.lineStart);
    }
    return { lineno: this.lineno, colno: Math.max(0, offset - this.lineStart) };
  }

  /** @throws JinjaError limit */
  push(kind: TokenKind, value: string, offset: number): void {
    if (this.tokens.length >= this.limits.templateTokens) {
      throw sourceError(limitFault("templateTokens", this.limits).message, this.position(offset), "limit");
    }
    this.tokens.push({ kind, value, ...this.position(offset) });
  }

  /** The end has the line of what stands last, as in Jinja2: where a tag is not closed, that is nearer to it than the end is. */
  end(): void {
    const { lineno, colno } = this.tokens.at(-1) ?? { lineno: 0, colno: 0 };
    this.tokens.push({ kind: "end", value: "", lineno, colno });
  }

  fail(error: JinjaError): void {
    this.tokens.push({ kind: "error", value: "", lineno: error.line - 1, colno: 0, error });
  }

  /** Consumes the end of a tag whose closing delimiter stands at `close`; `sign` is the "-" or "+" before it, if any. */
  closeTag(close: number, sign: string, trimsNewline: boolean): void {
    this.at = close + 2;
    if (sign === "-") this.at = skipSpaces(this.source, this.at);
    else if (trimsNewline && sign === "" && this.source.charAt(this.at) === "\n") this.at++;
  }
}
