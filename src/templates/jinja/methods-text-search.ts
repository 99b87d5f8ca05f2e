// The methods of Python's str that look for a part: find, index, count, startswith and their like.
// It knows values and positions in code points.
import { valueFault } from "./jinja-error.ts";
import { toCount } from "./numbers.ts";
import type { Run } from "./run.ts";
import type { Definitions, NativeBody } from "./signature.ts";
import { codePointCount, codePointOffset, sliceCodePoints } from "./text.ts";
import { occurrences } from "./text-cutting.ts";
import { requireText } from "./text-values.ts";
import { Tuple, type Value } from "./values.ts";

type Bounds = readonly (Value | undefined)[];

/** The part that `start` and `end` leave, and the position it begins at. Undefined if `start` lies beyond the end. */
function part(run: Run, text: string, [start, end]: Bounds): { text: string; from: number } | undefined {
  run.chargeText(text.length);
  if ((start ?? null) === null && (end ?? null) === null) return { text, from: 0 };
  const length = codePointCount(text);
  const place = (value: Value | undefined, otherwise: number): number => {
    if (value === undefined || value === null) return otherwise;
    const at = toCount(value);
    return at < 0 ? Math.max(0, at + length) : at;
  };
  const from = place(start, 0);
  const to = Math.min(place(end, length), length);
  return from > length || from > to ? undefined : { text: sliceCodePoints(text, from, to), from };
}

function find(run: Run, search: { self: Value; wanted: Value; fromRight: boolean }, range: Bounds): bigint {
  const wanted = requireText(search.wanted);
  const found = part(run, requireText(search.self), range);
  if (!found) return -1n;
  const at = search.fromRight ? found.text.lastIndexOf(wanted) : found.text.indexOf(wanted);
  return at < 0 ? -1n : BigInt(found.from + codePointOffset(found.text, at));
}

function requireFound(position: bigint): bigint {
  if (position < 0n) throw valueFault("the text has no such part");
  return position;
}

function hasAffix(run: Run, text: string | undefined, affix: Value, side: "start" | "end"): boolean {
  const affixes = affix instanceof Tuple ? affix.items.map(requireText) : [requireText(affix)];
  run.charge(affixes.length);
  if (text === undefined) return false;
  return affixes.some((one) => (side === "start" ? text.startsWith(one) : text.endsWith(one)));
}

const findBody =
  (fromRight: boolean, mustFind: boolean): NativeBody =>
  (run, self, wanted, ...range) => {
    const position = find(run, { self, wanted, fromRight }, range);
    return mustFind ? requireFound(position) : position;
  };

const SIGNATURE = "self wanted start= end= /";

export const TEXT_SEARCH: Definitions = {
  count: [
    SIGNATURE,
    (run, self, wanted, ...range) => {
      const sought = requireText(wanted);
      const found = part(run, requireText(self), range);
      return found ? BigInt(occurrences(found.text, sought)) : 0n;
    },
  ],
  endswith: [
    SIGNATURE,
    (run, self, wanted, ...range) => hasAffix(run, part(run, requireText(self), range)?.text, wanted, "end"),
  ],
  find: [SIGNATURE, findBody(false, false)],
  index: [SIGNATURE, findBody(false, true)],
  rfind: [SIGNATURE, findBody(true, false)],
  rindex: [SIGNATURE, findBody(true, true)],
  startswith: [
    SIGNATURE,
    (run, self, wanted, ...range) => hasAffix(run, part(run, requireText(self), range)?.text, wanted, "start"),
  ],
};
