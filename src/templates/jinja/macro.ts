// Macros: what a template defines with {% macro %}, and the `caller` of a {% call %} block.
// It knows how arguments meet the parameters; the body is a function that the compiler gives.

import { Dict } from "./dict.ts";
import { typeFault } from "./jinja-error.ts";
import type { Run } from "./run.ts";
import { type Arguments, Markup, Opaque, orMissing, Tuple, type Value } from "./values.ts";

/** What a macro takes beyond its parameters, which is what its body mentions. */
export type MacroShape = {
  readonly name: string | null;
  readonly parameters: readonly string[];
  readonly takesCaller: boolean;
  readonly takesNamed: boolean;
  readonly takesSurplus: boolean;
};

/** Names to set in the scope of the body; a parameter that got no value is missing in it. */
export type Bindings = ReadonlyMap<string, Value>;

export class Macro extends Opaque {
  readonly typeName = "Macro";
  private readonly shape: MacroShape;
  private readonly body: (run: Run, bindings: Bindings) => string;
  private readonly autoescape: boolean;

  /** `autoescape` is what holds where the macro is defined. */
  constructor(shape: MacroShape, body: (run: Run, bindings: Bindings) => string, autoescape: boolean) {
    super();
    this.shape = shape;
    this.body = body;
    this.autoescape = autoescape;
  }

  override describe(): string {
    const { name } = this.shape;
    return name === null ? "<Macro anonymous>" : `<Macro '${name}'>`;
  }

  override attribute(_run: Run, name: string): Value | undefined {
    const { shape } = this;
    switch (name) {
      case "name":
        return shape.name;
      case "arguments":
        return new Tuple(shape.parameters);
      case "caller":
        return shape.takesCaller;
      case "catch_kwargs":
        return shape.takesNamed;
      case "catch_varargs":
        return shape.takesSurplus;
      default:
        return undefined;
    }
  }

  override readonly call = (run: Run, args: Arguments): Value => {
    const bindings = this.bind(run, args);
    const outer = run.autoescape;
    run.autoescape = this.autoescape;
    const text = run.inCall(() => this.body(run, bindings));
    run.autoescape = outer;
    return outer ? new Markup(text) : text;
  };

  private bind(run: Run, { positional, named }: Arguments): Bindings {
    const { parameters, takesCaller, takesNamed, takesSurplus } = this.shape;
    const bindings = new Map<string, Value>();
    const others = new Map(named);
    for (const [at, parameter] of parameters.entries()) {
      const given = positional[at];
      const value = given === undefined ? named.get(parameter) : given;
      if (given === undefined) others.delete(parameter);
      if (value !== undefined) bindings.set(parameter, value);
    }
    const surplus = positional.slice(parameters.length);
    if (takesCaller) {
      bindings.set("caller", orMissing(others.get("caller"), "the macro was not used with {% call %}"));
      others.delete("caller");
    }
    if (takesNamed) bindings.set("kwargs", toDict(run, others));
    else if (others.size > 0) this.refuseNamed(others);
    if (takesSurplus) bindings.set("varargs", new Tuple(surplus));
    else if (surplus.length > 0) throw typeFault(`${this.describe()} takes at most ${parameters.length} values`);
    return bindings;
  }

  private refuseNamed(others: ReadonlyMap<string, Value>): never {
    if (others.has("caller")) throw typeFault(`${this.describe()} does not use its caller`);
    throw typeFault(`${this.describe()} has no parameter '${[...others.keys()][0] ?? ""}'`);
  }
}

function toDict(run: Run, values: ReadonlyMap<string, Value>): Dict {
  const dict = new Dict();
  for (const [key, value] of values) dict.set(run, key, value);
  return dict;
}
