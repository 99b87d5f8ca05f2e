// The grammar of what stands between the parentheses of a call, and of the dotted names of filters and tests.
// It knows tokens; the values are read through ParserState.expression.
import type { Argument } from "./nodes.ts";
import type { ParserState } from "./parser-state.ts";

export function parseArguments(state: ParserState): Argument[] {
  const open = state.expect("operator", "(");
  const args: Argument[] = [];
  const forms = new Set<Argument["form"]>();
  while (!state.isOperator(")")) {
    if (args.length > 0) state.expect("operator", ",");
    if (state.isOperator(")")) break;
    const argument = parseArgument(state);
    if (!mayFollow(forms, argument)) state.fail("the arguments of the call stand in a wrong order", open);
    forms.add(argument.form);
    args.push(argument);
  }
  state.expect("operator", ")");
  return args;
}

function parseArgument(state: ParserState): Argument {
  if (state.skipOperator("*")) return { form: "star", name: "", value: state.expression() };
  if (state.skipOperator("**")) return { form: "double-star", name: "", value: state.expression() };
  const assigned = state.ahead(1);
  if (!state.is("name") || assigned.kind !== "operator" || assigned.value !== "=") {
    return { form: "value", name: "", value: state.expression() };
  }
  const name = state.next().value;
  state.next();
  return { form: "named", name, value: state.expression() };
}

/** Values come first; `*` stands once, `**` once and last of these two. Named ones may follow `*` but not `**`. */
function mayFollow(forms: ReadonlySet<Argument["form"]>, { form }: Argument): boolean {
  if (forms.has("double-star")) return false;
  if (form === "value") return !forms.has("named") && !forms.has("star");
  return form !== "star" || !forms.has("star");
}

export function parseDottedName(state: ParserState): string {
  let name = state.expect("name").value;
  while (state.skipOperator(".")) name += `.${state.expect("name").value}`;
  return name;
}
