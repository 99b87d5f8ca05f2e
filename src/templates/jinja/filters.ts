// The table of all filters. A template reaches no function that is not in it.
// It knows their names; what they do is in the files it gathers.
import { NUMBER_FILTERS } from "./filters-number.ts";
import { ORDER_FILTERS } from "./filters-order.ts";
import { SELECT_FILTERS } from "./filters-select.ts";
import { SEQUENCE_FILTERS } from "./filters-sequence.ts";
import { TEXT_FILTERS } from "./filters-text.ts";
import { WEB_FILTERS } from "./filters-web.ts";
import { toJson } from "./json.ts";
import { prettyPrint } from "./pretty-print.ts";
import { isTrue } from "./sequences.ts";
import { type Definitions, nativeTable } from "./signature.ts";
import { Markup, Undefined, type Value } from "./values.ts";

/** What replaces a missing value, or every false one if `boolean` holds. */
function otherwise(value: Value, replacement: Value, boolean: Value): Value {
  return value instanceof Undefined || (isTrue(boolean) && !isTrue(value)) ? replacement : value;
}

const DEFAULT: Definitions[string] = [
  "value default_value= boolean=",
  (_run, value, replacement = "", boolean = false) => otherwise(value, replacement, boolean),
];

const DATA_FILTERS: Definitions = {
  d: DEFAULT,
  default: DEFAULT,
  pprint: ["value", prettyPrint],
  tojson: ["value indent=", (run, value, indent = null) => new Markup(toJson(run, value, indent))],
};

export const FILTERS = nativeTable(
  DATA_FILTERS,
  NUMBER_FILTERS,
  ORDER_FILTERS,
  SELECT_FILTERS,
  SEQUENCE_FILTERS,
  TEXT_FILTERS,
  WEB_FILTERS,
);
