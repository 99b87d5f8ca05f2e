// Python's view of a text: a row of code points, where JavaScript counts UTF-16 units.
// It knows characters only.

const SURROGATE = /[\ud800-\udfff]/;

/** Whether positions in units and in code points are the same. */
const isPlain = (text: string): boolean => !SURROGATE.test(text);

export const codePoints = (text: string): string[] => (isPlain(text) ? text.split("") : Array.from(text));

export function codePointCount(text: string): number {
  if (isPlain(text)) return text.length;
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** The characters from `start` up to `stop`; both are in range. */
export function sliceCodePoints(text: string, start: number, stop?: number): string {
  return isPlain(text) ? text.slice(start, stop) : Array.from(text).slice(start, stop).join("");
}

/** The offset in units of a position in code points, and back. */
export function unitOffset(text: string, position: number): number {
  return isPlain(text) ? Math.min(position, text.length) : sliceCodePoints(text, 0, position).length;
}
export const codePointOffset = (text: string, units: number): number => codePointCount(text.slice(0, units));

/** Orders by code point. */
export function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  if (isPlain(a) && isPlain(b)) return a < b ? -1 : 1;
  const others = Array.from(b);
  for (const [at, character] of Array.from(a).entries()) {
    const difference = codeOf(character) - codeOf(others[at]);
    if (difference !== 0) return difference;
  }
  return -1; // one text is the beginning of the other, and `a` is not the longer one
}

/** Nothing comes before every character. */
const codeOf = (character: string | undefined): number => character?.codePointAt(0) ?? -1;

export const isPrintable = (character: string): boolean => character === " " || !/[\p{C}\p{Z}]/u.test(character);
