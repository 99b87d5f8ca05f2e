// The bounds of one template and one rendering, and the counter that enforces them.
// It knows numbers only. Every bound says its own name, so that the author of a template learns which one was met.
import { Fault } from "./jinja-error.ts";

/** All sizes are counts: characters (UTF-16 units) for texts, elements for sequences, bits for integers. */
export type JinjaLimits = {
  /** Characters of the template's source. */
  readonly templateSize: number;
  /** Tokens of the source: names, numbers, texts and signs in tags, ends of tags, and what stands between tags. */
  readonly templateTokens: number;
  /** Characters of the rendered text. */
  readonly outputSize: number;
  /** Characters of any one string that the template makes. */
  readonly stringSize: number;
  /** Elements of any one list, tuple or dict that the template makes. */
  readonly sequenceLength: number;
  /** Units of work of one rendering: one for each expression or statement, more where the work grows with the size of a value. */
  readonly steps: number;
  /** Macros and recursive loops that are active at the same time. */
  readonly recursion: number;
  /** Blocks and brackets inside each other in the source, and values inside each other when they are compared or printed. */
  readonly nesting: number;
  /** Bits of any one integer. */
  readonly integerBits: number;
};

export const DEFAULT_LIMITS: JinjaLimits = {
  templateSize: 1_048_576,
  templateTokens: 50_000,
  outputSize: 1_048_576,
  stringSize: 1_048_576,
  sequenceLength: 20_000,
  steps: 100_000,
  recursion: 100,
  nesting: 100,
  integerBits: 16_384,
};

const MEANINGS: Record<keyof JinjaLimits, string> = {
  templateSize: "characters in the template",
  templateTokens: "tokens in the template",
  outputSize: "characters of output",
  stringSize: "characters in a string",
  sequenceLength: "elements in a sequence",
  steps: "steps of work",
  recursion: "nested calls",
  nesting: "levels of nesting",
  integerBits: "bits in an integer",
};

export function limitFault(name: keyof JinjaLimits, limits: JinjaLimits): Fault {
  return new Fault("Limit", `limit ${name}: more than ${limits[name]} ${MEANINGS[name]}`);
}

/** What one rendering has used up. Work that moves a lot of memory per step is charged by size, see `chargeText`. */
export class Budget {
  readonly limits: JinjaLimits;
  private steps = 0;
  private calls = 0;
  private levels = 0;

  constructor(limits: JinjaLimits) {
    this.limits = limits;
  }

  charge(steps: number): void {
    this.steps += steps;
    if (this.steps > this.limits.steps) throw limitFault("steps", this.limits);
  }

  /** For copying or scanning characters: cheap each, so that a step is 32 of them. */
  chargeText(characters: number): void {
    this.charge(1 + Math.floor(characters / 32));
  }

  /** For work that looks at each character by itself, and makes something of it. */
  chargeCharacters(characters: number): void {
    this.charge(1 + Math.floor(characters / 2));
  }

  /** Checks the size of a string before it is made. */
  checkString(length: number): void {
    if (length > this.limits.stringSize) throw limitFault("stringSize", this.limits);
    this.chargeText(length);
  }

  /** Checks the size that a string has reached by what was added last. */
  checkAppend(size: number, added: number): void {
    if (size > this.limits.stringSize) throw limitFault("stringSize", this.limits);
    this.chargeText(added);
  }

  /** Checks the length of a sequence before it is made. */
  checkSequence(length: number): void {
    if (length > this.limits.sequenceLength) throw limitFault("sequenceLength", this.limits);
    this.charge(1 + Math.floor(length / 4));
  }

  /** Checks the length that a sequence will have with one more element. */
  checkGrowth(length: number): void {
    if (length > this.limits.sequenceLength) throw limitFault("sequenceLength", this.limits);
    this.charge(1);
  }

  /** Checks the size of an integer before it is made; multiplying, dividing and writing it take time in the square of that. */
  checkBits(bits: number): void {
    if (bits > this.limits.integerBits) throw limitFault("integerBits", this.limits);
    this.charge(1 + Math.floor((bits / 1024) ** 2));
  }

  /** Runs something that may call itself through the template (a macro, a recursive loop). */
  inCall<T>(action: () => T): T {
    if (++this.calls > this.limits.recursion) throw limitFault("recursion", this.limits);
    try {
      return action();
    } finally {
      this.calls--;
    }
  }

  /** Runs something that follows a value into its elements. */
  inValue<T>(action: () => T): T {
    if (++this.levels > this.limits.nesting) throw limitFault("nesting", this.limits);
    try {
      return action();
    } finally {
      this.levels--;
    }
  }
}
