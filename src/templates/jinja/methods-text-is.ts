// The methods of Python's str that ask what a text consists of: isdigit, isupper and their like.
// It knows characters only.

import { isSpace } from "./python-space.ts";
import type { Definitions, NativeBody } from "./signature.ts";
import { codePoints, isCased, isPrintable, isUpperCased } from "./text.ts";
import { requireText } from "./text-values.ts";

const ask = (test: (text: string) => boolean): readonly [string, NativeBody] => [
  "self /",
  (run, self) => {
    const text = requireText(self);
    run.chargeText(text.length);
    return test(text);
  },
];

/** True for a text of at least one character, all of which pass. */
const all = (test: (character: string) => boolean) => ask((text) => text !== "" && codePoints(text).every(test));

const matching = (pattern: RegExp) => all((character) => pattern.test(character));

const isLowerCased = (character: string): boolean => /\p{Lowercase}/u.test(character);

/** At least one letter with case, and none of the other case. */
const onlyCase = (other: (character: string) => boolean) =>
  ask((text) => {
    const characters = codePoints(text);
    return characters.some((character) => isCased(character) || isLowerCased(character)) && !characters.some(other);
  });

function isTitle(text: string): boolean {
  let inWord = false;
  let found = false;
  for (const character of text) {
    const cased = isCased(character);
    if (cased && isUpperCased(character) === inWord) return false;
    found ||= cased;
    inWord = cased;
  }
  return found;
}

export const TEXT_PREDICATES: Definitions = {
  isalnum: matching(/[\p{L}\p{N}]/u),
  isalpha: matching(/\p{L}/u),
  isascii: ask((text) => !/[^\p{ASCII}]/u.test(text)),
  isdecimal: matching(/\p{Nd}/u),
  isdigit: matching(/[\p{Nd}\u00b2\u00b3\u00b9\u2070-\u2079\u2080-\u2089\u2460-\u2468\u2474-\u247c\u2488-\u2490]/u),
  isidentifier: ask((text) => /^[\p{XID_Start}_]\p{XID_Continue}*$/u.test(text)),
  islower: onlyCase(isUpperCased),
  isnumeric: matching(/\p{N}/u),
  isprintable: ask((text) => codePoints(text).every(isPrintable)),
  isspace: all(isSpace),
  istitle: ask(isTitle),
  isupper: onlyCase(isLowerCased),
};
