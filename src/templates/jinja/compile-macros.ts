// Turns macros and call blocks into functions.
// It knows how a body becomes a macro; how arguments are bound is in macro.ts.
import { compileArguments } from "./compile-arguments.ts";
import { type CompileContext, openFrame } from "./compile-context.ts";
import { compileCallWith, compileExpression } from "./compile-expressions.ts";
import { typeFault } from "./jinja-error.ts";
import { type Bindings, Macro, type MacroShape } from "./macro.ts";
import { type SpecialName, specialsIn } from "./node-queries.ts";
import type { Body, Expression, NodeOf } from "./nodes.ts";
import type { Run } from "./run.ts";
import { Output, Scope } from "./scope.ts";
import type { Position } from "./token.ts";
import type { TemplatePlace } from "./trace.ts";
import { isText, textOf, Undefined, type Value } from "./values.ts";

export type Execute = (run: Run, scope: Scope, output: Output) => void;
export type CompileBody = (body: Body, context: CompileContext) => Execute;
type MakeMacro = (run: Run, scope: Scope) => Macro;
type MacroNode = { args: readonly string[]; defaults: readonly Expression[]; body: Body };

/** Runs a body for its text. */
export function capture(run: Run, body: Execute, scope: Scope): string {
  const output = new Output(run, "stringSize");
  body(run, scope, output);
  return output.text;
}

function shapeOf(name: string | null, node: MacroNode): MacroShape {
  const read = specialsIn(node.body);
  const takes = (special: SpecialName): boolean => read.has(special) && !node.args.includes(special);
  return {
    name,
    parameters: node.args,
    takesCaller: takes("caller"),
    takesNamed: takes("kwargs"),
    takesSurplus: takes("varargs"),
  };
}

const specialNames = (shape: MacroShape): string[] =>
  [shape.takesCaller && "caller", shape.takesNamed && "kwargs", shape.takesSurplus && "varargs"].filter(
    (name) => name !== false,
  );

function compileMacro(
  name: string | null,
  node: MacroNode,
  outer: CompileContext,
  compileBody: CompileBody,
): MakeMacro {
  const shape = shapeOf(name, node);
  const { context, missing } = openFrame(outer, [...node.args, ...specialNames(shape)], node.body, node.defaults);
  const body = compileBody(node.body, context);
  const firstDefault = node.args.length - node.defaults.length;
  const defaults = node.defaults.map((value, at) => ({
    name: node.args[firstDefault + at] ?? "",
    evaluate: compileExpression(value, context),
  }));
  const enter = (run: Run, definedIn: Scope, bindings: Bindings): Scope => {
    const scope = new Scope(definedIn, missing);
    for (const parameter of node.args) scope.set(parameter, new Undefined(`no value was given for '${parameter}'`));
    for (const [key, value] of bindings) scope.set(key, value);
    for (const one of defaults) if (!bindings.has(one.name)) scope.set(one.name, one.evaluate(run, scope));
    return scope;
  };
  return (run, scope) =>
    new Macro(shape, (running, bindings) => capture(running, body, enter(running, scope, bindings)), run.autoescape);
}

export function compileMacroDefinition(
  node: NodeOf<"MacroDefinition">,
  context: CompileContext,
  compileBody: CompileBody,
): Execute {
  const make = compileMacro(node.name, node, context, compileBody);
  return (run, scope) => scope.set(node.name, make(run, scope));
}

/** Gives the block's body to the macro that it calls, as `caller`. */
export function compileCallBlock(
  node: NodeOf<"CallBlock">,
  context: CompileContext,
  compileBody: CompileBody,
): Execute {
  const makeCaller = compileMacro(null, node, context, compileBody);
  const makeArguments = compileArguments(node.call.args, (one) => compileExpression(one, context));
  const call = compileCallWith(node.call, context, (run, scope) => {
    const { positional, named } = makeArguments(run, scope);
    if (named.has("caller")) throw typeFault("the call gives 'caller' twice");
    return { positional, named: new Map([...named, ["caller", makeCaller(run, scope)]]) };
  });
  const place = placeOfTag(node);
  // A macro's text tells apart by itself what it prints of its arguments; that of another function does not.
  const given = context.given?.reaches(node.call) === true;
  return (run, scope, output) => {
    run.line = place.line;
    const text = requireOutput(call(run, scope));
    output.write(given && run.trace ? run.trace.mark(text) : text, place);
  };
}

/** Where what a tag prints comes from. */
export const placeOfTag = ({ lineno, colno }: Position): TemplatePlace => ({
  line: lineno + 1,
  column: colno + 1,
  exact: false,
});

/** What a filter block or a call block gives must be a text already. @throws Fault TypeError */
export function requireOutput(value: Value): string {
  if (!isText(value)) throw typeFault("the block gives a value that is not a text");
  return textOf(value);
}
