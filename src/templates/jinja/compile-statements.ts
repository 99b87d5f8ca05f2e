// Turns the nodes of tags into functions that write text.
// It knows which scope each tag opens and what it writes; loops and macros are in files of their own.
import { assign } from "./assignment.ts";
import { type CompileContext, openFrame } from "./compile-context.ts";
import { compileExpression, compileFilter } from "./compile-expressions.ts";
import { compileFor } from "./compile-loops.ts";
import {
  capture,
  compileCallBlock,
  compileMacroDefinition,
  type Execute,
  placeOfTag,
  requireOutput,
} from "./compile-macros.ts";
import { compileOutput } from "./compile-output.ts";
import { FrameNames, targetNames } from "./frame-names.ts";
import { Fault } from "./jinja-error.ts";
import { noParentBlock } from "./namespace.ts";
import { isConstant } from "./node-queries.ts";
import type { Body, NodeOf, Statement, StatementKind } from "./nodes.ts";
import type { Run } from "./run.ts";
import { Scope } from "./scope.ts";
import { isTrue } from "./sequences.ts";
import { Markup, orElse, type Value } from "./values.ts";

type CompileNode<K extends StatementKind> = (node: NodeOf<K>, context: BlockContext) => Execute;

/** The compiler's knowledge with the blocks that it has met, by name. */
export type BlockContext = CompileContext & { readonly blocks: Map<string, Execute> };

export function compileBody(body: Body, context: BlockContext): Execute {
  const statements = body.map((statement) => compileStatement(statement, context));
  const [only] = statements;
  if (only && statements.length === 1) return only;
  return (run, scope, output) => {
    for (const execute of statements) execute(run, scope, output);
  };
}

function compileStatement(statement: Statement, context: BlockContext): Execute {
  const compile = COMPILERS[statement.typename] as CompileNode<StatementKind>;
  return compile(statement, context);
}

const bodyCompiler = (context: BlockContext) => (body: Body, inner: CompileContext) =>
  compileBody(body, { ...inner, blocks: context.blocks });

/** The branches share the scope around them. */
function compileIf({ cond, body, else_, lineno }: NodeOf<"If">, outer: BlockContext): Execute {
  const context = { ...outer, soft: true };
  const condition = compileExpression(cond, context);
  const then = compileBody(body, context);
  const otherwise = compileBody(else_ ?? [], context);
  return (run, scope, output) => {
    run.line = lineno + 1;
    run.charge(1);
    const branch = isTrue(condition(run, scope)) ? then : otherwise;
    branch(run, scope, output);
  };
}

function compileSet({ targets, value, lineno }: NodeOf<"Set">, context: BlockContext): Execute {
  const evaluate = compileExpression(value, context);
  return (run, scope) => {
    run.line = lineno + 1;
    run.charge(1);
    assign(run, scope, targets, evaluate(run, scope));
  };
}

const marked = (run: Run, text: string): Value => (run.autoescape ? new Markup(text) : text);

function compileSetBlock({ targets, filter, body, lineno }: NodeOf<"SetBlock">, outer: BlockContext): Execute {
  const { context, missing } = openFrame(outer, [], body);
  const execute = compileBody(body, context);
  const evaluate = filter && compileSupplied(filter, context);
  return (run, scope) => {
    const inner = new Scope(scope, missing);
    const text = marked(run, capture(run, execute, inner));
    run.line = lineno + 1;
    assign(run, scope, targets, evaluate ? evaluate(run, inner, text) : text);
  };
}

type Supplied = (run: Run, scope: Scope, value: Value) => Value;

/** The filters of a block, as a function of the block's text. */
function compileSupplied(filter: NodeOf<"FilterCall">, context: CompileContext): Supplied {
  const supplies: Value[] = [];
  const evaluate = compileFilter(filter, context, () => orElse(supplies.at(-1), ""));
  return (run, scope, value) => {
    supplies.push(value);
    try {
      return evaluate(run, scope);
    } finally {
      supplies.pop();
    }
  };
}

function compileFilterBlock(node: NodeOf<"FilterBlock">, outer: BlockContext): Execute {
  const { filter, body, lineno } = node;
  const place = placeOfTag(node);
  const given = outer.given?.reaches(filter) === true;
  const { context, missing } = openFrame(outer, [], body);
  const execute = compileBody(body, context);
  const evaluate = compileSupplied(filter, context);
  return (run, scope, output) => {
    const inner = new Scope(scope, missing);
    const text = marked(run, capture(run, execute, inner));
    run.line = lineno + 1;
    const filtered = requireOutput(evaluate(run, inner, text));
    output.write(given && run.trace ? run.trace.mark(filtered) : filtered, place);
  };
}

/** All values are found before the first name is set. */
function compileWith({ targets, values, body, lineno }: NodeOf<"With">, outer: BlockContext): Execute {
  const evaluates = values.map((value) => compileExpression(value, outer));
  const { context, missing } = openFrame(outer, targets.flatMap(targetNames), body);
  const execute = compileBody(body, context);
  return (run, scope, output) => {
    run.line = lineno + 1;
    run.charge(1);
    const inner = new Scope(scope, missing);
    const found = evaluates.map((evaluate) => evaluate(run, scope));
    for (const [at, target] of targets.entries()) assign(run, inner, target, found[at] as Value);
    execute(run, inner, output);
  };
}

function compileAutoEscape({ value, body, lineno }: NodeOf<"AutoEscape">, outer: BlockContext): Execute {
  const evaluate = compileExpression(value, outer);
  const inside = { ...outer, volatile: outer.volatile || !isConstant(value) };
  const { context, missing } = openFrame(inside, [], body, [value]);
  const execute = compileBody(body, context);
  return (run, scope, output) => {
    run.line = lineno + 1;
    const before = run.autoescape;
    run.autoescape = isTrue(evaluate(run, scope));
    execute(run, new Scope(scope, missing), output);
    run.autoescape = before;
  };
}

/** A block sees the names of the whole template; those of a loop around it only if it is `scoped`. */
function compileBlock({ name, body, scoped, required, lineno }: NodeOf<"Block">, outer: BlockContext): Execute {
  const names = FrameNames.of(null, ["self", "super"], body);
  const execute = compileBody(body, { ...outer, soft: false, names });
  const run_: Execute = (run, scope, output) => {
    run.line = lineno + 1;
    if (required) throw new Fault("RuntimeError", `the block '${name}' is required, and nothing fills it`);
    const inner = new Scope(scope, names.missing, "block");
    inner.set("super", noParentBlock(name));
    execute(run, inner, output);
  };
  outer.blocks.set(name, run_);
  return (run, scope, output) => run_(run, scoped ? scope : scope.root, output);
}

const COMPILERS: { [K in StatementKind]: CompileNode<K> } = {
  TemplateData: ({ value, lineno, colno }) => {
    const place = { line: lineno + 1, column: colno + 1, exact: true };
    return (_run, _scope, output) => output.write(value, place);
  },
  Output: compileOutput,
  If: compileIf,
  ForLoop: (node, context) => compileFor(node, context, bodyCompiler(context)),
  Set: compileSet,
  SetBlock: compileSetBlock,
  With: compileWith,
  FilterBlock: compileFilterBlock,
  AutoEscape: compileAutoEscape,
  MacroDefinition: (node, context) => compileMacroDefinition(node, context, bodyCompiler(context)),
  CallBlock: (node, context) => compileCallBlock(node, context, bodyCompiler(context)),
  Block: compileBlock,
};
