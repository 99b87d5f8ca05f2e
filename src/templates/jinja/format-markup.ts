// text % values where the text may be Markup: then what enters it is escaped first.
// It knows when to escape; formatting itself is in format-percent.ts.
import { Dict } from "./dict.ts";
import { escapeValue } from "./escaping.ts";
import { formatPercent, hasElements } from "./format-percent.ts";
import { asNumber } from "./numbers.ts";
import type { Run } from "./run.ts";
import { Markup, Tuple, type Value } from "./values.ts";

export function formatPercentValue(run: Run, text: string | Markup, values: Value): Value {
  if (typeof text === "string") return formatPercent(run, text, values);
  return new Markup(formatPercent(run, text.text, escapeAll(run, values), hasElements(values)));
}

function escapeAll(run: Run, values: Value): Value {
  if (values instanceof Tuple) return new Tuple(values.items.map((value) => escapeOne(run, value)));
  if (!(values instanceof Dict)) return escapeOne(run, values);
  const escaped = new Dict();
  for (const [key, value] of values.entries()) escaped.set(run, key, escapeOne(run, value));
  return escaped;
}

/** Numbers stay, because conversions such as %d need them. */
function escapeOne(run: Run, value: Value): Value {
  return asNumber(value) === undefined ? escapeValue(run, value) : value;
}
