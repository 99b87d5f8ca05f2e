// Which names of a scope begin as missing although they exist outside.
// Jinja2 decides this before it renders: a name that a scope sets, and does not read before, hides the outer one in the whole scope,
// also for the loops and macros inside that run before it is set. It knows nodes and names, no values.
import { namesIn } from "./node-queries.ts";
import type { Body, Expression, NodeOf, Statement, Target } from "./nodes.ts";

/** What is in a scope: its parameters, its body, and expressions that are evaluated in it before. */
export type FrameContents = readonly [parameters: readonly string[], body: Body, read?: readonly Expression[]];

type Begin = "known" | "missing";

export class FrameNames {
  private readonly parent: FrameNames | null;
  /** For one way through an `if`: the frame that it is a part of. Looked through and not copied, which would take quadratic time. */
  private readonly whole: FrameNames | null;
  private readonly names = new Map<string, Begin>();
  private readonly stored = new Set<string>();

  private constructor(parent: FrameNames | null, whole: FrameNames | null) {
    this.parent = parent;
    this.whole = whole;
  }

  /** The names of a scope inside `parent` (null for the template and for a block), whose parameters always have values. */
  static of(parent: FrameNames | null, ...[parameters, body, read = []]: FrameContents): FrameNames {
    const frame = new FrameNames(parent, null);
    for (const name of parameters) frame.names.set(name, "known");
    for (const expression of read) frame.read(expression);
    frame.visit(body);
    return frame;
  }

  get missing(): ReadonlySet<string> {
    return new Set([...this.names].filter(([, begin]) => begin === "missing").map(([name]) => name));
  }

  private has(name: string): boolean {
    return this.names.has(name) || (this.whole?.has(name) ?? false);
  }

  private hasStored(name: string): boolean {
    return this.stored.has(name) || (this.whole?.hasStored(name) ?? false);
  }

  private knows(name: string): boolean {
    return this.has(name) || (this.parent?.knows(name) ?? false);
  }

  private load(name: string): void {
    if (!this.knows(name)) this.names.set(name, "known");
  }

  private store(name: string): void {
    if (!this.hasStored(name)) this.stored.add(name);
    if (!this.has(name)) this.names.set(name, this.parent?.knows(name) ? "known" : "missing");
  }

  private read(expression: Expression): void {
    for (const name of namesIn([expression])) this.load(name);
  }

  private readonly assign = (target: Target): void => {
    if (target.typename === "Symbol") this.store(target.value);
    else if (target.typename === "NamespaceField") this.load(target.name);
    else for (const one of target.children as readonly Target[]) this.assign(one);
  };

  private visit(body: Body): void {
    for (const statement of body) {
      if (statement.typename === "If") this.visitIf(statement);
      else this.visitPlain(statement);
    }
  }

  /** Scopes inside count only by what is read outside of them. */
  private visitPlain(statement: Statement): void {
    for (const expression of readBy(statement)) this.read(expression);
    if (statement.typename === "Set" || statement.typename === "SetBlock") this.assign(statement.targets);
    if (statement.typename === "MacroDefinition") this.store(statement.name);
  }

  /** Jinja2 knows three ways: the body, all `elif`s together, and `else`. */
  private visitIf(node: NodeOf<"If">): void {
    this.read(node.cond);
    const elifs: NodeOf<"If">[] = [];
    let otherwise = node.else_ ?? [];
    for (let [next] = otherwise; next?.typename === "If" && next.elif; [next] = otherwise) {
      elifs.push(next);
      otherwise = next.else_ ?? [];
    }
    const alone = elifs.map((one) => ({ ...one, typename: "If" as const, else_: null }));
    this.branch([node.body, alone, otherwise]);
  }

  /** What only some of the three ways through an `if` set is known from outside before. */
  private branch(ways: readonly Body[]): void {
    const frames = ways.map((way) => {
      const frame = new FrameNames(this.parent, this);
      frame.visit(way);
      return frame;
    });
    const counts = new Map<string, number>();
    for (const frame of frames) {
      for (const name of frame.stored) counts.set(name, (counts.get(name) ?? 0) + 1);
      for (const [name, begin] of frame.names) this.names.set(name, begin);
    }
    for (const [name, count] of counts) {
      this.stored.add(name);
      if (count < frames.length) this.names.set(name, "known");
    }
  }
}

const READS: { readonly [K in Statement["typename"]]?: (node: NodeOf<K>) => readonly Expression[] } = {
  Output: ({ children }) => children,
  ForLoop: ({ arr }) => [arr],
  Set: ({ value }) => [value],
  With: ({ values }) => values,
  FilterBlock: ({ filter }) => [filter],
  CallBlock: ({ call }) => [call],
};

/** What a tag reads in the scope that it stands in. */
function readBy(statement: Statement): readonly Expression[] {
  const read = READS[statement.typename] as ((node: Statement) => readonly Expression[]) | undefined;
  return read?.(statement) ?? [];
}

/** The names that a target sets. */
export function targetNames(target: Target): string[] {
  if (target.typename === "Symbol") return [target.value];
  return target.typename === "Tuple" ? (target.children as readonly Target[]).flatMap(targetNames) : [];
}
