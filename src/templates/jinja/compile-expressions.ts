// Turns expression nodes into functions. No source code is made: a template's text never becomes JavaScript.
// It knows nodes and which operation each of them stands for; the operations are in files of their own.
import { affirm, type BinaryOperator, negate } from "./arithmetic.ts";
import { getAttribute, getItem, getSlice } from "./attributes.ts";
import { callValue } from "./calls.ts";
import { comparisonOf } from "./comparison.ts";
import { compileArguments, type MakeArguments } from "./compile-arguments.ts";
import type { CompileContext, Evaluate } from "./compile-context.ts";
import * as operators from "./compile-operators.ts";
import { Dict } from "./dict.ts";
import { joinPlain, joinTexts } from "./escaping.ts";
import { Fault } from "./jinja-error.ts";
import { isConstant } from "./node-queries.ts";
import type { Expression, ExpressionKind, NodeOf } from "./nodes.ts";
import type { Run } from "./run.ts";
import type { Scope } from "./scope.ts";
import { isTrue } from "./sequences.ts";
import { sourceError } from "./token.ts";
import { Tuple, Undefined, type Value } from "./values.ts";

type CompileNode<K extends ExpressionKind> = (node: NodeOf<K>, context: CompileContext) => Evaluate;

export function compileExpression(expression: Expression, context: CompileContext): Evaluate {
  const compile = COMPILERS[expression.typename] as CompileNode<ExpressionKind>;
  return compile(expression, context);
}

const compileAll = (expressions: readonly Expression[], context: CompileContext): Evaluate[] =>
  expressions.map((expression) => compileExpression(expression, context));

const evaluateAll = (run: Run, scope: Scope, evaluates: readonly Evaluate[]): Value[] => {
  run.checkSequence(evaluates.length);
  return evaluates.map((evaluate) => evaluate(run, scope));
};

type BinaryNode = { left: Expression; right: Expression };

const binary =
  (operator: BinaryOperator) =>
  ({ left, right }: BinaryNode, context: CompileContext): Evaluate =>
    operators.binary(operator, compileExpression(left, context), compileExpression(right, context));

function compilePower({ left, right }: NodeOf<"Pow">, context: CompileContext): Evaluate {
  if (context.volatile || !isConstant(left) || isConstant(right)) return binary("**")({ left, right }, context);
  return operators.powerOfConstant(compileExpression(left, context), compileExpression(right, context));
}

const unary =
  (apply: (value: Value) => Value) =>
  ({ target }: { target: Expression }, context: CompileContext): Evaluate =>
    operators.unary(apply, compileExpression(target, context));

const choice =
  (stopsAt: boolean) =>
  ({ left, right }: BinaryNode, context: CompileContext): Evaluate =>
    operators.choice(stopsAt, compileExpression(left, context), compileExpression(right, context));

/** A number too large for a float is infinity, which Jinja2 cannot write into its own program: it fails unless all is constant. */
function compileLiteral({ value }: NodeOf<"Literal">, { constant }: CompileContext): Evaluate {
  if (constant || value !== Number.POSITIVE_INFINITY) return () => value;
  return () => {
    throw new Fault("RuntimeError", "a number is too large");
  };
}

function compileDict({ children }: NodeOf<"Dict">, context: CompileContext): Evaluate {
  const pairs = children.map(
    ({ key, value }) => [compileExpression(key, context), compileExpression(value, context)] as const,
  );
  return (run, scope) => {
    const dict = new Dict();
    for (const [key, value] of pairs) dict.set(run, key(run, scope), value(run, scope));
    return dict;
  };
}

/** A bound that was left out is None, as in Python. */
const optional = (expression: Expression | null, context: CompileContext): Evaluate =>
  expression ? compileExpression(expression, context) : () => null;

function compileSlice(node: NodeOf<"Slice">, context: CompileContext): Evaluate {
  const target = compileExpression(node.target, context);
  const start = optional(node.start, context);
  const stop = optional(node.stop, context);
  const step = optional(node.step, context);
  return (run, scope) => {
    const value = target(run, scope);
    const bounds = { start: start(run, scope), stop: stop(run, scope), step: step(run, scope) };
    return getSlice(run, value, bounds, context.constant);
  };
}

/** `a < b < c` compares neighbours and stops at the first that fails. */
function compileCompare({ expr, ops }: NodeOf<"Compare">, context: CompileContext): Evaluate {
  const first = compileExpression(expr, context);
  const links = ops.map((link) => ({
    holds: comparisonOf(link.operator),
    operand: compileExpression(link.expr, context),
  }));
  return (run, scope) => {
    let left = first(run, scope);
    return links.every(({ holds, operand }) => {
      const right = operand(run, scope);
      const result = holds(run, left, right);
      left = right;
      return result;
    });
  };
}

function compileInlineIf(node: NodeOf<"InlineIf">, outer: CompileContext): Evaluate {
  const context = { ...outer, soft: true };
  const cond = compileExpression(node.cond, context);
  const body = compileExpression(node.body, context);
  const missing = `the inline 'if' on line ${node.lineno + 1} was false and has no 'else'`;
  const otherwise: Evaluate = node.else_ ? compileExpression(node.else_, context) : () => new Undefined(missing);
  return (run, scope) => (isTrue(cond(run, scope)) ? body : otherwise)(run, scope);
}

function compileCall(node: NodeOf<"FunCall">, context: CompileContext): Evaluate {
  return compileCallWith(
    node,
    context,
    compileArguments(node.args, (one) => compileExpression(one, context)),
  );
}

/** A call whose arguments come from elsewhere: a `call` block adds its body to them. */
export function compileCallWith(node: NodeOf<"FunCall">, context: CompileContext, args: MakeArguments): Evaluate {
  const callee = compileExpression(node.name, context);
  return (run, scope) => {
    const called = callee(run, scope);
    return callValue(run, called, args(run, scope));
  };
}

/** The functions of one filter or test, found now, or an error now or when it is reached. */
function compileNamed(kind: "filter" | "test") {
  return (node: NodeOf<"FilterCall"> | NodeOf<"TestCall">, context: CompileContext, value: Evaluate): Evaluate => {
    const found = (kind === "filter" ? context.filters : context.tests).get(node.name);
    const message = `there is no ${kind} '${node.name.slice(0, 60)}'`;
    if (!found && !context.soft) throw sourceError(message, node);
    const args = compileArguments(node.args, (one) => compileExpression(one, context));
    return (run, scope) => {
      if (!found) throw new Fault("RuntimeError", message);
      const first = value(run, scope);
      const { positional, named } = args(run, scope);
      run.charge(1);
      return found(run, { positional: [first, ...positional], named });
    };
  };
}

const compileTest = compileNamed("test");
const compileFilterOf = compileNamed("filter");

/** A filter; where its innermost target is left open, as in a block, `supplied` stands there. */
export function compileFilter(node: NodeOf<"FilterCall">, context: CompileContext, supplied: Evaluate): Evaluate {
  const { target } = node;
  if (target === null) return compileFilterOf(node, context, supplied);
  const inner =
    target.typename === "FilterCall" ? compileFilter(target, context, supplied) : compileExpression(target, context);
  return compileFilterOf(node, context, inner);
}

const nothingSupplied: Evaluate = () => {
  throw new Error("a filter outside of a block has no value");
};

const COMPILERS: { [K in ExpressionKind]: CompileNode<K> } = {
  Literal: compileLiteral,
  Symbol: ({ value: name }) => {
    return (run, scope) => {
      run.charge(1);
      return scope.lookup(name);
    };
  },
  Array: ({ children }, context) => {
    const items = compileAll(children, context);
    return (run, scope) => evaluateAll(run, scope, items);
  },
  Tuple: ({ children }, context) => {
    const items = compileAll(children as Expression[], context); // a tuple in an expression holds no targets
    return (run, scope) => new Tuple(evaluateAll(run, scope, items));
  },
  Dict: compileDict,
  LookupVal: ({ target, val }, context) => {
    const value = compileExpression(target, context);
    const key = compileExpression(val, context);
    return (run, scope) => getItem(run, value(run, scope), key(run, scope));
  },
  Attribute: ({ target, name }, context) => {
    const value = compileExpression(target, context);
    return (run, scope) => getAttribute(run, value(run, scope), name);
  },
  Slice: compileSlice,
  FunCall: compileCall,
  FilterCall: (node, context) => compileFilter(node, context, nothingSupplied),
  TestCall: (node, context) => compileTest(node, context, compileExpression(node.target, context)),
  Compare: compileCompare,
  InlineIf: compileInlineIf,
  JoinedText: (node, context) => {
    const parts = compileAll(node.children, context);
    const isPlain = context.constant || context.volatile || isConstant(node);
    const join = isPlain ? joinPlain : joinTexts;
    return (run, scope) => join(run, evaluateAll(run, scope, parts), "");
  },
  Or: choice(true),
  And: choice(false),
  Add: binary("+"),
  Sub: binary("-"),
  Mul: binary("*"),
  Div: binary("/"),
  FloorDiv: binary("//"),
  Mod: binary("%"),
  Pow: compilePower,
  Not: unary((value) => !isTrue(value)),
  Neg: unary(negate),
  Pos: unary(affirm),
};
