// Tells apart, in a rendered text, what a template says itself from what it prints of the variables that it was given.
// Marks that no text holds by chance travel with the text through macros, blocks and filters. It knows texts and marks only.
import { randomBytes } from "node:crypto";

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
  BigInt(`0x${randomBytes(12).toString("hex")}`)
    .toString()
    .padStart(29, "7");

/** A text that is the same in every notation, and means nothing in any. */
const isTame = (text: string): boolean => /^(?:[\w./=+-]|:(?=\w))*$/.test(text) && !/^(?:-*|\.\.\.)$/.test(text);

export class Trace {
  private readonly open = randomDigits();
  private readonly close = randomDigits();
  private readonly marks = new RegExp(`(${this.open}\\d+:|${this.close})`, "g");
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
    return `${this.open}${this.regions.length - 1}:${text}${this.close}`;
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
      if (!text.split(this.marks).every((part) => this.take(splitter, part)) || splitter.depth > 0) return undefined;
      pieces.push(...splitter.pieces);
    }
    return pieces;
  }

  /** False for a mark that is out of place. */
  private take(splitter: Splitter, part: string): boolean {
    if (part === this.close) return splitter.leave((region, text) => this.given(region, text, splitter.place));
    if (part.startsWith(this.open)) splitter.enter(Number(part.slice(this.open.length, -1)));
    else splitter.add(part);
    return true;
  }

  private given(index: number, text: string, place: TemplatePlace): Piece {
    const region = this.regions[index];
    const printed = region?.text.replaceAll(this.marks, "") ?? "";
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
