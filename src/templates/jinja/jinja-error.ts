// The one error that leaves this room, and the two that move inside it before a line is known.
// It knows kinds and words only: nothing of tokens, nodes or values.

export type JinjaErrorKind = "syntax" | "undefined" | "runtime" | "limit" | "unsupported";

/** Why a template was refused. `line` is 1-based; the message does not repeat it. */
export class JinjaError extends Error {
  override readonly name = "JinjaError";
  readonly kind: JinjaErrorKind;
  readonly line: number;
  readonly column?: number;

  constructor(kind: JinjaErrorKind, message: string, at: { line: number; column?: number }) {
    super(message);
    this.kind = kind;
    this.line = at.line;
    if (at.column !== undefined) this.column = at.column;
  }
}

/** Python's exception classes that Jinja2's own code tells apart when it catches. */
export type FaultType =
  | "AttributeError"
  | "IndexError"
  | "KeyError"
  | "OverflowError"
  | "TypeError"
  | "ValueError"
  | "ZeroDivisionError"
  | "RuntimeError"
  | "UndefinedError"
  | "Limit"
  | "Unsupported";

/**
 * What goes wrong while rendering. The renderer knows the line and turns it into a JinjaError.
 * No Error: looking for what is not there throws one for each element, and a stack trace costs more than a thousand steps.
 */
export class Fault {
  readonly type: FaultType;
  readonly message: string;

  constructor(type: FaultType, message: string) {
    this.type = type;
    this.message = message;
  }
}

export function isFault(error: unknown, ...types: FaultType[]): boolean {
  return error instanceof Fault && types.includes(error.type);
}

export const typeFault = (message: string): Fault => new Fault("TypeError", message);
export const valueFault = (message: string): Fault => new Fault("ValueError", message);

const KINDS: Partial<Record<FaultType, JinjaErrorKind>> = {
  UndefinedError: "undefined",
  Limit: "limit",
  Unsupported: "unsupported",
};

/** Gives an error the line it happened on. Anything that is not ours is a bug, but for the engine's own bounds on stack and size. */
export function locate(error: unknown, line: number): unknown {
  if (error instanceof Fault) return new JinjaError(KINDS[error.type] ?? "runtime", error.message, { line });
  if (error instanceof RangeError) {
    return new JinjaError("limit", `the template asks for more than the engine can do: ${error.message}`, { line });
  }
  return error;
}
