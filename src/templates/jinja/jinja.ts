// The door of this room: Jinja2 3.1's templates, on nunjucks' node classes, Environment and Template.
// It knows the order of the steps (lex, parse, compile, render) and turns every failure into a JinjaError with its line.
import nunjucks from "nunjucks";
import { capture } from "./compile-macros.ts";
import { type BlockContext, compileBody } from "./compile-statements.ts";
import { entriesOf, fromContext, type JinjaContext } from "./context.ts";
import { FILTERS } from "./filters.ts";
import { FrameNames } from "./frame-names.ts";
import { GivenNames } from "./given-names.ts";
import { globalNames } from "./globals.ts";
import { JinjaError, locate } from "./jinja-error.ts";
import { tokenize } from "./lexer.ts";
import { DEFAULT_LIMITS, type JinjaLimits, limitFault } from "./limits.ts";
import { Blocks } from "./namespace.ts";
import { parse } from "./parser.ts";
import { Run } from "./run.ts";
import { Output, Scope } from "./scope.ts";
import { TESTS } from "./tests.ts";
import { type Piece, Trace } from "./trace.ts";
import { Markup, type Value } from "./values.ts";

export { Float, type JinjaContext, type JinjaValue } from "./context.ts";
export { JinjaError } from "./jinja-error.ts";
export type { JinjaLimits } from "./limits.ts";
export type { Piece, TemplatePlace, TraceData } from "./trace.ts";

/** Jinja2's options, with its defaults (all false). Limits that are not given are DEFAULT_LIMITS. */
export type JinjaOptions = {
  readonly trimBlocks?: boolean;
  readonly lstripBlocks?: boolean;
  readonly keepTrailingNewline?: boolean;
  readonly limits?: Partial<JinjaLimits>;
  /** Given variables whose share in the output `trace` tells apart. */
  readonly given?: readonly string[];
};

export type JinjaTemplate = {
  /** @throws JinjaError: undefined, runtime, limit or unsupported */
  render(context: JinjaContext): string;
  /**
   * The output in pieces, with what is printed of the `given` variables told apart. Undefined where the template broke a mark.
   * Text that a template collects and computes with holds marks then: it may differ from what `render` gives. `sparing`: as few
   * marks as possible.
   */
  trace(context: JinjaContext, sparing?: boolean): Piece[] | undefined;
  /** Whether the template collects text (macros, blocks), so that a trace may differ from an ordinary rendering. */
  readonly collects: boolean;
};

/** No loader: a template cannot reach another template, nor a file. */
const environment = new nunjucks.Environment([], { autoescape: false });

/** What nunjucks calls: (environment, context, frame, runtime, done). */
type RootArguments = readonly [
  env: unknown,
  context: { lookup(name: string): unknown },
  frame: unknown,
  runtime: unknown,
  done: (error: null, text: string) => void,
];

/**
 * Compiles a template once, for any number of renderings.
 * @throws JinjaError: syntax, limit or unsupported
 */
export function compileJinja(source: string, options: JinjaOptions = {}): JinjaTemplate {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const { renderRoot, collects } = compileSource(source, options, limits);
  const root = (...[, context, , , done]: RootArguments): void =>
    done(null, renderRoot(context.lookup("given") as JinjaContext, context.lookup("trace") as Trace | undefined));
  // nunjucks takes functions in place of source (its form of a precompiled template), which its types leave out.
  const template = new nunjucks.Template({ type: "code", obj: { root } } as unknown as string, environment);
  return {
    render: (given) => template.render({ given }),
    trace: (given, sparing = false) => {
      const trace = new Trace(sparing);
      return trace.pieces(template.render({ given, trace }));
    },
    collects,
  };
}

type RenderRoot = (given: JinjaContext, trace?: Trace) => string;
type Compiled = { readonly renderRoot: RenderRoot; readonly collects: boolean };

function compileSource(source: string, options: JinjaOptions, limits: JinjaLimits): Compiled {
  if (source.length > limits.templateSize) {
    throw new JinjaError("limit", limitFault("templateSize", limits).message, { line: 1 });
  }
  const { compiled, context, given } = located(
    () => 1,
    () => {
      const { trimBlocks = false, lstripBlocks = false, keepTrailingNewline = false } = options;
      const tokens = tokenize(source, { trimBlocks, lstripBlocks, keepTrailingNewline }, limits);
      const { children } = parse(tokens, limits);
      const given = options.given ? new GivenNames(children, options.given) : undefined;
      const names = FrameNames.of(null, ["self"], children);
      const fresh: BlockContext = {
        filters: FILTERS,
        tests: TESTS,
        soft: false,
        constant: false,
        volatile: false,
        given,
        blocks: new Map(),
        names,
      };
      return { compiled: compileBody(children, fresh), context: fresh, given };
    },
  );
  const renderRoot: RenderRoot = (values, trace) => {
    const run = new Run(limits, { filters: FILTERS, tests: TESTS }, trace);
    return located(
      () => run.line,
      () => {
        const scope = openScope(run, values, context);
        const output = new Output(run, "outputSize", trace);
        compiled(run, scope, output);
        return output.text;
      },
    );
  };
  return { renderRoot, collects: given?.collects ?? false };
}

/** The global functions, then what the caller gives, then the names that the template sets. */
function openScope(run: Run, given: JinjaContext, { blocks, names }: BlockContext): Scope {
  const outer = new Scope(null);
  for (const [name, value] of globalNames()) outer.set(name, value);
  for (const [name, value] of entriesOf(given)) outer.set(name, fromContext(run, value));
  const root = new Scope(outer, names.missing, "template");
  const functions = new Map(
    [...blocks].map(([name, block]) => [
      name,
      (running: Run): Value => {
        const text = running.inCall(() => capture(running, block, root));
        return running.autoescape ? new Markup(text) : text;
      },
    ]),
  );
  root.set("self", new Blocks(functions));
  return root;
}

function located<T>(line: () => number, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw locate(error, line());
  }
}
