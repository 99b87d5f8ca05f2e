// Gives values to targets: a name, names in a row, or the field of a namespace.
// It knows scopes and targets only.
import { Fault, valueFault } from "./jinja-error.ts";
import { Namespace } from "./namespace.ts";
import type { Target } from "./nodes.ts";
import type { Run } from "./run.ts";
import type { Scope } from "./scope.ts";
import { collect } from "./sequences.ts";
import type { Value } from "./values.ts";

/** @throws Fault if a row of names meets another number of values */
export function assign(run: Run, scope: Scope, target: Target, value: Value): void {
  if (target.typename === "Symbol") {
    scope.set(target.value, value);
  } else if (target.typename === "NamespaceField") {
    const namespace = scope.lookup(target.name);
    if (!(namespace instanceof Namespace))
      throw new Fault("RuntimeError", "only a namespace takes values for its fields");
    namespace.fields.set(run, target.field, value);
  } else {
    const values = collect(run, value);
    const targets = target.children as readonly Target[]; // the parser lets nothing else into a row of targets
    if (values.length !== targets.length) {
      throw valueFault(`${targets.length} names cannot take ${values.length} values`);
    }
    for (const [at, one] of targets.entries()) assign(run, scope, one, values[at] as Value);
  }
}
