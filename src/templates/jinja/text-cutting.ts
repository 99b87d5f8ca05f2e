// Cutting and searching texts as Python's str does: split, lines, strip, replace, find.
// It knows strings and offsets in UTF-16 units; values and code points are the business of methods-text.ts.
import { valueFault } from "./jinja-error.ts";
import { isSpace, skipSpaces, trimEnd, trimStart } from "./python-space.ts";
import type { Run } from "./run.ts";

const unlimited = (max: number): number => (max < 0 ? Number.POSITIVE_INFINITY : max);

/** Cuts at runs of white space; the last piece keeps what is left once `max` cuts are made. */
export function splitWords(run: Run, text: string, max: number): string[] {
  const words: string[] = [];
  let at = skipSpaces(text, 0);
  while (at < text.length) {
    run.checkGrowth(words.length + 1);
    if (words.length >= unlimited(max)) return [...words, text.slice(at)];
    let end = at;
    while (end < text.length && !isSpace(text.charAt(end))) end++;
    words.push(text.slice(at, end));
    at = skipSpaces(text, end);
  }
  return words;
}

/** The same from the right. */
export function splitWordsFromRight(run: Run, text: string, max: number): string[] {
  const words: string[] = [];
  let rest = trimEnd(text);
  while (rest !== "") {
    run.checkGrowth(words.length + 1);
    if (words.length >= unlimited(max)) return [rest, ...words.toReversed()];
    let start = rest.length;
    while (start > 0 && !isSpace(rest.charAt(start - 1))) start--;
    words.push(rest.slice(start));
    rest = trimEnd(rest.slice(0, start));
  }
  return words.toReversed();
}

export function splitAt(run: Run, text: string, separator: string, max: number): string[] {
  if (separator === "") throw valueFault("the separator is empty");
  const pieces: string[] = [];
  let at = 0;
  for (;;) {
    const next = pieces.length < unlimited(max) ? text.indexOf(separator, at) : -1;
    run.checkGrowth(pieces.length + 1);
    if (next < 0) return [...pieces, text.slice(at)];
    pieces.push(text.slice(at, next));
    at = next + separator.length;
  }
}

export function splitAtFromRight(run: Run, text: string, separator: string, max: number): string[] {
  if (separator === "") throw valueFault("the separator is empty");
  const pieces: string[] = [];
  let end = text.length;
  for (;;) {
    const from = end - separator.length;
    const next = from >= 0 && pieces.length < unlimited(max) ? text.lastIndexOf(separator, from) : -1;
    run.checkGrowth(pieces.length + 1);
    if (next < 0) return [text.slice(0, end), ...pieces.toReversed()];
    pieces.push(text.slice(next + separator.length, end));
    end = next;
  }
}

const LINE_ENDS = new Set("\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029");

export function splitLines(run: Run, text: string, keepEnds: boolean): string[] {
  const lines: string[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    if (!LINE_ENDS.has(text.charAt(at))) continue;
    const end = text.startsWith("\r\n", at) ? at + 2 : at + 1;
    run.checkGrowth(lines.length + 1);
    lines.push(text.slice(start, keepEnds ? end : at));
    start = end;
    at = end - 1;
  }
  if (start < text.length) lines.push(text.slice(start));
  return lines;
}

export type Sides = "left" | "right" | "both";

/** Removes white space, or any of `characters`, from the ends. */
export function strip(text: string, characters: string | null, sides: Sides): string {
  if (characters !== null) return stripSet(Array.from(text), new Set(characters), sides);
  const left = sides === "right" ? text : trimStart(text);
  return sides === "left" ? left : trimEnd(left);
}

function stripSet(characters: readonly string[], set: ReadonlySet<string>, sides: Sides): string {
  let start = 0;
  let end = characters.length;
  const strips = (at: number): boolean => start < end && set.has(characters[at] ?? "");
  if (sides !== "right") while (strips(start)) start++;
  if (sides !== "left") while (strips(end - 1)) end--;
  return characters.slice(start, end).join("");
}

/** The number of places where `part` stands, without overlap, up to `max`. */
export function occurrences(text: string, part: string, max = Number.POSITIVE_INFINITY): number {
  if (part === "") return Math.min(max, Array.from(text).length + 1);
  let count = 0;
  for (let at = text.indexOf(part); at >= 0 && count < max; at = text.indexOf(part, at + part.length)) count++;
  return count;
}

/** @throws Fault Limit before the result is made, if it would be too large */
export function replaceText(run: Run, text: string, change: { part: string; by: string }, max: number): string {
  const { part, by } = change;
  const count = occurrences(text, part, unlimited(max));
  run.checkString(text.length + count * (by.length - part.length));
  if (part === "") {
    const characters = Array.from(text);
    const replaced = characters.map((character, at) => (at < count ? by + character : character)).join("");
    return count > characters.length ? replaced + by : replaced;
  }
  return splitAtCount(text, part, count).join(by);
}

function splitAtCount(text: string, part: string, count: number): string[] {
  const pieces: string[] = [];
  let at = 0;
  for (let made = 0; made < count; made++) {
    const next = text.indexOf(part, at);
    pieces.push(text.slice(at, next));
    at = next + part.length;
  }
  pieces.push(text.slice(at));
  return pieces;
}

export function expandTabs(run: Run, text: string, size: number): string {
  run.chargeCharacters(text.length);
  let result = "";
  let column = 0;
  for (const character of text) {
    const added = character === "\t" ? (size > 0 ? size - (column % size) : 0) : character.length;
    if (character === "\t") {
      run.checkAppend(result.length + added, added);
      result += " ".repeat(added);
    } else {
      result += character;
    }
    column = character === "\n" || character === "\r" ? 0 : column + (character === "\t" ? added : 1);
  }
  return result;
}
