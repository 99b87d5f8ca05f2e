// Moments that are calls: what a plan wants to happen just after a daemon has sent a certain one, before it is done. Chance alone
// hardly ever meets the few milliseconds of a call. Knows calls by their verbs; nothing of what happens then.
import type { Asked } from "./calls.ts";
import type { Moment } from "./plan.ts";
import type { Time } from "./time.ts";

export type Moments = {
  /** A daemon has sent a call. */
  readonly made: (asked: Asked, daemon: number) => void;
  /** @param of one daemon alone; undefined: of all of them together */
  readonly at: (moment: Moment, of: number | undefined, act: () => unknown) => void;
};

/** Of whatever verb. */
const ANY = "any";

export function createMoments(time: Time): Moments {
  const counts = new Map<string, number>();
  const waiting = new Map<string, (() => unknown)[]>();
  const keyOf = (verb: string, of: number | undefined): string => `${of ?? "all"} ${verb}`;

  return {
    made({ verb }, daemon) {
      for (const key of [keyOf(ANY, undefined), keyOf(verb, undefined), keyOf(verb, daemon)]) {
        const nth = (counts.get(key) ?? 0) + 1;
        counts.set(key, nth);
        for (const act of waiting.get(`${key} ${nth}`) ?? []) time.after(0, act);
      }
    },
    at({ call, verb = ANY }, of, act) {
      const key = `${keyOf(verb, of)} ${call}`;
      waiting.set(key, [...(waiting.get(key) ?? []), act]);
    },
  };
}
