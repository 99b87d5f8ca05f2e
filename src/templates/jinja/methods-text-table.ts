// The methods of Python's str that replace characters by a table: maketrans and translate.
// It knows values and code points.
import { Dict } from "./dict.ts";
import { isFault, typeFault, valueFault } from "./jinja-error.ts";
import type { Run } from "./run.ts";
import type { Definitions } from "./signature.ts";
import { itemOf } from "./subscripts.ts";
import { codePoints } from "./text.ts";
import { requireText } from "./text-values.ts";
import { isText, textOf, type Value } from "./values.ts";

function translate(run: Run, text: string, table: Value): string {
  run.chargeCharacters(text.length * 4);
  const parts = codePoints(text).map((character) => {
    const by = entryOf(run, table, BigInt(character.codePointAt(0) ?? 0));
    if (by === undefined) return character;
    if (by === null) return "";
    return typeof by === "bigint" ? String.fromCodePoint(Number(by)) : requireText(by);
  });
  run.checkString(parts.reduce((size, one) => size + one.length, 0));
  return parts.join("");
}

/** A table is whatever has elements by number; a character that it lacks stays. */
function entryOf(run: Run, table: Value, code: bigint): Value | undefined {
  if (table instanceof Dict) return table.get(run, code);
  try {
    return itemOf(run, table, code);
  } catch (error) {
    if (isFault(error, "KeyError", "IndexError")) return undefined;
    throw error;
  }
}

const codeOf = (character: string): bigint => BigInt(character.codePointAt(0) ?? 0);

/** From a dict of characters or codes, or from two equally long texts, with the characters of a third one removed. */
function makeTable(run: Run, from: Value, ...[to, removed = ""]: (Value | undefined)[]): Dict {
  const table = new Dict();
  if (to === undefined) {
    if (!(from instanceof Dict)) throw typeFault("a table of characters is made from a dict or from two texts");
    for (const [key, value] of from.entries()) table.set(run, isText(key) ? codeOf(textOf(key)) : key, value);
    return table;
  }
  const targets = codePoints(requireText(to));
  const sources = codePoints(requireText(from));
  if (sources.length !== targets.length) throw valueFault("both texts of a table must be equally long");
  for (const [at, source] of sources.entries()) table.set(run, codeOf(source), codeOf(targets[at] ?? ""));
  for (const character of codePoints(requireText(removed))) table.set(run, codeOf(character), null);
  return table;
}

export const TEXT_TABLES: Definitions = {
  maketrans: ["self from to= removed= /", (run, _self, from, ...more) => makeTable(run, from, ...more)],
  translate: ["self table /", (run, self, table) => translate(run, requireText(self), table)],
};
