// Chance as the simulation has it: everything that is drawn comes from one seed, so that a run can be played again.
// Knows nothing of what is drawn for.
import { random } from "../random.ts";

export type Chance = {
  /** In [0, 1). */
  readonly next: () => number;
  readonly between: (least: number, most: number) => number;
  /** A whole number from 0 up to, but without, the bound. */
  readonly below: (bound: number) => number;
  readonly happens: (probability: number) => boolean;
  readonly pick: <T>(choices: readonly T[]) => T;
};

/** @param purpose keeps the draws of different parts apart: what one part draws more does not change another's */
export function chance(seed: number, purpose: string): Chance {
  const next = random(mix(seed, purpose));
  const below = (bound: number): number => Math.floor(next() * bound);
  return {
    next,
    below,
    between: (least, most) => least + next() * (most - least),
    happens: (probability) => probability > 0 && next() < probability,
    pick: (choices) => choices[below(choices.length)] as (typeof choices)[number],
  };
}

/** FNV-1a over the purpose, begun with the seed. */
function mix(seed: number, purpose: string): number {
  let hash = (0x81_1c_9d_c5 ^ seed) >>> 0;
  for (let i = 0; i < purpose.length; i++) hash = Math.imul(hash ^ purpose.charCodeAt(i), 0x01_00_01_93) >>> 0;
  return Math.imul(hash ^ (hash >>> 15), 0x2c_1b_3c_6d) >>> 0;
}
