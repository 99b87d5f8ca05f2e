// Which characters Python counts as white space; JavaScript's own classes differ (U+FEFF, U+0085, U+001C to U+001F).
// It knows characters only.

const SPACES = new Set(
  [
    0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x85, 0xa0, 0x1680, 0x2000, 0x2001, 0x2002, 0x2003,
    0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000,
  ].map((code) => String.fromCharCode(code)),
);

export const isSpace = (character: string): boolean => SPACES.has(character);

/** The index of the first character at or after `from` that is not white space. */
export function skipSpaces(text: string, from: number): number {
  let at = from;
  while (at < text.length && SPACES.has(text.charAt(at))) at++;
  return at;
}

export const trimStart = (text: string): string => text.slice(skipSpaces(text, 0));

/** Written as a loop: a regular expression for trailing space takes quadratic time on hostile text. */
export function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && SPACES.has(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}

export const trim = (text: string): string => trimEnd(trimStart(text));

/** The words of a text, cut at runs of white space. */
export function splitAtSpaces(text: string): string[] {
  const words: string[] = [];
  let at = skipSpaces(text, 0);
  while (at < text.length) {
    let end = at;
    while (end < text.length && !SPACES.has(text.charAt(end))) end++;
    words.push(text.slice(at, end));
    at = skipSpaces(text, end);
  }
  return words;
}
