// Which names of a template may hold what came from certain given variables, and which expressions may print some of it.
// Decided before rendering, from the tree alone, and never too few: a name counts everywhere in the template. It knows nodes and names.
import type { Argument, Expression, ExpressionKind, NodeOf, Statement, Target } from "./nodes.ts";

type AnyNode = Expression | Statement;

/** What some names hold goes to other names. */
type Flow = { readonly to: readonly string[]; readonly from: ReadonlySet<string> };

/** Filters whose text is that of a number, whatever they are given. */
const COUNTING = new Set(["length", "count", "int", "float", "wordcount", "abs", "round"]);

/** Methods that put what they are given into their object. */
const KEEPING = new Set(["append", "extend", "insert", "update", "setdefault"]);

export class GivenNames {
  private readonly macros = new Map<string, readonly string[]>();
  private readonly names: ReadonlySet<string>;
  /** Whether text is collected on the way: in macros, blocks that are set, filtered or called, and loops that call themselves. */
  readonly collects: boolean;

  /** Where not all that stands in an expression may be printed by it. */
  private readonly parts: { readonly [K in ExpressionKind]?: (node: NodeOf<K>) => readonly AnyNode[] } = {
    TestCall: () => [],
    Compare: () => [],
    Not: () => [],
    InlineIf: ({ body, else_ }) => (else_ ? [body, else_] : [body]),
    Attribute: ({ target }) => [target],
    LookupVal: ({ target }) => [target],
    FunCall: (node) => (this.isMarkedInside(node) ? [] : [node.name, ...valuesOf(node.args)]),
    FilterCall: ({ name, target, args }) =>
      COUNTING.has(name) || !target ? valuesOf(args) : [target, ...valuesOf(args)],
  };

  private readonly flows: { readonly [K in AnyNode["typename"]]?: (node: NodeOf<K>, called: Calls) => Flow[] } = {
    Set: ({ targets, value }) => [this.flow(targetsOf(targets), value)],
    SetBlock: ({ targets, filter }) => (filter ? [this.flow(targetsOf(targets), filter)] : []),
    ForLoop: ({ name, arr }, { loop }) => [this.flow([...targetsOf(name), "loop"], arr, ...loop)],
    With: ({ targets, values }) =>
      targets.map((target, at) => this.flow(targetsOf(target), ...values.slice(at, at + 1))),
    MacroDefinition: ({ args, defaults }) => [this.flow(args, ...defaults)],
    CallBlock: ({ args, defaults }, { caller }) => [this.flow(args, ...defaults, ...caller)],
    FunCall: (node) => this.callFlows(node),
  };

  constructor(body: readonly Statement[], roots: readonly string[]) {
    const nodes = allNodes(body);
    this.collects = nodes.some(collectsText);
    for (const node of nodes) if (node.typename === "MacroDefinition") this.macros.set(node.name, node.args);
    const called = new Calls(nodes);
    const flows = nodes.flatMap((node) => this.flowsOf(node, called));
    this.names = closure(roots, [...flows, ...backwards(flows, keepers(nodes))]);
  }

  /** Whether what an expression prints may come from the given variables. */
  reaches(expression: Expression): boolean {
    for (const name of this.printedBy(expression)) if (this.names.has(name)) return true;
    return false;
  }

  /** The names whose content an expression may print. */
  private printedBy(...expressions: readonly Expression[]): ReadonlySet<string> {
    const found = new Set<string>();
    const queue: AnyNode[] = [...expressions];
    for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
      if (node.typename === "Symbol") found.add(node.value);
      else queue.push(...this.printedParts(node as Expression));
    }
    return found;
  }

  private printedParts(expression: Expression): readonly AnyNode[] {
    const parts = this.parts[expression.typename] as ((node: Expression) => readonly AnyNode[]) | undefined;
    return parts ? parts(expression) : childrenOf(expression);
  }

  /** Macros and their like give text in which what they print of their arguments is told apart already. */
  private isMarkedInside({ name }: NodeOf<"FunCall">): boolean {
    if (name.typename === "Attribute") return name.target.typename === "Symbol" && name.target.value === "self";
    return name.typename === "Symbol" && (this.macros.has(name.value) || MARKED_INSIDE.has(name.value));
  }

  private flowsOf(node: AnyNode, called: Calls): Flow[] {
    const flows = this.flows[node.typename] as ((one: AnyNode, called: Calls) => Flow[]) | undefined;
    return flows?.(node, called) ?? [];
  }

  private flow(to: readonly string[], ...from: readonly Expression[]): Flow {
    return { to, from: this.printedBy(...from) };
  }

  /** What a macro is called with goes to its parameters; what a method is called with may stay in its object. */
  private callFlows({ name, args }: NodeOf<"FunCall">): Flow[] {
    if (isKeeping(name)) return [{ to: [...symbolsIn(name)], from: this.printedBy(...valuesOf(args)) }];
    const parameters = name.typename === "Symbol" ? this.macros.get(name.value) : undefined;
    if (!parameters) return [];
    return args.map((argument, at) => ({
      to: [...parametersOf(parameters, argument, at), "varargs", "kwargs"],
      from: this.printedBy(argument.value),
    }));
  }
}

const MARKED_INSIDE = new Set(["caller", "loop", "super"]);

const valuesOf = (args: readonly Argument[]): Expression[] => args.map(({ value }) => value);

const parametersOf = (parameters: readonly string[], { form, name }: Argument, at: number): readonly string[] =>
  form === "value" ? parameters.slice(at, at + 1) : form === "named" ? [name] : parameters;

const isKeeping = (callee: Expression): boolean => callee.typename === "Attribute" && KEEPING.has(callee.name);

/** The objects that something may be put into. */
const keepers = (nodes: readonly AnyNode[]): Set<string> =>
  new Set(
    nodes.flatMap((node) => (node.typename === "FunCall" && isKeeping(node.name) ? [...symbolsIn(node.name)] : [])),
  );

/** An object that something is put into may be known by other names as well: those that it came from. */
function backwards(flows: readonly Flow[], into: ReadonlySet<string>): Flow[] {
  const reversed = flows.map(({ to, from }) => ({ to: [...from], from: new Set(to) }));
  const known = closure(into, reversed);
  return reversed.filter(({ from }) => [...from].some((name) => known.has(name)));
}

/** All names that are reached from some along the flows. */
function closure(roots: Iterable<string>, flows: readonly Flow[]): Set<string> {
  const leaving = new Map<string, Flow[]>();
  for (const flow of flows) {
    for (const name of flow.from) {
      const known = leaving.get(name);
      if (known) known.push(flow);
      else leaving.set(name, [flow]);
    }
  }
  const found = new Set(roots);
  const queue = [...found];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    for (const next of (leaving.get(name) ?? []).flatMap(({ to }) => to)) {
      if (!found.has(next)) queue.push(next);
      found.add(next);
    }
  }
  return found;
}

/** What the names that are no macros of the template's own are called with, anywhere. */
class Calls {
  readonly loop: Expression[] = [];
  readonly caller: Expression[] = [];

  constructor(nodes: readonly AnyNode[]) {
    for (const node of nodes) {
      if (node.typename !== "FunCall" || node.name.typename !== "Symbol") continue;
      if (node.name.value === "loop") this.loop.push(...valuesOf(node.args));
      if (node.name.value === "caller") this.caller.push(...valuesOf(node.args));
    }
  }
}

const collectsText = (node: AnyNode): boolean =>
  ["MacroDefinition", "SetBlock", "FilterBlock", "CallBlock", "Block"].includes(node.typename) ||
  (node.typename === "ForLoop" && node.recursive);

function targetsOf(target: Target): string[] {
  if (target.typename === "Symbol") return [target.value];
  if (target.typename === "NamespaceField") return [target.name];
  return target.children.flatMap((one) => targetsOf(one as Target));
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
const isNode = (value: unknown): value is AnyNode => isRecord(value) && typeof value["typename"] === "string";

/** The nodes directly inside a node, also those in lists and arguments. */
function childrenOf(piece: unknown): AnyNode[] {
  if (!isRecord(piece)) return [];
  return Object.values(piece).flatMap((value) => (isNode(value) ? [value] : childrenOf(value)));
}

function allNodes(pieces: readonly AnyNode[]): AnyNode[] {
  const found: AnyNode[] = [];
  const queue: AnyNode[] = [...pieces];
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    found.push(node);
    queue.push(...childrenOf(node));
  }
  return found;
}

const symbolsIn = (expression: Expression): Set<string> =>
  new Set(allNodes([expression]).flatMap((node) => (node.typename === "Symbol" ? [node.value] : [])));
