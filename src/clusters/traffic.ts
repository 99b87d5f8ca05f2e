// What goes to one API server, over all credentials together: so many calls a second, and none while it asks to wait.
// Whatever looks, deletes or follows goes before what creates: a backlog must not keep an end, or a watch, waiting.
// Knows neither HTTP nor Jobs; it only lets pass.
import { type Clock, systemClock, type Timer } from "../clock.ts";
import { OpjobError } from "../errors.ts";

export type TrafficOptions = {
  /** Calls a second on average; 0: no limit. */
  readonly rate: number;
  /** Calls that may go at once after a quiet time. */
  readonly burst: number;
  /** So many creates may wait, or be without an answer, before further ones are better begun later. */
  readonly crowd: number;
  readonly onWait: (verb: string, seconds: number) => void;
};

export const UNLIMITED: TrafficOptions = {
  rate: 0,
  burst: 0,
  crowd: Number.POSITIVE_INFINITY,
  onWait: () => undefined,
};

/** Who waits longer for a server that asks for a pause is told so, and comes again: the place is another's (ms). */
const PATIENCE = 2_000;
/** What waited for the same moment does not come in the same moment (ms). */
const SPREAD = 200;
/** An API server that has many creates in hand and answers none for so long hangs, or is too slow for more (ms). */
const SILENCE = 500;
/** Until it is asked whether it still hangs: as long as it has hung, within these (ms). */
const LOOK_AGAIN = { first: 25, longest: 2_000 };
/** Creates go last, but of so many calls one is a create's: looking must not stop launching either. */
const CREATES_SHARE = 4;

/** A call that waits has a deadline of its own. */
const UNENDING = new AbortController().signal;

export class Traffic {
  readonly #server: string;
  readonly #options: TrafficOptions;
  readonly #clock: Clock;
  readonly #waiting = { first: [] as (() => void)[], creates: [] as (() => void)[] };
  #tokens: number;
  #filledAt: number;
  #turn = 0;
  #timer: Timer | undefined;
  #closedUntil = 0;
  #creating = 0;
  /** Since creates are under way: when one was answered last; until then, when the first was sent. */
  #heard = { any: false, at: 0 };
  #slot = 0;

  constructor(server: string, options: TrafficOptions, clock = systemClock) {
    this.#server = server;
    this.#options = options;
    this.#clock = clock;
    this.#filledAt = clock.elapsed();
    this.#tokens = options.burst;
  }

  /**
   * Resolves when a call may be sent.
   * @throws OpjobError CLUSTER_OVERLOADED when the API server asks for a longer pause than a call waits
   */
  async admit(verb: string): Promise<void> {
    const begun = this.#clock.elapsed();
    for (let closed = this.#closedFor(); closed > 0; closed = this.#closedFor()) {
      if (closed > PATIENCE) {
        // Without the seconds: the text is the reason of a held operation, written once and not each time anew.
        const message = `The cluster ${this.#server} is overloaded: it asks to wait before the next call.`;
        throw new OpjobError("CLUSTER_OVERLOADED", message, { retryAfterMs: closed });
      }
      await this.#clock.sleep(closed + this.#clock.random() * SPREAD, UNENDING);
    }
    if (this.#options.rate > 0) await this.#token(verb === "create");
    this.#options.onWait(verb, (this.#clock.elapsed() - begun) / 1_000);
  }

  /** The API server asks to wait: until then nothing more is sent, and afterwards no burst. */
  pause(ms: number): void {
    this.#closedUntil = Math.max(this.#closedUntil, this.#clock.elapsed() + ms);
    this.#fill();
    this.#tokens = Math.min(this.#tokens, 0);
    this.#filledAt = this.#closedUntil;
    this.#arm();
  }

  /**
   * Begins a create, if there is room for one; `end` tells that it was answered, whichever way. Else `wait` says after how many
   * milliseconds it is worth asking again: each who asks gets a moment of its own. Without this, the backlog of a slow, limited
   * or hanging cluster would sit in all lanes, and other clusters' work behind it.
   */
  begin(): { readonly end: () => void } | { readonly wait: number } {
    const wait = this.#crowded();
    if (wait > 0) return { wait };
    if (this.#creating++ === 0) this.#heard = { any: false, at: this.#clock.elapsed() };
    const end = (): void => {
      this.#creating--;
      this.#heard = { any: true, at: this.#clock.elapsed() };
    };
    return { end };
  }

  /** Calls that wait for their turn. */
  get waiting(): number {
    return this.#waiting.first.length + this.#waiting.creates.length;
  }

  #crowded(): number {
    const { rate, crowd } = this.#options;
    const now = this.#clock.elapsed();
    if (this.#waiting.creates.length >= crowd) {
      this.#slot = Math.max(this.#slot, now + (this.#waiting.creates.length * 1_000) / rate) + 1_000 / rate;
      return this.#slot - now;
    }
    const { any, at } = this.#heard;
    // Not before the first answer shows that it is there at all; nor when there is none any more.
    if (this.#creating < crowd || (any && now - at <= SILENCE)) return 0;
    return Math.min(LOOK_AGAIN.longest, Math.max(LOOK_AGAIN.first, now - at)) * (0.5 + this.#clock.random());
  }

  #closedFor(): number {
    return this.#closedUntil - this.#clock.elapsed();
  }

  #token(create: boolean): Promise<void> {
    this.#fill();
    const { first, creates } = this.#waiting;
    if (this.#tokens >= 1 && first.length === 0 && creates.length === 0) {
      this.#tokens -= 1;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      (create ? creates : first).push(resolve);
      this.#arm();
    });
  }

  #fill(): void {
    const now = this.#clock.elapsed();
    const { rate, burst } = this.#options;
    const since = Math.max(0, now - this.#filledAt);
    this.#tokens = Math.min(Math.max(1, burst), this.#tokens + (since / 1_000) * rate);
    this.#filledAt += since;
  }

  /** Wakes when the next token is there and the server is open. */
  #arm(): void {
    this.#timer?.cancel();
    const { first, creates } = this.#waiting;
    if (first.length + creates.length === 0) return;
    const next = ((1 - this.#tokens) / this.#options.rate) * 1_000;
    this.#timer = this.#clock.after(Math.max(0, next, this.#closedFor()), () => this.#release());
  }

  #release(): void {
    this.#fill();
    const { first, creates } = this.#waiting;
    while (this.#tokens >= 1 && this.#closedFor() <= 0 && first.length + creates.length > 0) {
      const createsTurn = first.length === 0 || (creates.length > 0 && ++this.#turn % CREATES_SHARE === 0);
      const go = (createsTurn ? creates : first).shift();
      this.#tokens -= 1;
      go?.();
    }
    this.#arm();
  }
}
