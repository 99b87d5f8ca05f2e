// `opjob render --jsonl`: for each line {"template", "context"} of stdin one line {"output"} or {"error", "line"} to stdout, at once.
// It knows lines and JSON; what Jinja2 means is the business of templates/jinja/.
import { once } from "node:events";
import { asOpjobError } from "../errors.ts";
import {
  compileJinja,
  type JinjaContext,
  JinjaError,
  type JinjaOptions,
  type JinjaValue,
} from "../templates/jinja/jinja.ts";
import type { Host } from "./host.ts";
import { readPythonJson } from "./python-json.ts";

type Answer = { readonly output: string } | { readonly error: string; readonly line?: number };

/** Longer lines are no question: the bounds of templates are far below. */
const LONGEST_LINE = 16_777_216;

export async function renderLines({ stdin, stdout }: Pick<Host, "stdin" | "stdout">, options: JinjaOptions) {
  for await (const line of linesOf(stdin)) {
    if (line.trim() === "") continue;
    if (!stdout.write(`${asLine(answer(line, options))}\n`)) await once(stdout, "drain");
  }
}

/** Cut at "\n" only: JSON may hold U+2028, which readline takes for the end of a line. */
async function* linesOf(stdin: Host["stdin"]): AsyncGenerator<string, void, undefined> {
  stdin.setEncoding("utf8");
  let rest = "";
  for await (const chunk of stdin as AsyncIterable<string>) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
    if (rest.length > LONGEST_LINE) {
      yield rest;
      return;
    }
  }
  if (rest !== "") yield rest;
}

function answer(line: string, options: JinjaOptions): Answer {
  const question = questionIn(line);
  if (typeof question === "string") return { error: question };
  try {
    return { output: compileJinja(question.template, options).render(question.context) };
  } catch (error) {
    if (error instanceof JinjaError) return { error: error.message, line: error.line };
    return { error: `a fault in opjob itself: ${asOpjobError(error).message}` }; // the next line may well be answered
  }
}

type Question = { readonly template: string; readonly context: JinjaContext };

/** What a line asks for, or why it asks for nothing. */
function questionIn(line: string): Question | string {
  if (line.length > LONGEST_LINE) return `the line is longer than ${LONGEST_LINE} characters`;
  const question = parsed(line);
  const template = isObject(question) ? question.get("template") : undefined;
  if (!isObject(question) || typeof template !== "string") return 'the line is no JSON object with a text "template"';
  const context = question.get("context") ?? new Map();
  return isObject(context) ? { template, context } : '"context" must be an object';
}

const isObject = (value: JinjaValue | undefined): value is ReadonlyMap<string, JinjaValue> => value instanceof Map;

function parsed(line: string): JinjaValue | undefined {
  try {
    return readPythonJson(line);
  } catch {
    return undefined;
  }
}

/** Some readers end a line at U+2028 or U+2029, which JSON leaves as they are. */
const asLine = (given: Answer): string =>
  JSON.stringify(given).replace(/[\u2028\u2029]/g, (one) => (one === "\u2028" ? "\\u2028" : "\\u2029"));
