// Decodes what stands between the quotes of a template's string, as Python decodes a text with backslashes.
// It knows escapes only. Characters beyond ASCII become escapes first, because Python does so and a backslash before one shows it.

/** Thrown for an escape that Python refuses, or that needs the table of Unicode names. */
export class BadEscape extends Error {
  readonly needsNames: boolean;
  constructor(message: string, needsNames = false) {
    super(message);
    this.needsNames = needsNames;
  }
}

const SIMPLE: Record<string, string> = {
  "\n": "",
  "\\": "\\",
  "'": "'",
  '"': '"',
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

const HEX_DIGITS: Record<string, number> = { x: 2, u: 4, U: 8 };

const escapeCodePoint = (character: string): string => {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`;
};

/** @throws BadEscape */
export function decodeEscapes(text: string): string {
  if (!text.includes("\\")) return text;
  const ascii = text.replace(/\P{ASCII}/gu, escapeCodePoint);
  let decoded = "";
  let at = 0;
  for (;;) {
    const slash = ascii.indexOf("\\", at);
    if (slash < 0) return decoded + ascii.slice(at);
    decoded += ascii.slice(at, slash);
    const [character, length] = decodeOne(ascii, slash + 1);
    decoded += character;
    at = slash + 1 + length;
  }
}

/** The text that an escape stands for, and how many characters after the backslash it takes. */
function decodeOne(text: string, at: number): [string, number] {
  const mark = text.charAt(at);
  const simple = SIMPLE[mark];
  if (simple !== undefined) return [simple, 1];
  const octal = /^[0-7]{1,3}/.exec(text.slice(at, at + 3));
  if (octal) return [String.fromCodePoint(Number.parseInt(octal[0], 8)), octal[0].length];
  const digits = HEX_DIGITS[mark];
  if (digits !== undefined) return [decodeHex(text.slice(at + 1, at + 1 + digits), digits), 1 + digits];
  if (mark === "N") throw new BadEscape("characters cannot be written by their Unicode name here", true);
  return [`\\${mark}`, 1];
}

function decodeHex(digits: string, length: number): string {
  const code = Number.parseInt(digits, 16);
  if (digits.length < length || !/^[0-9a-fA-F]+$/.test(digits) || code > 0x10ffff) {
    throw new BadEscape("an escape in a string is incomplete or names no character");
  }
  return String.fromCodePoint(code);
}
