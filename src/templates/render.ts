// From a template's text and an operation's values to the rendered text and the manifest in it.
// Compiled templates and their manifests with blanks are kept for as long as the text is in use. Pure but for that memory.
import { OpjobError } from "../errors.ts";
import { type Blanked, blankOut, givenOf, pieceAt, VALUE_NAMES, type Values } from "./blanks.ts";
import { fillJob } from "./fill.ts";
import { compileJinja, JinjaError, type JinjaTemplate, type Piece } from "./jinja/jinja.ts";
import { requireAcceptable } from "./job-rules.ts";
import { wantedOfJob } from "./job-types.ts";
import type { JsonObject } from "./json.ts";
import { parseManifest, requireJob, YamlProblem } from "./manifest.ts";
import { snippetOf } from "./snippet.ts";

/** Jinja2's options, as the settings give them. */
export type TemplateOptions = { readonly trimBlocks?: boolean; readonly lstripBlocks?: boolean };

export type JobTemplate = {
  /** @throws OpjobError TEMPLATE_RENDER_FAILED with the template's line */
  render(values: Values): string;
  /** @throws OpjobError also TEMPLATE_YAML_INVALID, TEMPLATE_NOT_A_JOB, TEMPLATE_JOB_INVALID, TEMPLATE_VALUE_UNCLEAR */
  manifest(values: Values): JsonObject;
};

type Source = { readonly name: string; readonly text: string; readonly jinja: JinjaTemplate };

/** A template that asks about its values has some forms; one that has more is read anew for each launch. */
const MOST_FORMS = 32;

/**
 * Compiles a template.
 * @param name what errors call it: its path or URI
 * @throws OpjobError TEMPLATE_RENDER_FAILED with the line of a syntax error
 */
export function compileTemplate(text: string, name: string, options: TemplateOptions = {}): JobTemplate {
  const jinja = guard(name, text, () => compileJinja(text, { ...options, given: VALUE_NAMES }));
  const source = { name, text, jinja };
  const forms = new Map<string, Blanked>();
  const render = (values: Values): string => guard(name, text, () => jinja.render(values));
  return {
    render,
    manifest(values) {
      const pieces = piecesOf(source, values, render);
      const blanked = blankOut(pieces);
      const known = forms.get(blanked);
      const form = known === undefined ? parse(source, pieces, blanked) : known;
      if (known === undefined) keep(forms, blanked, form);
      const job = fillJob(form, givenOf(pieces), wantedOfJob(), name);
      requireJob(job, name);
      requireAcceptable(job, name);
      return job;
    },
  };
}

function keep(forms: Map<string, Blanked>, blanked: string, form: Blanked): void {
  const [oldest] = forms.keys();
  if (forms.size >= MOST_FORMS && oldest !== undefined) forms.delete(oldest);
  forms.set(blanked, form);
}

/**
 * The rendered text, with what comes from values told apart. Text that a template collects and computes with holds marks while it is
 * traced: if that changed anything, once more with as few marks as possible.
 */
function piecesOf(source: Source, values: Values, render: (values: Values) => string): readonly Piece[] {
  const { jinja, name, text } = source;
  if (!jinja.collects) {
    const pieces = guard(name, text, () => jinja.trace(values));
    if (pieces) return pieces;
  }
  const wanted = render(values);
  for (const sparing of [false, true]) {
    const pieces = trace(source, values, sparing);
    const same = pieces?.map((piece) => piece.text).join("") === wanted;
    if (pieces && same && (sparing || !pieces.some(({ changed }) => changed))) return clear(source, pieces);
  }
  throw unclear(source, undefined);
}

/** A template that refuses marks may well accept the values themselves. */
function trace({ jinja }: Source, values: Values, sparing: boolean): Piece[] | undefined {
  try {
    return jinja.trace(values, sparing);
  } catch (error) {
    if (error instanceof JinjaError) return undefined;
    throw error;
  }
}

/** @throws OpjobError where a value was changed after it was printed: whether YAML's escapes are in it now cannot be told */
function clear(source: Source, pieces: readonly Piece[]): readonly Piece[] {
  const changed = pieces.find((piece) => piece.changed);
  if (changed) throw unclear(source, changed.place.line);
  return pieces;
}

function unclear({ name, text }: Source, line: number | undefined): OpjobError {
  const where = line === undefined ? "" : ` at line ${line} (${snippetOf(text, line).trim()})`;
  return new OpjobError(
    "TEMPLATE_VALUE_UNCLEAR",
    `The template "${name}" changes or computes with text in which it has printed a value${where}, and the value is no plain word.`,
  );
}

function parse(source: Source, pieces: readonly Piece[], blanked: string): Blanked {
  try {
    return parseManifest(blanked, source.name);
  } catch (error) {
    throw error instanceof YamlProblem ? invalidYaml(source, pieces, error) : error;
  }
}

/** Says where the YAML is wrong: in the template, as far as that can be told, and in the rendered text. */
function invalidYaml({ name, text }: Source, pieces: readonly Piece[], { message, offset }: YamlProblem): OpjobError {
  const { index, within } = pieceAt(pieces, offset);
  const piece = pieces[index];
  const before = `${pieces
    .slice(0, index)
    .map((one) => one.text)
    .join("")}${piece?.text.slice(0, within) ?? ""}`;
  const rendered = placeIn(before);
  const place = piece ? placeInTemplate(piece, within) : { line: 1, column: 1 };
  const snippet = snippetOf(text, place.line).trim();
  return new OpjobError(
    "TEMPLATE_YAML_INVALID",
    `The template "${name}" renders to invalid YAML at line ${place.line}, column ${place.column}` +
      `${snippet === "" ? "" : ` (${snippet})`}, which is line ${rendered.line}, column ${rendered.column} of the rendered text: ${message}.`,
  );
}

/** 1-based line and column after a text. */
function placeIn(before: string): { readonly line: number; readonly column: number } {
  const lines = before.split("\n");
  return { line: lines.length, column: (lines.at(-1) ?? "").length + 1 };
}

function placeInTemplate({ text, place }: Piece, within: number): { readonly line: number; readonly column: number } {
  if (!place.exact) return place;
  const { line, column } = placeIn(text.slice(0, within));
  return { line: place.line + line - 1, column: line === 1 ? place.column + column - 1 : column };
}

function guard<T>(name: string, source: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof JinjaError)) throw error;
    const { line, column } = error;
    const snippet = snippetOf(source, line).trim();
    throw new OpjobError(
      "TEMPLATE_RENDER_FAILED",
      `The template "${name}" fails at line ${line}${column === undefined ? "" : `, column ${column}`}` +
        `${snippet === "" ? "" : ` (${snippet})`}: ${error.message}`,
      { cause: error },
    );
  }
}
