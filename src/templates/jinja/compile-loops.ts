// Turns for loops into functions.
// It knows scopes and sequences; the `loop` that templates see is in loop.ts.
import { assign } from "./assignment.ts";
import { type CompileContext, type Evaluate, openFrame } from "./compile-context.ts";
import { compileExpression } from "./compile-expressions.ts";
import type { CompileBody, Execute } from "./compile-macros.ts";
import { targetNames } from "./frame-names.ts";
import { Loop } from "./loop.ts";
import type { NodeOf, Target } from "./nodes.ts";
import type { Run } from "./run.ts";
import { Output, Scope } from "./scope.ts";
import { each, isTrue } from "./sequences.ts";
import { Markup, Stream, Tuple, type Value } from "./values.ts";

type Parts = {
  readonly target: Target;
  readonly filter: Evaluate | null;
  readonly body: Execute;
  readonly missing: ReadonlySet<string>;
  readonly else_: Execute;
  readonly elseMissing: ReadonlySet<string>;
  readonly recursive: boolean;
  readonly line: number;
};

export function compileFor(node: NodeOf<"ForLoop">, outer: CompileContext, compileBody: CompileBody): Execute {
  const targets = targetNames(node.name);
  const inner = openFrame(outer, [...targets, "loop"], node.body);
  const otherwise = openFrame(outer, [], node.else_);
  const sequence = compileExpression(node.arr, outer);
  const parts: Parts = {
    target: node.name,
    filter: node.filter && compileExpression(node.filter, { ...outer, soft: false }),
    body: compileBody(node.body, inner.context),
    missing: inner.missing,
    else_: compileBody(node.else_, otherwise.context),
    elseMissing: otherwise.missing,
    recursive: node.recursive,
    line: node.lineno + 1,
  };
  return (run, scope, output) => {
    run.line = parts.line;
    run.charge(1);
    const value = sequence(run, scope);
    run.line = parts.line;
    runLoop(run, parts, { scope, output, depth: 0 }, value);
  };
}

type Place = { readonly scope: Scope; readonly output: Output; readonly depth: number };

function runLoop(run: Run, parts: Parts, { scope, output, depth }: Place, sequence: Value): void {
  const items = parts.filter ? filtered(run, parts, scope, sequence) : sequence;
  const descend = (running: Run, inner: Value, level: number): Value => {
    const collected = new Output(running, "stringSize");
    runLoop(running, parts, { scope, output: collected, depth: level }, inner);
    return running.autoescape ? new Markup(collected.text) : collected.text;
  };
  const loop = new Loop(run, items, depth, parts.recursive ? descend : null);
  // One scope for all rounds, emptied before each: a macro that outlives its round sees the newest values, as in Jinja2.
  const inner = new Scope(scope, parts.missing);
  let rounds = 0;
  for (let item = loop.next(); item !== undefined; item = loop.next()) {
    inner.clear();
    inner.set("loop", loop);
    assign(run, inner, parts.target, item);
    parts.body(run, inner, output);
    run.line = parts.line;
    rounds++;
  }
  if (rounds === 0) parts.else_(run, new Scope(scope, parts.elseMissing), output);
}

/** What a row of names has taken, as a tuple: that is what the loop sees of an item once a condition has looked at it. */
function taken(scope: Scope, target: Target): Value {
  if (target.typename !== "Tuple") return scope.lookup(target.typename === "Symbol" ? target.value : target.name);
  return new Tuple(target.children.map((one) => taken(scope, one as Target)));
}

/** The condition sees the targets, but not the `loop` that it decides about. */
function filtered(run: Run, { target, filter }: Parts, outer: Scope, sequence: Value): Value {
  function* pass(): Generator<Value, void, undefined> {
    const scope = new Scope(outer);
    for (const item of each(run, sequence)) {
      scope.clear();
      assign(run, scope, target, item);
      if (filter && isTrue(filter(run, scope))) yield target.typename === "Tuple" ? taken(scope, target) : item;
    }
  }
  return new Stream("generator", pass());
}
