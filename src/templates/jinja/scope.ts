// Where the names of a template live while it is rendered, and the text that it has written so far.
// It knows names and values; which tag opens a scope is the business of the compiler.
import { limitFault } from "./limits.ts";
import type { Run } from "./run.ts";
import type { TemplatePlace, Trace } from "./trace.ts";
import { Undefined, type Value } from "./values.ts";

const NONE: ReadonlySet<string> = new Set();

/** "template" is the outermost one that a template sets names in; a "block" sees what is set outside so far, not what will be. */
export type ScopeKind = "inner" | "template" | "block";

export class Scope {
  private readonly parent: Scope | null;
  private readonly values = new Map<string, Value>();
  /** Names that are missing here until they are set, whatever they are outside. */
  private readonly missing: ReadonlySet<string>;
  private readonly kind: ScopeKind;

  constructor(parent: Scope | null, missing: ReadonlySet<string> = NONE, kind: ScopeKind = "inner") {
    this.parent = parent;
    this.missing = missing;
    this.kind = kind;
  }

  lookup(name: string): Value {
    const value = this.find(name, false);
    return value === undefined ? new Undefined(`'${name}' is undefined`) : value;
  }

  /** `past` looks through scopes where the name is missing until it is set. */
  private find(name: string, past: boolean): Value | undefined {
    const value = this.values.get(name);
    if (value !== undefined) return value;
    if (!past && this.missing.has(name)) return undefined;
    return this.parent?.find(name, past || this.kind === "block");
  }

  /** The scope of the whole template. */
  get root(): Scope {
    return this.kind === "template" || !this.parent ? this : this.parent.root;
  }

  set(name: string, value: Value): void {
    this.values.set(name, value);
  }

  clear(): void {
    this.values.clear();
  }
}

/** Text in the making: the output, or what a macro or a block collects. */
export class Output {
  private readonly run: Run;
  private readonly bound: "outputSize" | "stringSize";
  private readonly parts: string[] = [];
  private readonly trace: Trace | undefined;
  private size = 0;

  /** `trace` is told where in the template each piece comes from; only the output itself has one. */
  constructor(run: Run, bound: "outputSize" | "stringSize", trace?: Trace) {
    this.run = run;
    this.bound = bound;
    this.trace = trace;
  }

  write(text: string, place: TemplatePlace): void {
    this.trace?.at(this.size, place);
    this.size += text.length;
    if (this.size > this.run.limits[this.bound]) throw limitFault(this.bound, this.run.limits);
    this.run.chargeText(text.length);
    this.parts.push(text);
  }

  get text(): string {
    return this.parts.join("");
  }
}
