// What becomes of each call and each hint, by the plan's troubles and by chance. Knows networks; nothing of what is asked.
import type { Asked, Fate } from "./calls.ts";
import type { Chance } from "./chance.ts";
import { DATABASE_SERVICE, type HintTrouble, type Plan, type Trouble, type TroubleKind } from "./plan.ts";
import type { Time } from "./time.ts";

/** Who calls gives up after so long (ms): the same for nearly all, so that late is late. */
export const GIVES_UP = 10_000;

const DATABASE = { least: 0.3, most: 5 };
const CLUSTER = { least: 1, most: 25 };

export class Wire {
  readonly #time: Time;
  readonly #draw: Chance;
  readonly #plan: Plan;
  readonly #services: ReadonlyMap<string, number>;

  /** @param services clusters' numbers by their addresses */
  constructor(parts: { time: Time; draw: Chance; plan: Plan; services: ReadonlyMap<string, number> }) {
    this.#time = parts.time;
    this.#draw = parts.draw;
    this.#plan = parts.plan;
    this.#services = parts.services;
  }

  /** @param mishap what this very call meets */
  fateOf(asked: Asked, daemon: number, mishap?: TroubleKind): Fate {
    const service = this.#services.get(asked.service) ?? DATABASE_SERVICE;
    const struck = mishap !== undefined && this.#time.elapsed < this.#plan.horizonMs ? { kind: mishap } : undefined;
    const met = struck ?? this.#plan.troubles.find((trouble) => this.#meets(trouble, service, daemon));
    const speed = service === DATABASE_SERVICE ? DATABASE : CLUSTER;
    const leg = (): number => this.#draw.between(speed.least, speed.most) * (this.#draw.happens(0.02) ? 50 : 1);
    const { verb, givesUpMs: givesUp = GIVES_UP } = asked;
    if (met === undefined) return { kind: "answered", done: leg(), back: leg() };
    const fate = TROUBLES[met.kind]({ leg, draw: this.#draw, verb, givesUp });
    // An answer that takes longer than its caller waits is done all the same.
    const inTime = fate.kind !== "answered" || fate.done + fate.back <= givesUp;
    return inTime ? fate : { kind: "late", done: fate.done, back: givesUp };
  }

  #meets({ from, ms, service, daemon, probability }: Trouble, asked: number, by: number): boolean {
    const now = this.#time.elapsed;
    if (now < from || now >= from + ms || now >= this.#plan.horizonMs) return false;
    return service === asked && (daemon === undefined || daemon === by) && this.#draw.happens(probability);
  }

  /** How hints of a kind travel at this moment. */
  hints(of: HintTrouble["of"]): { readonly delay: () => number; readonly times: () => number } {
    const has = (kind: HintTrouble["kind"]): boolean =>
      this.#time.elapsed < this.#plan.horizonMs &&
      this.#plan.hints.some(
        (trouble) =>
          trouble.of === of &&
          trouble.kind === kind &&
          this.#time.elapsed >= trouble.from &&
          this.#time.elapsed < trouble.from + trouble.ms,
      );
    return {
      delay: () => (has("late") ? this.#draw.between(500, 20_000) : this.#draw.between(0.5, 40)),
      times: () => (has("dropped") && this.#draw.happens(0.7) ? 0 : has("doubled") && this.#draw.happens(0.7) ? 2 : 1),
    };
  }
}

type Met = {
  readonly leg: () => number;
  readonly draw: Chance;
  readonly verb: string;
  readonly givesUp: number;
};

const refused =
  (refusal: TroubleKind) =>
  ({ leg }: Met): Fate => ({ kind: "refused", refusal, back: leg() });

/** What each trouble does to a call. */
const TROUBLES: Readonly<Record<TroubleKind, (met: Met) => Fate>> = {
  slow: ({ draw }) => ({ kind: "answered", done: draw.between(100, 5_000), back: draw.between(10, 4_000) }),
  unreachable: ({ draw, leg, givesUp }) => ({ kind: "unreachable", back: draw.happens(0.5) ? leg() : givesUp }),
  "lost-replies": ({ draw, leg, givesUp }) => ({
    kind: "lost",
    done: leg(),
    back: draw.happens(0.7) ? leg() : givesUp,
  }),
  // A watch that is opened too late is none.
  late: ({ draw, verb, givesUp }) =>
    verb.startsWith("watch")
      ? { kind: "unreachable", back: givesUp }
      : { kind: "late", back: givesUp, done: givesUp + draw.between(10, 30_000) },
  "empty-list": ({ leg, verb }) =>
    verb.startsWith("list")
      ? { kind: "refused", refusal: "empty-list", back: leg() }
      : { kind: "answered", done: leg(), back: leg() },
  "not-primary": refused("not-primary"),
  throttled: refused("throttled"),
  broken: refused("broken"),
  overloaded: refused("overloaded"),
  forbidden: refused("forbidden"),
};
