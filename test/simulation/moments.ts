// Moments that are calls: what a plan wants to happen just after a daemon has sent a certain one, before it is done. Chance alone
// hardly ever meets the few milliseconds of a call. Knows calls by their verbs; nothing of what happens then.
import type { Asked } from "./calls.ts";
import type { Moment, TroubleKind } from "./plan.ts";
import type { Time } from "./time.ts";

export type Moments = {
  /** A daemon has sent a call. @returns what trouble that very call meets */
  readonly made: (asked: Asked, daemon: number) => TroubleKind | undefined;
  /** @param of one daemon alone; undefined: of all of them together */
  readonly at: (moment: Moment, of: number | undefined, act: () => unknown) => void;
  /** The call of all daemons' that is this one meets trouble. */
  readonly strike: (moment: Moment, kind: TroubleKind) => void;
};

/** Of whatever verb. */
const ANY = "any";

export function createMoments(time: Time): Moments {
  const counts = new Map<string, number>();
  const waiting = new Map<string, { readonly ms: number; readonly act: () => unknown }[]>();
  const struck = new Map<string, TroubleKind>();
  const keyOf = (verb: string, of: number | undefined): string => `${of ?? "all"} ${verb}`;

  return {
    made({ verb }, daemon) {
      let kind: TroubleKind | undefined;
      for (const key of [keyOf(ANY, undefined), keyOf(verb, undefined), keyOf(verb, daemon)]) {
        const nth = (counts.get(key) ?? 0) + 1;
        counts.set(key, nth);
        for (const { ms, act } of waiting.get(`${key} ${nth}`) ?? []) time.after(ms, act);
        kind ??= struck.get(`${key} ${nth}`);
      }
      return kind;
    },
    at({ call, verb = ANY, afterMs: ms = 0 }, of, act) {
      const key = `${keyOf(verb, of)} ${call}`;
      waiting.set(key, [...(waiting.get(key) ?? []), { ms, act }]);
    },
    strike: ({ call, verb = ANY }, kind) => void struck.set(`${keyOf(verb, undefined)} ${call}`, kind),
  };
}
