// Text that is safe in HTML, and what happens when it meets text that is not.
// It knows strings and Markup only.
import { toText } from "./printing.ts";
import type { Run } from "./run.ts";
import { Markup, type Value } from "./values.ts";

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", "'": "&#39;", '"': "&#34;" };

export const escapeText = (text: string): string => text.replace(/[&<>'"]/g, (character) => ENTITIES[character] ?? "");

/** Escapes what is not escaped yet. */
export function escapeValue(run: Run, value: Value): Markup {
  if (value instanceof Markup) return value;
  const escaped = escapeText(toText(run, value));
  run.checkString(escaped.length);
  return new Markup(escaped);
}

/** How a value appears in the output. */
export function outputText(run: Run, value: Value): string {
  return run.autoescape ? escapeValue(run, value).text : toText(run, value);
}

/** Joins values as texts. Only where escaping is on, Markup among them makes the whole Markup and the others escaped. */
export function joinTexts(run: Run, values: readonly Value[], separator: Value): Value {
  const escaping = run.autoescape && [separator, ...values].some((value) => value instanceof Markup);
  const textFor = (value: Value): string => (escaping ? escapeValue(run, value).text : toText(run, value));
  const joined = joinParts(run, values.map(textFor), textFor(separator));
  return escaping ? new Markup(joined) : joined;
}

/** Joins values as texts, and forgets which of them were Markup. */
export function joinPlain(run: Run, values: readonly Value[], separator: Value): string {
  return joinParts(
    run,
    values.map((value) => toText(run, value)),
    toText(run, separator),
  );
}

/** @throws Fault Limit before the text is made, if it would be too large */
function joinParts(run: Run, parts: readonly string[], glue: string): string {
  const size = parts.reduce((sum, part) => sum + part.length + glue.length, 0);
  run.checkString(size);
  run.charge(parts.length);
  return parts.join(glue);
}
