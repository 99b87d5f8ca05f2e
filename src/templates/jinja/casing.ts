// Upper, lower, title and folded case as Python's str makes them, where JavaScript has only the first two.
// It knows characters only.
import { codePoints } from "./text.ts";

export const isCased = (character: string): boolean => /\p{Cased}/u.test(character);
export const isLowerCased = (character: string): boolean => /\p{Lowercase}/u.test(character);
/** Python asks this where a character in title case counts as an upper one. */
export const isUpperOrTitle = (character: string): boolean => /[\p{Uppercase}\p{Lt}]/u.test(character);
export const isLowerOrTitle = (character: string): boolean => /[\p{Lowercase}\p{Lt}]/u.test(character);
export const isUpperCased = (character: string): boolean => /\p{Uppercase}/u.test(character);

export const lowerCase = (text: string): string => text.toLowerCase();

/** Letters whose upper case is two letters in one: their title case is the one in the middle (ǅ of Ǆ ǅ ǆ). */
const DIGRAPHS = ["Ǆǅǆ", "Ǉǈǉ", "Ǌǋǌ", "Ǳǲǳ"];

/** Title case of one character. */
export function titleCase(character: string): string {
  const digraph = DIGRAPHS.find((one) => one.includes(character));
  if (digraph && character !== "") return digraph.charAt(1);
  if (/[\u10d0-\u10ff]/.test(character)) return character; // Georgian has no title case
  const upper = character.toUpperCase();
  if (character === "ŉ") return upper;
  if (/[\u1f80-\u1fff]/.test(character) && upper.length > 1 && upper.endsWith("Ι")) {
    return `${upper.slice(0, -1)}\u0345`.normalize("NFC"); // the iota goes below
  }
  const [first = "", ...rest] = Array.from(upper);
  return first + rest.join("").toLowerCase();
}

const CHEROKEE = /[\u13a0-\u13fd\uab70-\uabbf]/;

/** Case folding, character by character. */
export function foldCase(text: string): string {
  return text.replace(/[A-Z]+|\P{ASCII}/gu, foldPart);
}

function foldPart(character: string): string {
  if (character === "ẞ") return "ss";
  if (character === "ı") return "ı";
  if (CHEROKEE.test(character)) return character.toUpperCase();
  return character.toUpperCase().toLowerCase().replaceAll("ς", "σ");
}

/** First character in title case, the rest in lower case. */
export function capitalize(text: string): string {
  const [first = ""] = codePoints(text);
  return titleCase(first) + lowerAfter(text, first.length);
}

/** The end of a text in lower case; what stands before decides whether a sigma is the last letter of a word. */
const lowerAfter = (text: string, from: number): string =>
  text.includes("Σ")
    ? text.toLowerCase().slice(text.slice(0, from).toLowerCase().length)
    : text.slice(from).toLowerCase();

/** A letter after a letter becomes lower, every other one title case. */
export function pythonTitle(text: string): string {
  const lower = lowerTexts(text);
  let result = "";
  let inWord = false;
  for (const [at, character] of codePoints(text).entries()) {
    result += inWord ? (lower[at] ?? "") : titleCase(character);
    inWord = isCased(character);
  }
  return result;
}

export function swapCase(text: string): string {
  const lower = lowerTexts(text);
  return codePoints(text)
    .map((character, at) =>
      isUpperCased(character) ? (lower[at] ?? "") : isLowerCased(character) ? character.toUpperCase() : character,
    )
    .join("");
}

/** Each character in lower case; a sigma at the end of a word has a form of its own. */
function lowerTexts(text: string): string[] {
  const lower = codePoints(text).map((character) => character.toLowerCase());
  if (!text.includes("Σ")) return lower;
  let offset = 0;
  const whole = text.toLowerCase();
  return lower.map((one) => {
    const end = offset + one.length;
    const found = whole.slice(offset, end);
    offset = end;
    return found;
  });
}
