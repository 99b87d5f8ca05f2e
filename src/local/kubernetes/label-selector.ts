// Label selectors: equality, sets and existence, read token by token so that refusals are worded as the real server's. Pure.
import type { KubeObject } from "./objects.ts";
import { badRequest } from "./status.ts";

export type Selector = (object: KubeObject) => boolean;
type Labels = Readonly<Record<string, string>>;
type Rule = (labels: Labels) => boolean;

const TOKEN = /\s*(==|!=|[=!(),<>]|[^\s=!(),<>]+)/y;
const END = "";

class Tokens {
  readonly #tokens: string[] = [];
  #at = 0;

  constructor(text: string) {
    for (TOKEN.lastIndex = 0; ; ) {
      const match = TOKEN.exec(text);
      if (!match) return;
      this.#tokens.push(match[1] ?? END);
    }
  }

  get next(): string {
    return this.#tokens[this.#at] ?? END;
  }

  take(): string {
    return this.#tokens[this.#at++] ?? END;
  }

  takeIf(token: string): boolean {
    const is = this.next === token;
    if (is) this.#at += 1;
    return is;
  }
}

const isWord = (token: string): boolean => token !== END && !/^[=!(),<>]/.test(token);
const unable = (why: string) => badRequest(`unable to parse requirement: ${why}`);

/** Undefined for a text that selects all. @throws ApiFailure 400 */
export function parseLabelSelector(text: string): Selector | undefined {
  if (text.trim() === "") return undefined;
  const tokens = new Tokens(text);
  const rules: Rule[] = [];
  do {
    rules.push(readRule(tokens));
  } while (tokens.takeIf(","));
  if (tokens.next !== END) throw badRequest(`found '${tokens.next}', expected: ',' or 'end of string'`);
  return ({ metadata: { labels = {} } }) => rules.every((rule) => rule(labels));
}

function readRule(tokens: Tokens): Rule {
  const not = tokens.takeIf("!");
  const key = tokens.take();
  if (!isWord(key)) throw unable(`found '${key}', expected: !, identifier, or 'end of string'`);
  if (not) return (labels) => !Object.hasOwn(labels, key);
  if (tokens.next === END || tokens.next === ",") return (labels) => Object.hasOwn(labels, key);
  const operator = tokens.take();
  switch (operator) {
    case "=":
    case "==":
    case "!=":
      return readEquality(tokens, key, operator === "!=");
    case "in":
    case "notin":
      return readSet(tokens, key, operator === "notin");
    default:
      throw unable(`found '${operator}', expected: in, notin, =, ==, !=, gt, lt`);
  }
}

function readEquality(tokens: Tokens, key: string, not: boolean): Rule {
  const value = isWord(tokens.next) ? tokens.take() : "";
  return (labels) => (labels[key] === value) !== not;
}

function readSet(tokens: Tokens, key: string, not: boolean): Rule {
  if (!tokens.takeIf("(")) throw unable(`found '${tokens.next}' expected: '('`);
  const values = new Set<string>();
  do {
    values.add(isWord(tokens.next) ? tokens.take() : "");
  } while (tokens.takeIf(","));
  if (!tokens.takeIf(")")) throw unable(`found '${tokens.next}', expected: ',' or ')'`);
  return (labels) => values.has(labels[key] ?? "\0") !== not;
}
