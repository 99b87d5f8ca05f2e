// A rendered text with blanks in the place of an operation's values, and the Job that it gives: values never meet the YAML parser,
// so that no character in them can change the structure of the Job. Pure.
import { randomBytes } from "node:crypto";
import type { Piece } from "./jinja/jinja.ts";

/** What a template is given for one operation. */
export type Values = {
  readonly _id: string;
  readonly _name: string;
  readonly _image: string;
  readonly _command: string;
  readonly _args: readonly string[];
};

export const VALUE_NAMES: readonly (keyof Values)[] = ["_id", "_name", "_image", "_command", "_args"];

// Random for each process: no template can hold one by chance. Letters first, or YAML could take it for a number.
const TOKEN = `blank${randomBytes(6).toString("hex")}x`;
const BLANK = new RegExp(`${TOKEN}(\\d+)e`, "g");
const WHOLE = new RegExp(`^${TOKEN}(\\d+)e$`);

export const holdsBlank = (text: string): boolean => text.includes(TOKEN);

/** A scalar with blanks in it. `plain`: written without quotes, so that YAML gives it a type where Kubernetes wants no text. */
export class Hole {
  readonly text: string;
  readonly plain: boolean;
  constructor(text: string, plain: boolean) {
    this.text = text;
    this.plain = plain;
  }
}

/** A manifest in which values are still missing. */
export type Blanked = null | boolean | number | string | Hole | Blanked[] | { [key: string]: Blanked };

/** The text with a blank for each piece that came from a value. */
export function blankOut(pieces: readonly Piece[]): string {
  let count = 0;
  return pieces.map(({ given, text }) => (given ? `${TOKEN}${count++}e` : text)).join("");
}

/** The pieces that the blanks stand for, in their order. */
export const givenOf = (pieces: readonly Piece[]): Piece[] => pieces.filter(({ given }) => given);

/** The piece that is the whole of a text; undefined where there is more to it. */
export function wholePiece(text: string, given: readonly Piece[]): Piece | undefined {
  const index = WHOLE.exec(text)?.[1];
  return index === undefined ? undefined : given[Number(index)];
}

export const fillText = (text: string, given: readonly Piece[]): string =>
  text.replaceAll(BLANK, (_, index: string) => given[Number(index)]?.text ?? "");

/** Where an offset in a blanked text lies: in which piece, and how far in it. */
export function pieceAt(pieces: readonly Piece[], offset: number): { readonly index: number; readonly within: number } {
  let count = 0;
  let start = 0;
  for (const [index, { given, text }] of pieces.entries()) {
    const length = given ? `${TOKEN}${count++}e`.length : text.length;
    if (offset < start + length) return { index, within: given ? 0 : offset - start };
    start += length;
  }
  const last = pieces.length - 1;
  return { index: Math.max(0, last), within: pieces[last]?.text.length ?? 0 };
}
