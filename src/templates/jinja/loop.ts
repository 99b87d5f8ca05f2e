// The `loop` of a for block: where the loop is, what comes before and after, and how to go down a level.
// It knows a sequence and its position; what the body does is the compiler's business. It looks ahead only when it is asked to.
import { equals } from "./comparison.ts";
import { typeFault } from "./jinja-error.ts";
import type { Run } from "./run.ts";
import { iterate, lengthOf } from "./sequences.ts";
import { type Arguments, Callable, Opaque, orMissing, Tuple, type Value } from "./values.ts";

/** Goes through a sequence one level down, and gives the text. */
export type Descend = (run: Run, sequence: Value, depth: number) => Value;

export class Loop extends Opaque {
  readonly typeName = "LoopContext";
  private readonly sequence: Value;
  private readonly depth: number;
  private readonly descend: Descend | null;
  private iterator: Iterator<Value, void, undefined>;
  private index = -1;
  private known: number | undefined;
  private before: Value | undefined;
  private current: Value | undefined;
  private after: IteratorResult<Value, void> | undefined;
  private lastChecked: readonly Value[] | undefined;

  /** `depth` is 0 for the outermost; `descend` is null in a loop that is not recursive. */
  constructor(run: Run, sequence: Value, depth: number, descend: Descend | null) {
    super();
    this.sequence = sequence;
    this.depth = depth;
    this.descend = descend;
    this.iterator = iterate(run, sequence);
  }

  /** Moves on. Undefined at the end. */
  next(): Value | undefined {
    const result = this.after ?? this.iterator.next();
    this.after = undefined;
    if (result.done) return undefined;
    this.index++;
    this.before = this.current;
    this.current = result.value;
    return result.value;
  }

  private peek(): Value | undefined {
    this.after ??= this.iterator.next();
    return this.after.done ? undefined : this.after.value;
  }

  /** A stream has no length: what is left of it is read to know it. */
  private length(run: Run): number {
    this.known ??= Number(lengthOf(run, this.sequence) ?? this.readRest(run));
    return this.known;
  }

  private readRest(run: Run): number {
    const rest: Value[] = [];
    for (let next = this.iterator.next(); !next.done; next = this.iterator.next()) {
      run.checkGrowth(rest.length + 1);
      rest.push(next.value);
    }
    this.iterator = rest.values();
    return rest.length + this.index + 1 + (this.after && !this.after.done ? 1 : 0);
  }

  override describe(run: Run): string {
    return `<LoopContext ${this.index + 1}/${this.length(run)}>`;
  }

  private methodText(run: Run, name: string): string {
    return `<bound method LoopContext.${name} of ${this.describe(run)}>`;
  }

  override attribute(run: Run, name: string): Value | undefined {
    return ATTRIBUTES.get(name)?.(this, run);
  }

  static readonly attributes: Readonly<Record<string, (loop: Loop, run: Run) => Value>> = {
    index: (loop) => BigInt(loop.index + 1),
    index0: (loop) => BigInt(loop.index),
    revindex: (loop, run) => BigInt(loop.length(run) - loop.index),
    revindex0: (loop, run) => BigInt(loop.length(run) - loop.index - 1),
    first: (loop) => loop.index === 0,
    last: (loop) => loop.peek() === undefined,
    length: (loop, run) => BigInt(loop.length(run)),
    depth: (loop) => BigInt(loop.depth + 1),
    depth0: (loop) => BigInt(loop.depth),
    previtem: (loop) => orMissing(loop.before, "there is no previous item"),
    nextitem: (loop) => orMissing(loop.peek(), "there is no next item"),
    changed: (loop, run) =>
      new Callable("changed", (running, args) => loop.changed(running, args), loop.methodText(run, "changed")),
    cycle: (loop, run) => new Callable("cycle", (_run, args) => loop.cycle(args), loop.methodText(run, "cycle")),
  };

  /** Going through the loop itself takes its remaining rounds, as pairs of the item and the loop. */
  override readonly walk = (): Iterator<Value, void, undefined> => {
    const next = (): IteratorResult<Value, void> => {
      const item = this.next();
      return item === undefined ? { done: true, value: undefined } : { done: false, value: new Tuple([item, this]) };
    };
    return { next };
  };

  override readonly count = (run: Run): number => this.length(run);

  private changed(run: Run, { positional }: Arguments): boolean {
    const last = this.lastChecked;
    const same =
      last?.length === positional.length && last.every((value, at) => equals(run, value, positional[at] as Value));
    if (!same) this.lastChecked = positional;
    return !same;
  }

  private cycle({ positional }: Arguments): Value {
    if (positional.length === 0) throw typeFault("loop.cycle needs at least one value");
    return positional[this.index % positional.length] as Value;
  }

  override readonly call = (run: Run, { positional }: Arguments): Value => {
    const [sequence, ...more] = positional;
    if (!this.descend) throw typeFault("only a loop with 'recursive' can be called");
    const { descend, depth } = this;
    if (sequence === undefined || more.length > 0) throw typeFault("loop() takes one sequence");
    return run.inCall(() => descend(run, sequence, depth + 1));
  };
}

const ATTRIBUTES = new Map(Object.entries(Loop.attributes));
