// The class of a plain value, as far as templates see it: how it prints, and its name. It leads no further: to no instance, no
// base and no module, which is how templates of Python break out.

import { Fault } from "./jinja-error.ts";
import type { Run } from "./run.ts";
import { Opaque, Tuple, typeName, type Value } from "./values.ts";

class ClassName extends Opaque {
  readonly typeName = "type";
  readonly #name: string;
  readonly #module: string;

  constructor(name: string, module = "") {
    super();
    this.#name = name;
    this.#module = module;
  }
  describe(): string {
    return `<class '${this.#module}${this.#name}'>`;
  }
  /** In Python it makes an instance; templates have filters for that. */
  override readonly call = (): never => {
    throw new Fault("Unsupported", `the class '${this.#name}' cannot be called in a template`);
  };
  override attribute(_run: Run, name: string): Value | undefined {
    if (name === "__class__") return CLASSES.get("type");
    return name === "__name__" ? this.#name : undefined;
  }
}

const BUILT_IN = ["type", "NoneType", "bool", "int", "float", "str", "list", "tuple", "dict", "range"];

/** One for each, so that a class equals itself. */
const CLASSES: ReadonlyMap<string, ClassName> = new Map([
  ...BUILT_IN.map((name) => [name, new ClassName(name)] as const),
  ["Markup", new ClassName("Markup", "markupsafe.")],
]);

/** Undefined if it is no plain value. */
export const classOf = (value: Value): Value | undefined =>
  value instanceof Tuple && value.names.length > 0 ? undefined : CLASSES.get(typeName(value));
