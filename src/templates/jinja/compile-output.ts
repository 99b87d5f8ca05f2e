// Turns {{ … }} and {% print … %} into functions that write text.
// It knows what is printed as it is, and what is marked as coming from given variables where a trace asks for that.
import type { CompileContext, Evaluate } from "./compile-context.ts";
import { compileExpression } from "./compile-expressions.ts";
import { type Execute, placeOfTag } from "./compile-macros.ts";
import { Dict } from "./dict.ts";
import { outputText } from "./escaping.ts";
import { toJson } from "./json.ts";
import { isConstant } from "./node-queries.ts";
import type { Argument, Expression, NodeOf } from "./nodes.ts";
import { toText } from "./printing.ts";
import type { Run } from "./run.ts";
import type { Scope } from "./scope.ts";
import { collect, isTrue, itemsOf } from "./sequences.ts";
import type { Trace, TraceData } from "./trace.ts";
import type { Value } from "./values.ts";

type Print = (run: Run, scope: Scope) => string;
type PrintMarked = (run: Run, scope: Scope, trace: Trace) => string;

export function compileOutput({ children }: NodeOf<"Output">, context: CompileContext): Execute {
  const prints = children.map((child) => ({ print: compilePrint(child, context), place: placeOfTag(child) }));
  return (run, scope, output) => {
    for (const { print, place } of prints) {
      run.line = place.line;
      run.charge(1);
      output.write(print(run, scope), place);
    }
  };
}

function compilePrint(child: Expression, context: CompileContext): Print {
  const evaluate = compileExpression(child, { ...context, constant: isConstant(child) });
  // What Jinja2 computes before it knows whether to escape, it does not escape.
  const textOf = context.volatile && isConstant(child, true) ? toText : outputText;
  const plain: Print = (run, scope) => textOf(run, evaluate(run, scope));
  if (!context.given?.reaches(child)) return plain;
  const marked = compileMarked(child, context);
  return (run, scope) => (run.trace ? marked(run, scope, run.trace) : plain(run, scope));
}

/** Prints an expression with what comes from given variables marked, in as small pieces as the expression shows. */
function compileMarked(expression: Expression, context: CompileContext): PrintMarked {
  if (!context.given?.reaches(expression)) {
    const evaluate = compileExpression(expression, context);
    return (run, scope) => outputText(run, evaluate(run, scope));
  }
  if (expression.typename === "InlineIf") return markChoice(expression, context);
  if (expression.typename === "JoinedText") return markJoinedText(expression, context);
  if (expression.typename === "FilterCall") return markFilter(expression, context);
  return markWhole(expression, context);
}

function markWhole(expression: Expression, context: CompileContext, dataOf = dataOfContainer): PrintMarked {
  const evaluate = compileExpression(expression, context);
  return (run, scope, trace) => {
    const value = evaluate(run, scope);
    return trace.mark(outputText(run, value), dataOf(run, value));
  };
}

/** Python's way to print a list is read as a list by YAML. */
function dataOfContainer(run: Run, value: Value): TraceData | undefined {
  return itemsOf(value) || value instanceof Dict ? jsonData(() => toJson(run, value, null)) : undefined;
}

/** Undefined for what JSON cannot hold. */
function jsonData(write: () => string): TraceData | undefined {
  try {
    return JSON.parse(write()) as TraceData;
  } catch {
    return undefined;
  }
}

function markChoice({ cond, body, else_ }: NodeOf<"InlineIf">, outer: CompileContext): PrintMarked {
  const context = { ...outer, soft: true };
  const condition = compileExpression(cond, context);
  const then = compileMarked(body, context);
  const otherwise = else_ ? compileMarked(else_, context) : () => "";
  return (run, scope, trace) => (isTrue(condition(run, scope)) ? then : otherwise)(run, scope, trace);
}

/** Where escaping is on, joining decides what is escaped: the whole is one piece then. */
function markJoinedText(node: NodeOf<"JoinedText">, context: CompileContext): PrintMarked {
  const whole = markWhole(node, context);
  const parts = node.children.map((child) => compileMarked(child, context));
  return (run, scope, trace) =>
    run.autoescape ? whole(run, scope, trace) : parts.map((part) => part(run, scope, trace)).join("");
}

function markFilter(node: NodeOf<"FilterCall">, context: CompileContext): PrintMarked {
  if (node.name === "tojson") return markWhole(node, context, (run, value) => jsonData(() => toText(run, value)));
  const separator = node.name === "join" ? separatorOf(node.args, context) : undefined;
  if (!separator || !node.target) return markWhole(node, context);
  return markJoin(node, compileExpression(node.target, context), separator, context);
}

/** What stands between joined elements, if it is the template's own and nothing else is asked for. */
function separatorOf(args: readonly Argument[], context: CompileContext): Evaluate | undefined {
  const [only, ...more] = args;
  if (!only) return () => "";
  const isSeparator = only.form === "value" || (only.form === "named" && only.name === "d");
  if (!isSeparator || more.length > 0 || context.given?.reaches(only.value)) return undefined;
  return compileExpression(only.value, context);
}

function markJoin(node: Expression, list: Evaluate, separator: Evaluate, context: CompileContext): PrintMarked {
  const whole = markWhole(node, context);
  return (run, scope, trace) => {
    if (run.autoescape) return whole(run, scope, trace);
    const items = collect(run, list(run, scope));
    return items.map((item) => trace.mark(toText(run, item))).join(toText(run, separator(run, scope)));
  };
}
