// One rendering: what it has used up, the line it is at, whether it escapes, and the tables of filters and tests it may call.
// It knows no grammar and no node.
import { Budget, type JinjaLimits } from "./limits.ts";
import type { Trace } from "./trace.ts";
import type { Arguments, Value } from "./values.ts";

/** A function of the tables: the first positional argument is the value that is filtered or tested. */
export type Native = (run: Run, args: Arguments) => Value;
export type NativeTable = ReadonlyMap<string, Native>;

export class Run extends Budget {
  readonly filters: NativeTable;
  readonly tests: NativeTable;
  /** 1-based line of what is being evaluated, for errors. */
  line = 1;
  /** Whether output is escaped here, as inside `{% autoescape true %}`. */
  autoescape = false;
  /** Where what is printed of given variables is told apart; undefined in an ordinary rendering. */
  readonly trace: Trace | undefined;

  constructor(limits: JinjaLimits, tables: { filters: NativeTable; tests: NativeTable }, trace?: Trace) {
    super(limits);
    this.trace = trace;
    this.filters = tables.filters;
    this.tests = tables.tests;
  }

  /** What is called has lines of its own; once it is done, errors are at the line of the call again. */
  override inCall<T>(action: () => T): T {
    const { line } = this;
    const result = super.inCall(action);
    this.line = line;
    return result;
  }
}
