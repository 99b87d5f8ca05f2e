// Calling a value, and calling a filter or a test by its name.
// It knows which values can be called; what a macro or a method does is in their own files.
import { Fault, typeFault } from "./jinja-error.ts";
import type { Run } from "./run.ts";
import { undefinedFault } from "./sequences.ts";
import { type Arguments, Opaque, typeName, Undefined, type Value } from "./values.ts";

export function callValue(run: Run, callee: Value, args: Arguments): Value {
  run.charge(1 + args.positional.length);
  if (callee instanceof Undefined) throw undefinedFault(callee);
  if (callee instanceof Opaque && callee.call) return callee.call(run, args);
  throw typeFault(`a ${typeName(callee)} cannot be called`);
}

export const isCallable = (value: Value): boolean => value instanceof Opaque && value.call !== undefined;

/** Calls a filter or a test whose name is known only now. */
export function callNamed(run: Run, kind: "filter" | "test", name: string, args: Arguments): Value {
  const found = (kind === "filter" ? run.filters : run.tests).get(name);
  if (!found) throw new Fault("RuntimeError", `there is no ${kind} '${name}'`);
  run.charge(1 + args.positional.length);
  return found(run, args);
}
