// The tree between parser and compiler: nunjucks' node classes, and nodes of our own for what nunjucks' grammar lacks.
// It gives them TypeScript shapes (nunjucks' types leave them out) and knows nothing of how they are parsed or run.
import nunjucks from "nunjucks";
import type { Position } from "./token.ts";

export type Literal = null | boolean | bigint | number | string;

/** One argument of a call, in source order: `x`, `name=x`, `*x` or `**x`. */
export type Argument = {
  readonly form: "value" | "named" | "star" | "double-star";
  readonly name: string;
  readonly value: Expression;
};
export type Comparison = { readonly operator: string; readonly expr: Expression };
export type Target = NodeOf<"Symbol"> | NodeOf<"Tuple"> | NodeOf<"NamespaceField">;
export type Body = readonly Statement[];
type Binary = { left: Expression; right: Expression };
type Unary = { target: Expression };
type Signature = { args: readonly string[]; defaults: readonly Expression[]; body: Body };

type ExpressionFields = {
  Literal: { value: Literal };
  Symbol: { value: string };
  Array: { children: readonly Expression[] };
  Tuple: { children: readonly (Expression | Target)[] };
  Dict: { children: readonly NodeOf<"Pair">[] };
  LookupVal: { target: Expression; val: Expression };
  Attribute: { target: Expression; name: string };
  Slice: { target: Expression; start: Expression | null; stop: Expression | null; step: Expression | null };
  FunCall: { name: Expression; args: readonly Argument[] };
  /** `target` is null where a `filter` block or a `set` block supplies the value. */
  FilterCall: { name: string; target: Expression | null; args: readonly Argument[] };
  TestCall: { name: string; target: Expression; args: readonly Argument[] };
  Compare: { expr: Expression; ops: readonly Comparison[] };
  InlineIf: { cond: Expression; body: Expression; else_: Expression | null };
  JoinedText: { children: readonly Expression[] };
  Or: Binary;
  And: Binary;
  Add: Binary;
  Sub: Binary;
  Mul: Binary;
  Div: Binary;
  FloorDiv: Binary;
  Mod: Binary;
  Pow: Binary;
  Not: Unary;
  Neg: Unary;
  Pos: Unary;
};

type StatementFields = {
  TemplateData: { value: string };
  Output: { children: readonly Expression[] };
  /** `elif`: written so, and not as an `if` alone inside an `else`. */
  If: { cond: Expression; body: Body; else_: Body | null; elif: boolean };
  ForLoop: {
    arr: Expression;
    name: Target;
    body: Body;
    else_: Body;
    filter: Expression | null;
    recursive: boolean;
  };
  Set: { targets: Target; value: Expression };
  SetBlock: { targets: Target; filter: NodeOf<"FilterCall"> | null; body: Body };
  With: { targets: readonly Target[]; values: readonly Expression[]; body: Body };
  FilterBlock: { filter: NodeOf<"FilterCall">; body: Body };
  AutoEscape: { value: Expression; body: Body };
  MacroDefinition: Signature & { name: string };
  CallBlock: Signature & { call: NodeOf<"FunCall"> };
  Block: { name: string; body: Body; scoped: boolean; required: boolean };
};

type PartFields = {
  Root: { children: Body };
  Pair: { key: Expression; value: Expression };
  NamespaceField: { name: string; field: string };
};

export type Fields = ExpressionFields & StatementFields & PartFields;
export type Kind = keyof Fields;
export type NodeOf<K extends Kind> = Position & { readonly typename: K } & Readonly<Fields[K]>;
export type ExpressionKind = keyof ExpressionFields;
export type StatementKind = keyof StatementFields;
export type Expression = { [K in ExpressionKind]: NodeOf<K> }[ExpressionKind];
export type Statement = { [K in StatementKind]: NodeOf<K> }[StatementKind];

type NodeClass = {
  new (lineno: number, colno: number, ...fields: unknown[]): unknown;
  readonly prototype: { readonly fields: readonly string[] };
  extend(name: string, properties?: { fields: readonly string[] }): NodeClass;
};

const base = (nunjucks as unknown as { nodes: Record<string, NodeClass> }).nodes;

function nodeClass(name: string): NodeClass {
  const found = base[name];
  if (!found) throw new Error(`nunjucks has no node ${name}`);
  return found;
}

const extend = (parent: string, name: string, fields: readonly string[]): NodeClass =>
  nodeClass(parent).extend(name, { fields });

const CLASSES: Record<Kind, NodeClass> = {
  Literal: nodeClass("Literal"),
  Symbol: nodeClass("Symbol"),
  Array: nodeClass("Array"),
  Tuple: extend("Node", "Tuple", ["children"]),
  Dict: nodeClass("Dict"),
  LookupVal: nodeClass("LookupVal"),
  Attribute: extend("Node", "Attribute", ["target", "name"]),
  Slice: extend("Node", "Slice", ["target", "start", "stop", "step"]),
  FunCall: nodeClass("FunCall"),
  FilterCall: extend("Node", "FilterCall", ["name", "target", "args"]),
  TestCall: extend("Node", "TestCall", ["name", "target", "args"]),
  Compare: nodeClass("Compare"),
  InlineIf: nodeClass("InlineIf"),
  JoinedText: extend("Node", "JoinedText", ["children"]),
  Or: nodeClass("Or"),
  And: nodeClass("And"),
  Add: nodeClass("Add"),
  Sub: nodeClass("Sub"),
  Mul: nodeClass("Mul"),
  Div: nodeClass("Div"),
  FloorDiv: nodeClass("FloorDiv"),
  Mod: nodeClass("Mod"),
  Pow: nodeClass("Pow"),
  Not: nodeClass("Not"),
  Neg: nodeClass("Neg"),
  Pos: nodeClass("Pos"),
  TemplateData: nodeClass("TemplateData"),
  Output: nodeClass("Output"),
  If: extend("If", "If", ["cond", "body", "else_", "elif"]),
  ForLoop: extend("For", "ForLoop", ["arr", "name", "body", "else_", "filter", "recursive"]),
  Set: nodeClass("Set"),
  SetBlock: extend("Node", "SetBlock", ["targets", "filter", "body"]),
  With: extend("Node", "With", ["targets", "values", "body"]),
  FilterBlock: extend("Node", "FilterBlock", ["filter", "body"]),
  AutoEscape: extend("Node", "AutoEscape", ["value", "body"]),
  MacroDefinition: extend("Macro", "MacroDefinition", ["name", "args", "defaults", "body"]),
  CallBlock: extend("Node", "CallBlock", ["call", "args", "defaults", "body"]),
  Block: extend("Block", "Block", ["name", "body", "scoped", "required"]),
  Root: nodeClass("Root"),
  Pair: nodeClass("Pair"),
  NamespaceField: extend("Node", "NamespaceField", ["name", "field"]),
};

/** Makes a node; nunjucks' constructors take the fields by position, in the order that their class lists. */
export function node<K extends Kind>(kind: K, at: Position, fields: Fields[K]): NodeOf<K> {
  const named = fields as Readonly<Record<string, unknown>>;
  const Class = CLASSES[kind];
  return new Class(at.lineno, at.colno, ...Class.prototype.fields.map((field) => named[field])) as NodeOf<K>;
}
