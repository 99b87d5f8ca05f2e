// Tells apart, in a rendered text, what a template says itself from what it prints of the variables that it was given.
// Marks that no text holds by chance travel with the text through macros, blocks and filters. It knows texts and marks only.
import { randomUUID } from "node:crypto";

export type TraceData = null | boolean | number | string | readonly TraceData[] | { readonly [key: string]: TraceData };

/**
 * Where something stands in the template, 1-based. `exact`: it stands there character by character; else it was printed by the tag
 * that stands there.
 */
export type TemplatePlace = { readonly line: number; readonly column: number; readonly exact: boolean };

/** A piece of a rendered text, from one place of the template. */
export type Piece = {
  readonly text: string;
  /** It came, or may have come, from the given variables. */
  readonly given: boolean;
  /** What was printed as JSON or as a list. */
  readonly data?: TraceData;
  /** A filter or a block made another text of what was printed, perhaps one in which characters are escaped. */
  readonly changed: boolean;
  readonly place: TemplatePlace;
};

type Region = { readonly text: string; readonly data: TraceData | undefined };

/** Digits: filters that change letters, escape or trim leave them as they are. */
const randomDigits = (): string =>
  BigInt(`0x${randomUUID().replaceAll("-", "")}`)
    .toString()
    .padStart(39, "7");

/** A text that is the same in every notation, and means nothing in any. */
const isTame = (text: string): boolean => /^(?:[\w./=+-]|:(?=\w))*$/.test(text) && !/^(?:-*|\.\.\.)$/.test(text);

/** What stands after the token. */
const MARK = /^(\d*):/;

export class Trace {
  private readonly token = randomDigits();
  private readonly sparing: boolean;
  private readonly regions: Region[] = [];
  private readonly places: { readonly offset: number; readonly place: TemplatePlace }[] = [];

  /** `sparing`: texts that mean nothing in any notation are not marked, so that a template may compute with them. */
  constructor(sparing: boolean) {
    this.sparing = sparing;
  }

  /** Marks a text that is about to be printed. */
  mark(text: string, data?: TraceData): string {
    if (this.sparing && isTame(text)) return text;
    this.regions.push({ text, data });
    return `${this.token}${this.regions.length - 1}:${text}${this.token}:`;
  }

  /** What is written from this offset of the output on comes from that place. */
  at(offset: number, place: TemplatePlace): void {
    this.places.push({ offset, place });
  }

  /** The pieces of the whole output. Undefined if a mark was broken on the way. */
  pieces(output: string): Piece[] | undefined {
    const pieces: Piece[] = [];
    for (const [index, { offset, place }] of this.places.entries()) {
      const text = output.slice(offset, this.places[index + 1]?.offset);
      const splitter = new Splitter(place);
      if (!this.read(splitter, text)) return undefined;
      pieces.push(...splitter.pieces);
    }
    return pieces;
  }

  /** The token begins each mark: with the number of a region it opens it, without one it closes the last that is open. */
  private read(splitter: Splitter, text: string): boolean {
    const [before = "", ...marked] = text.split(this.token);
    splitter.add(before);
    for (const part of marked) {
      const [mark, number] = MARK.exec(part) ?? [];
      if (mark === undefined) return false;
      if (number !== "") splitter.enter(Number(number));
      else if (!splitter.leave((region, inner) => this.given(region, inner, splitter.place))) return false;
      splitter.add(part.slice(mark.length));
    }
    return splitter.depth === 0;
  }

  private unmarked(text: string): string {
    const [before = "", ...marked] = text.split(this.token);
    return before + marked.map((part) => part.replace(MARK, "")).join("");
  }

  private given(index: number, text: string, place: TemplatePlace): Piece {
    const region = this.regions[index];
    const printed = this.unmarked(region?.text ?? "");
    if (printed !== text) return { text, given: true, changed: !(isTame(printed) && isTame(text)), place };
    const piece = { text, given: true, changed: false, place };
    return region?.data === undefined ? piece : { ...piece, data: region.data };
  }
}

/** Goes through the parts of a text. Of marked texts inside each other the outermost counts. */
class Splitter {
  readonly place: TemplatePlace;
  readonly pieces: Piece[] = [];
  depth = 0;
  private region = 0;
  private text = "";

  constructor(place: TemplatePlace) {
    this.place = place;
  }

  add(text: string): void {
    if (this.depth > 0) this.text += text;
    else if (text !== "") this.pieces.push({ text, given: false, changed: false, place: this.place });
  }

  enter(region: number): void {
    if (this.depth++ === 0) {
      this.region = region;
      this.text = "";
    }
  }

  leave(make: (region: number, text: string) => Piece): boolean {
    if (this.depth === 0) return false;
    if (--this.depth === 0) this.pieces.push(make(this.region, this.text));
    return true;
  }
}
