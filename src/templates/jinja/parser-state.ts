// Where the parser stands in the tokens, and how deep it is.
// It knows no grammar; the two ways down that the grammar files need of each other are given to it, so that they form no cycle.
import { type JinjaLimits, limitFault } from "./limits.ts";
import type { Expression } from "./nodes.ts";
import { sourceError, type Token, type TokenKind, wordsOf } from "./token.ts";

/** Operands in one chain (`a + b + c …`), as a multiple of the nesting bound: a chain becomes a tree as deep as it is long. */
const CHAIN_FACTOR = 5;

export class ParserState {
  readonly limits: JinjaLimits;
  /** Loops around the current place that belong to the same macro or template: `loop` must not be assigned there. */
  loops = 0;
  readonly blockNames = new Set<string>();
  /** The first block whose name another one has: told once the whole template is read. */
  twice: Token | undefined;
  private readonly tokens: readonly Token[];
  private readonly parse: (state: ParserState) => Expression;
  private at = 0;
  private depth = 0;

  /** `parse` reads one whole expression; the last of the tokens must be the end. */
  constructor(tokens: readonly Token[], limits: JinjaLimits, parse: (state: ParserState) => Expression) {
    this.tokens = tokens;
    this.limits = limits;
    this.parse = parse;
  }

  /** @throws JinjaError if the lexer could not go on here */
  get current(): Token {
    const token = this.ahead(0);
    if (token.error) throw token.error;
    return token;
  }

  ahead(count: number): Token {
    const token = this.tokens[Math.min(this.at + count, this.tokens.length - 1)];
    if (!token) throw new Error("the lexer gave no tokens");
    return token;
  }

  next(): Token {
    const token = this.current;
    this.at++;
    return token;
  }

  is(kind: TokenKind, value?: string): boolean {
    return this.current.kind === kind && (value === undefined || this.current.value === value);
  }

  isOperator(...values: string[]): boolean {
    return this.current.kind === "operator" && values.includes(this.current.value);
  }

  isWord(...values: string[]): boolean {
    return this.current.kind === "name" && values.includes(this.current.value);
  }

  skip(kind: TokenKind, value?: string): boolean {
    const found = this.is(kind, value);
    if (found) this.at++;
    return found;
  }

  skipOperator(value: string): boolean {
    return this.skip("operator", value);
  }

  skipWord(value: string): boolean {
    return this.skip("name", value);
  }

  expect(kind: TokenKind, value?: string): Token {
    if (this.is(kind, value)) return this.next();
    const wanted = value === undefined ? wordsOf({ ...this.current, kind, value: kind }) : `'${value}'`;
    throw sourceError(`${wanted} was expected, but here is ${wordsOf(this.current)}`, this.current);
  }

  fail(message: string, at: Token = this.current): never {
    throw sourceError(message, at);
  }

  expression(): Expression {
    return this.nested(() => this.parse(this));
  }

  /** Runs one level down. @throws JinjaError limit */
  nested<T>(read: () => T): T {
    if (++this.depth > this.limits.nesting) this.overflow();
    const result = read();
    this.depth--;
    return result;
  }

  /** Checks how many links a chain has that the grammar reads in a loop. @throws JinjaError limit */
  chain(links: number): void {
    if (links > this.limits.nesting * CHAIN_FACTOR) this.overflow();
  }

  private overflow(): never {
    throw sourceError(limitFault("nesting", this.limits).message, this.current, "limit");
  }
}
