// What becomes of each call and each hint, by the plan's troubles and by chance. Knows networks; nothing of what is asked.
import type { Asked, Fate } from "./calls.ts";
import type { Chance } from "./chance.ts";
import type { HintTrouble, Plan, Trouble, TroubleKind } from "./plan.ts";
import type { Time } from "./time.ts";

/** Who calls gives up after so long (ms): the same for all, so that late is late. */
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

  fateOf(asked: Asked, daemon: number): Fate {
    const service = this.#services.get(asked.service) ?? -1;
    const met = this.#plan.troubles.find((trouble) => this.#meets(trouble, service, daemon));
    const speed = service < 0 ? DATABASE : CLUSTER;
    const leg = (): number => this.#draw.between(speed.least, speed.most) * (this.#draw.happens(0.02) ? 50 : 1);
    if (met === undefined) return { kind: "answered", done: leg(), back: leg() };
    return TROUBLES[met.kind]({ leg, draw: this.#draw, verb: asked.verb });
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

type Met = { readonly leg: () => number; readonly draw: Chance; readonly verb: string };

const refused =
  (refusal: TroubleKind) =>
  ({ leg }: Met): Fate => ({ kind: "refused", refusal, back: leg() });

/** What each trouble does to a call. */
const TROUBLES: Readonly<Record<TroubleKind, (met: Met) => Fate>> = {
  slow: ({ draw }) => ({ kind: "answered", done: draw.between(100, 5_000), back: draw.between(10, 4_000) }),
  unreachable: ({ draw, leg }) => ({ kind: "unreachable", back: draw.happens(0.5) ? leg() : GIVES_UP }),
  "lost-replies": ({ draw, leg }) => ({ kind: "lost", done: leg(), back: draw.happens(0.7) ? leg() : GIVES_UP }),
  // A watch that is opened too late is none.
  late: ({ draw, verb }) =>
    verb.startsWith("watch")
      ? { kind: "unreachable", back: GIVES_UP }
      : { kind: "late", back: GIVES_UP, done: GIVES_UP + draw.between(10, 30_000) },
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
