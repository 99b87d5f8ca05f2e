// Whether an API server answers: while it does not, one call at a time finds out, and the others fail at once instead of
// keeping their places for a whole deadline each. Knows neither HTTP nor what is called.

/** Until the next call finds out (ms); longer each time that it finds nothing. */
const PAUSES = { first: 500, longest: 5_000 };

type Away = { readonly why: unknown; readonly times: number; readonly since: number; until: number };

export class Reach {
  #away: Away | undefined;
  #answeredAt = Number.NEGATIVE_INFINITY;

  /** Why a call need not be tried now; undefined: try it. The one that is let through while all is silent finds out. */
  get refused(): unknown {
    const away = this.#away;
    const now = performance.now();
    if (away === undefined) return undefined;
    if (now < away.until) return away.why;
    away.until = now + PAUSES.longest;
    return undefined;
  }

  answered(): void {
    this.#answeredAt = performance.now();
    this.#away = undefined;
  }

  /**
   * A call got no answer, for all its tries.
   * @param sentAt performance.now() when it was first sent: if others were answered since, it says nothing of the server
   */
  unanswered(why: unknown, sentAt: number): void {
    const now = performance.now();
    // Those that were under way together tell the same thing, once.
    if (this.#answeredAt > sentAt || (this.#away && this.#away.since > sentAt)) return;
    const times = (this.#away?.times ?? -1) + 1;
    this.#away = { why, times, since: now, until: now + Math.min(PAUSES.longest, PAUSES.first * 2 ** times) };
  }
}
