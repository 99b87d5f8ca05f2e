// What may stand left of an assignment, and the parameters of macros.
// It knows tokens and nodes; that `loop` is no target inside a loop is Jinja2's rule.
import { type Expression, type NodeOf, node, type Target } from "./nodes.ts";
import { isReserved, parsePrimary, parseTuple } from "./parser-primary.ts";
import type { ParserState } from "./parser-state.ts";
import { sourceError } from "./token.ts";

export type TargetOptions = {
  /** Whether `name.field` may be assigned, which only `set` allows. */
  readonly fields?: boolean;
  /** The targets of `with` are parameters: `loop` may be one of them. */
  readonly parameter?: boolean;
};

/** A name, names with commas between them, or the field of a namespace. */
export function parseTarget(state: ParserState, options: TargetOptions = {}): Target {
  const fields = new Map<Expression, NodeOf<"NamespaceField">>();
  const element = (): Expression => {
    const at = state.current;
    const primary = state.nested(() => parsePrimary(state));
    if (options.fields && primary.typename === "Symbol" && state.skipOperator(".")) {
      fields.set(primary, node("NamespaceField", at, { name: primary.value, field: state.expect("name").value }));
    }
    return primary;
  };
  const parsed = parseTuple(state, { element });
  return toTarget(parsed, (expression) => fields.get(expression), state.loops > 0 && !options.parameter);
}

type FindField = (expression: Expression) => NodeOf<"NamespaceField"> | undefined;

function toTarget(expression: Expression, field: FindField, inLoop: boolean): Target {
  const found = field(expression);
  if (found) return found;
  if (expression.typename === "Symbol") {
    if (inLoop && expression.value === "loop") throw sourceError("'loop' cannot be assigned inside a loop", expression);
    return expression;
  }
  if (expression.typename !== "Tuple") throw sourceError("this cannot be assigned to", expression);
  const children = expression.children.map((child) => {
    if (child.typename === "NamespaceField") throw sourceError("this cannot be assigned to", child);
    return toTarget(child, field, inLoop);
  });
  return node("Tuple", expression, { children });
}

export function parseParameterName(state: ParserState): string {
  const token = state.expect("name");
  if (isReserved(token.value)) state.fail(`'${token.value}' cannot be assigned to`, token);
  return token.value;
}

export type ParsedSignature = { args: string[]; defaults: Expression[] };

/** `(a, b=1)`: defaults belong to the last parameters. */
export function parseSignature(state: ParserState): ParsedSignature {
  const args: string[] = [];
  const seen = new Set<string>();
  const defaults: Expression[] = [];
  state.expect("operator", "(");
  while (!state.isOperator(")")) {
    if (args.length > 0) state.expect("operator", ",");
    const at = state.current;
    const name = parseParameterName(state);
    if (seen.has(name)) state.fail(`the parameter '${name}' is there twice`, at);
    seen.add(name);
    args.push(name);
    if (state.skipOperator("=")) defaults.push(state.expression());
    else if (defaults.length > 0) state.fail("a parameter without default follows one with a default", at);
  }
  state.expect("operator", ")");
  return { args, defaults };
}
