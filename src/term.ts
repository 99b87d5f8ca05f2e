// The term: what begins and ends with leadership. A standby has everything open and looks at nothing; whoever comes to lead takes
// over what is in hand, and then looks at all of it. Knows the roads by what it starts and stops of them.
import type { Clock } from "./clock.ts";
import { databaseError } from "./database.ts";
import { OpjobError } from "./errors.ts";
import type { FeedState } from "./feeds.ts";
import type { Lanes } from "./lanes.ts";
import type { Log } from "./log.ts";
import type { Fence } from "./operations/fence.ts";
import type { Operations } from "./operations/mongo.ts";
import type { Queue } from "./queue/queue.ts";
import type { Sweep } from "./sweep.ts";

export type Role = "alone" | "leader" | "standby";

export type TermParts = {
  readonly operations: Pick<Operations, "takeOver">;
  readonly lanes: Lanes;
  readonly queue: Pick<Queue, "clear">;
  readonly sweep: Pick<Sweep, "firstOfTerm">;
  readonly state: FeedState;
};

/** Between two tries to take over, and two looks at whether the first scan is done (ms). */
const AGAIN = 100;

export class Term {
  readonly #clock: Clock;
  readonly #log: Log;
  /** Whether leadership is held, by this process's own clock; undefined: no Lease is used. */
  #holds: (() => boolean) | undefined;
  #epoch: number | undefined;
  /** Writes may be made; before, what was judged in an earlier term may still be in hand. */
  #open: boolean;
  #active: boolean;

  constructor({ alone, clock, log }: { readonly alone: boolean; readonly clock: Clock; readonly log: Log }) {
    this.#open = alone;
    this.#active = alone;
    this.#holds = alone ? undefined : () => false;
    this.#clock = clock;
    this.#log = log;
  }

  get role(): Role {
    if (this.#holds === undefined) return "alone";
    return this.active ? "leader" : "standby";
  }

  /** Whether operations are worked on. */
  get active(): boolean {
    return this.#active && (this.#holds?.() ?? true);
  }

  /** Its term goes on, and it does not know now whether it leads: its Lease could not be renewed in time. */
  get wavers(): boolean {
    return this.#active && !this.active;
  }

  /** What every write, and whatever is done to a cluster, is held by. */
  readonly fence: Fence = {
    epoch: () => this.#epoch,
    require: () => {
      if (this.#open && (this.#holds?.() ?? true)) return;
      throw new OpjobError("LEADERSHIP_LOST", "This replica does not lead (any more).");
    },
  };

  /** By whose leave it acts. */
  heldBy(holds: () => boolean): void {
    this.#holds = holds;
  }

  /** Takes over. Resolves when all that there is to do was looked at, or leadership was lost meanwhile. */
  async begin(epoch: number, { operations, lanes, queue, sweep, state }: TermParts): Promise<void> {
    this.#epoch = epoch;
    const holds = (): boolean => this.#epoch === epoch && (this.#holds?.() ?? false);
    while (holds() && lanes.busy > 0) await this.#clock.sleep(AGAIN, NEVER);
    this.#open = true;
    await this.#untilDone(holds, () => operations.takeOver(epoch));
    if (!holds()) return;
    queue.clear();
    this.#active = true;
    while (holds() && !state.scanned) await this.#clock.sleep(AGAIN, NEVER);
    await this.#untilDone(holds, () => sweep.firstOfTerm());
  }

  /** What is in hand runs into the fence; nothing more is begun. */
  end({ lanes, queue }: TermParts): void {
    this.#epoch = undefined;
    this.#open = false;
    this.#active = false;
    lanes.clear();
    queue.clear();
  }

  async #untilDone(holds: () => boolean, act: () => Promise<void>): Promise<void> {
    while (holds()) {
      try {
        return await act();
      } catch (thrown) {
        const { code, message } = databaseError(thrown);
        this.#log.warn({ code, error: message }, "what is in hand could not be taken over now");
        await this.#clock.sleep(AGAIN, NEVER);
      }
    }
  }
}

const NEVER = new AbortController().signal;
