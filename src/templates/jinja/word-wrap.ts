// Breaks lines at a width, as Python's textwrap does.
// It knows characters only: pieces are white space, words, and the parts of hyphenated words.
import { valueFault } from "./jinja-error.ts";
import type { Run } from "./run.ts";
import { codePointCount, sliceCodePoints } from "./text.ts";
import { splitLines } from "./text-cutting.ts";

export type WrapOptions = { readonly width: number; readonly breakLong: boolean; readonly breakHyphens: boolean };

const SPACE = /[\t\n\v\f\r ]/;
/** Whatever is part of a word and no decimal digit. */
const LETTER = /[\p{L}\p{Nl}\p{No}_]/u;
const WORD = /[\p{L}\p{N}_]/u;
const WORD_OR_MARK = /[\p{L}\p{N}_!"'&.,?]/u;

/** Wraps each line by itself; `separator` stands between all lines of the result. */
export function wordWrap(run: Run, text: string, options: WrapOptions, separator: string): string {
  run.chargeText(text.length * 8);
  const lines = splitLines(run, text, false).map((line) => wrapLine(run, line, options).join(separator));
  const size = lines.reduce((sum, line) => sum + line.length + separator.length, 0);
  run.checkString(size);
  return lines.join(separator);
}

/** @throws Fault ValueError */
function wrapLine(run: Run, line: string, options: WrapOptions): string[] {
  if (options.width <= 0) throw valueFault("the width must be more than 0");
  const pieces = (options.breakHyphens ? cutAtHyphens(line) : cutAtSpaces(line)).reverse();
  const lines: string[] = [];
  while (pieces.length > 0) {
    run.checkGrowth(lines.length + 1);
    const current = fillLine(pieces, options, lines.length > 0);
    if (current.length > 0) lines.push(current.join(""));
  }
  return lines;
}

/** A character is at most two units, so that a long piece need not be counted. */
const isLonger = (piece: string, width: number): boolean => piece.length > width * 2 || codePointCount(piece) > width;

const isBlank = (piece: string | undefined): boolean => piece !== undefined && piece.trim() === "";

/** Takes pieces from the end of the stack until the line is full. */
function fillLine(pieces: string[], options: WrapOptions, dropsSpace: boolean): string[] {
  const current: string[] = [];
  let size = 0;
  if (dropsSpace && isBlank(pieces.at(-1))) pieces.pop();
  for (let piece = pieces.at(-1); piece !== undefined; piece = pieces.at(-1)) {
    if (isLonger(piece, options.width - size)) break;
    current.push(piece);
    pieces.pop();
    size += codePointCount(piece);
  }
  const next = pieces.at(-1);
  if (next !== undefined && isLonger(next, options.width)) breakPiece(pieces, current, options, options.width - size);
  if (isBlank(current.at(-1))) current.pop();
  return current;
}

/** Puts what fits of a piece that is longer than a line; or the whole piece on a line of its own. */
function breakPiece(pieces: string[], current: string[], options: WrapOptions, room: number): void {
  const piece = pieces.pop() ?? "";
  if (options.breakLong) {
    const start = sliceCodePoints(piece.slice(0, room * 2), 0, room);
    const hyphen = options.breakHyphens ? start.lastIndexOf("-") : -1;
    const kept = hyphen > 0 && /[^-]/.test(start.slice(0, hyphen)) ? start.slice(0, hyphen + 1) : start;
    current.push(kept);
    pieces.push(piece.slice(kept.length));
  } else if (current.length === 0) {
    current.push(piece);
  } else {
    pieces.push(piece);
  }
}

function cutAtSpaces(line: string): string[] {
  return line.match(/[\t\n\v\f\r ]+|[^\t\n\v\f\r ]+/g) ?? [];
}

function cutAtHyphens(line: string): string[] {
  return cutAtSpaces(line).flatMap((piece) => (SPACE.test(piece.charAt(0)) ? [piece] : cutWord(Array.from(piece))));
}

/** Cuts after the hyphen of a hyphenated word, and around dashes between words. */
function cutWord(characters: readonly string[]): string[] {
  const pieces: string[] = [];
  let start = 0;
  let at = 0;
  const cut = (end: number): void => {
    if (end > start) pieces.push(characters.slice(start, end).join(""));
    start = end;
    at = end;
  };
  while (at < characters.length) {
    const dash = dashEnd(characters, at);
    if (dash > at) {
      cut(at);
      cut(dash);
    } else if (at > start && isHyphenated(characters, at)) {
      cut(at + 1);
    } else {
      at++;
    }
  }
  cut(characters.length);
  return pieces;
}

const test = (pattern: RegExp, character: string | undefined): boolean =>
  character !== undefined && pattern.test(character);

/** The end of a dash of two or more hyphens that stands between words; `at` if there is none. */
function dashEnd(characters: readonly string[], at: number): number {
  if (characters[at] !== "-" || characters[at - 1] === "-" || !test(WORD_OR_MARK, characters[at - 1])) return at;
  let end = at;
  while (characters[end] === "-") end++;
  return end - at >= 2 && test(WORD, characters[end]) ? end : at;
}

/** Whether a hyphen has a word of letters before and after it. */
function isHyphenated(characters: readonly string[], at: number): boolean {
  if (characters[at] !== "-") return false;
  const before = characters[at - 1];
  const further = characters[at - 2];
  const word = test(LETTER, before) && test(LETTER, further);
  const short = further === "-" && test(LETTER, characters[at - 3]) && test(LETTER, before);
  if (!word && !short) return false;
  const next = characters[at + 1];
  const after = characters[at + 2] === "-" ? characters[at + 3] : characters[at + 2];
  return test(LETTER, next) && test(LETTER, after);
}
