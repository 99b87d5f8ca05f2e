// The values that Jinja2's global functions make: namespace, cycler and joiner.
// It knows these values only.
import type { Dict } from "./dict.ts";
import { Fault } from "./jinja-error.ts";
import { toRepr } from "./printing.ts";
import type { Run } from "./run.ts";
import { native } from "./signature.ts";
import { Callable, Opaque, objectText, Tuple, Undefined, type Value } from "./values.ts";

/** Holds values that may be assigned from inside a loop or a block: `{% set ns.name = … %}`. */
export class Namespace extends Opaque {
  readonly typeName = "Namespace";
  readonly fields: Dict;

  constructor(fields: Dict) {
    super();
    this.fields = fields;
  }
  override describe(run: Run): string {
    return run.inValue(() => `<Namespace ${toRepr(run, this.fields)}>`);
  }
  override attribute(run: Run, name: string): Value | undefined {
    return this.fields.get(run, name);
  }
}

export class Cycler extends Opaque {
  readonly typeName = "Cycler";
  private readonly items: readonly Value[];
  private position = 0;

  constructor(items: readonly Value[]) {
    super();
    if (items.length === 0) throw new Fault("RuntimeError", "a cycler needs at least one value");
    this.items = items;
  }
  override describe(): string {
    return objectText("jinja2.utils.Cycler object");
  }
  private get current(): Value {
    return this.items[this.position] as Value;
  }
  override attribute(_run: Run, name: string): Value | undefined {
    switch (name) {
      case "current":
        return this.current;
      case "items":
        return new Tuple([...this.items]);
      case "pos":
        return BigInt(this.position);
      case "next":
        return new Callable(
          "next",
          native("next", "", () => this.advance()),
          `<bound method Cycler.next of ${this.describe()}>`,
        );
      case "reset":
        return new Callable(
          "reset",
          native("reset", "", () => this.reset()),
          `<bound method Cycler.reset of ${this.describe()}>`,
        );
      default:
        return undefined;
    }
  }
  private advance(): Value {
    const value = this.current;
    this.position = (this.position + 1) % this.items.length;
    return value;
  }
  private reset(): Value {
    this.position = 0;
    return null;
  }
}

/** Gives nothing the first time it is called, and its separator every time after. */
export class Joiner extends Opaque {
  readonly typeName = "Joiner";
  private readonly separator: Value;
  private used = false;

  constructor(separator: Value) {
    super();
    this.separator = separator;
  }
  override describe(): string {
    return objectText("jinja2.utils.Joiner object");
  }
  override attribute(_run: Run, name: string): Value | undefined {
    if (name === "sep") return this.separator;
    return name === "used" ? this.used : undefined;
  }
  override readonly call = (): Value => {
    if (this.used) return this.separator;
    this.used = true;
    return "";
  };
}

/** What `self` is in a template: gives its blocks as functions. */
export class Blocks extends Opaque {
  readonly typeName = "TemplateReference";
  private readonly blocks: ReadonlyMap<string, (run: Run) => Value>;

  constructor(blocks: ReadonlyMap<string, (run: Run) => Value>) {
    super();
    this.blocks = blocks;
  }
  override describe(): string {
    return "<TemplateReference None>";
  }
  override attribute(_run: Run, name: string): Value | undefined {
    const block = this.blocks.get(name);
    return block && new Callable(name, (run) => block(run), objectText("jinja2.runtime.BlockReference object"));
  }
}

export const noParentBlock = (name: string): Undefined => new Undefined(`there is no parent of the block '${name}'`);
