// Turns the arguments of a call into a function that evaluates them, with *values and **named ones spread out.
// It knows nodes and values; which function they are for does not matter.
import { Dict } from "./dict.ts";
import { typeFault } from "./jinja-error.ts";
import type { Argument, Expression } from "./nodes.ts";
import type { Run } from "./run.ts";
import type { Scope } from "./scope.ts";
import { collect } from "./sequences.ts";
import { type Arguments, isText, NO_ARGUMENTS, textOf, type Value } from "./values.ts";

export type MakeArguments = (run: Run, scope: Scope) => Arguments;
type Evaluate = (run: Run, scope: Scope) => Value;

export function compileArguments(args: readonly Argument[], compile: (one: Expression) => Evaluate): MakeArguments {
  if (args.length === 0) return () => NO_ARGUMENTS;
  const compiled = args.map(({ form, name, value }) => ({ form, name, evaluate: compile(value) }));
  return (run, scope) => {
    const positional: Value[] = [];
    const named = new Map<string, Value>();
    run.charge(compiled.length);
    for (const { form, name, evaluate } of compiled) {
      const value = evaluate(run, scope);
      if (form === "named") addNamed(named, name, value);
      else if (form === "double-star") addAllNamed(named, value);
      else positional.push(...(form === "star" ? collect(run, value) : [value]));
    }
    return { positional, named };
  };
}

function addNamed(named: Map<string, Value>, name: string, value: Value): void {
  if (named.has(name)) throw typeFault(`the call gives '${name}' twice`);
  named.set(name, value);
}

function addAllNamed(named: Map<string, Value>, values: Value): void {
  if (!(values instanceof Dict)) throw typeFault("what follows '**' must be a dict");
  for (const [key, value] of values.entries()) {
    if (!isText(key)) throw typeFault("the names of arguments must be texts");
    addNamed(named, textOf(key), value);
  }
}
