// A fault to be planted: a text of src/ and what stands in its place. White space in the text does not count. Pure.

export type Mutant = {
  readonly name: string;
  /** Path under src/. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** Why it stays planted, and what it breaks in the code, although no seed finds it. */
  readonly unseen?: string;
};
