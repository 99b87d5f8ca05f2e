// Draws from a seed: the same seed gives the same templates. Knows nothing of what is drawn.
import { random } from "../../random.ts";

export class Draw {
  private readonly number: () => number;

  constructor(seed: number) {
    this.number = random(seed);
  }

  /** A whole number from 0 up to, but not including, the bound. */
  below(bound: number): number {
    return Math.floor(this.number() * bound);
  }

  pick<T>(options: readonly T[]): T {
    return options[this.below(options.length)] as T;
  }

  chance(probability: number): boolean {
    return this.number() < probability;
  }

  /** So many of what `make` gives, between `least` and `most`. */
  many<T>(least: number, most: number, make: () => T): T[] {
    return Array.from({ length: least + this.below(most - least + 1) }, make);
  }
}
