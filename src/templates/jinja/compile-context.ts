// What the compiler knows while it works, and what it makes of an expression.
// It knows names and tables, not nodes.
import { type FrameContents, FrameNames } from "./frame-names.ts";
import type { GivenNames } from "./given-names.ts";
import type { NativeTable, Run } from "./run.ts";
import type { Scope } from "./scope.ts";
import type { Value } from "./values.ts";

export type Evaluate = (run: Run, scope: Scope) => Value;

/** What the compiler knows while it works. */
export type CompileContext = {
  readonly filters: NativeTable;
  readonly tests: NativeTable;
  /** Inside a branch that may never run: an unknown filter is an error only when it is reached. */
  readonly soft: boolean;
  /** Inside an output that is made of constants only: Jinja2 computes it beforehand, and takes a slice that fails for missing. */
  readonly constant: boolean;
  /** Inside an `autoescape` whose value is known only when it is rendered: there Jinja2's `~` never escapes. */
  readonly volatile: boolean;
  /** Which expressions may print some of the variables that are told apart; undefined where none are. */
  readonly given: GivenNames | undefined;
  /** The names of the scope that is being compiled. */
  readonly names: FrameNames;
};

/** A scope inside another: what the compiler knows there, and which names begin as missing. */
export type InnerFrame<C extends CompileContext> = { readonly context: C; readonly missing: ReadonlySet<string> };

export function openFrame<C extends CompileContext>(outer: C, ...given: FrameContents): InnerFrame<C> {
  const names = FrameNames.of(outer.names, ...given);
  return { context: { ...outer, soft: false, names }, missing: names.missing };
}
