// Leadership: of several replicas one leads, by a Lease. No clock of another machine is trusted: a Lease has run out when this
// process itself has seen no change of it for its whole duration, and a leader holds it for a while after its own last renewal.
// Knows the Lease through its door; nothing of what a leader does.
import type { Clock } from "./clock.ts";
import type { Lease, LeaseDoor } from "./clusters/lease.ts";
import { asOpjobError, OpjobError } from "./errors.ts";
import type { Log } from "./log.ts";

export type LeadershipOptions = {
  readonly door: LeaseDoor;
  /** Of this process, and of no other that ever was. */
  readonly identity: string;
  /** Fingerprint of our database: another opjob's Lease is not ours to take. */
  readonly instance: string;
  /** The latest epoch by which anything in hand was written; 0: none. @throws where that cannot be read now */
  readonly latestEpoch: () => Promise<number>;
  /** Leadership begins; it may take its time, and must look whether leadership is still held. */
  readonly begin: (epoch: number) => Promise<void>;
  /** Leadership was lost. */
  readonly end: () => void;
  readonly clock: Clock;
  readonly log: Log;
};

/**
 * As Kubernetes' own components (ms). Others wait for `lease`; whoever leads gives up after `deadline` without a renewal: between the
 * two lies what an act that has begun may take.
 */
export const TIMES = { lease: 15_000, deadline: 10_000, renew: 5_000, retry: 1_000 };

/** Epochs are seconds since this moment, or one more than the last: they rise even if somebody deletes the Lease. */
const EPOCHS_BEGIN = Date.UTC(2024, 0, 1);
/** Standbys do not all come in the same moment (ms). */
const SPREAD = 500;

export class Leadership {
  readonly #options: LeadershipOptions;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  #lease: Lease | undefined;
  /** The Lease as it was last seen to change, and when that was. */
  #seen = { version: "", at: 0 };
  /** The latest epoch that the Lease was seen to have, and until when whoever had it may believe to lead. */
  #last = { epoch: 0, until: 0 };
  #acquiredAt = 0;
  #renewedAt = Number.NEGATIVE_INFINITY;
  #fault: OpjobError | undefined;

  constructor(options: LeadershipOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Whether leadership is held now, by this process's own clock alone. */
  holds(): boolean {
    return this.#options.clock.elapsed() < this.#renewedAt + TIMES.deadline;
  }

  /** Why the Lease cannot be read or written now. */
  get fault(): OpjobError | undefined {
    return this.#fault;
  }

  /** Gives the Lease back, so that a standby need not wait for its end. Nothing is held any more. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    const { door, log } = this.#options;
    const lease = this.holds() ? this.#lease : undefined;
    this.#renewedAt = Number.NEGATIVE_INFINITY;
    try {
      if (lease !== undefined)
        await door.put(lease, this.#claim({ holder: "", durationMs: 1_000, epoch: lease.epoch }));
    } catch (error) {
      log.warn({ error: asOpjobError(error).message }, "the Lease could not be given back: it runs out by itself");
    }
    await door.close();
  }

  async #run(): Promise<void> {
    const { begin, end, log } = this.#options;
    while (!this.#stop.signal.aborted) {
      const lease = await this.#campaign();
      if (lease === undefined) return;
      log.info({ epoch: lease.epoch }, "leads from now on");
      const begun = begin(lease.epoch).catch((error: unknown) =>
        log.error({ error: asOpjobError(error).message }, "leadership could not begin"),
      );
      await this.#reign();
      if (this.#stop.signal.aborted) return;
      this.#renewedAt = Number.NEGATIVE_INFINITY;
      log.warn({ epoch: lease.epoch }, "leads no more");
      end();
      await begun;
    }
  }

  /** Waits for the Lease. undefined: it is told to stop. */
  async #campaign(): Promise<Lease | undefined> {
    const { door } = this.#options;
    const { signal } = this.#stop;
    this.#seen = { version: "", at: 0 };
    while (!signal.aborted) {
      try {
        const lease = await door.get();
        this.#requireOurs(lease);
        const rest = this.#restOf(lease);
        if (rest > 0) await this.#wait(lease, rest);
        else if (await this.#take(lease)) return this.#lease;
        this.#fault = undefined;
      } catch (error) {
        await this.#meet(error);
      }
    }
    return undefined;
  }

  /** How long the Lease holds if nobody renews it: from when this process saw its last change, whatever its own times say. */
  #restOf(lease: Lease | undefined): number {
    const now = this.#options.clock.elapsed();
    // Somebody deleted it: who held it learns that only when it is to be renewed.
    if (lease === undefined) return this.#last.until - now;
    this.#last.epoch = Math.max(this.#last.epoch, lease.epoch);
    // Nobody took what this very process could not renew in time.
    const free = lease.holder === "" || lease.holder === this.#options.identity;
    if (lease.version !== this.#seen.version) this.#seen = { version: lease.version, at: now };
    this.#last.until = free ? now : this.#seen.at + lease.durationMs;
    return this.#last.until - now;
  }

  async #wait(lease: Lease | undefined, rest: number): Promise<void> {
    const { door, clock } = this.#options;
    const { signal } = this.#stop;
    if (lease === undefined) await clock.sleep(Math.min(rest, TIMES.retry), signal);
    else await door.changed(lease, rest + clock.random() * SPREAD, signal);
  }

  /** Its epoch is above every other that there was, also where the Lease was deleted or clocks differ. */
  async #take(lease: Lease | undefined): Promise<boolean> {
    const { door, identity, latestEpoch, clock } = this.#options;
    const before = Math.max(this.#last.epoch, await latestEpoch());
    const at = clock.elapsed();
    const epoch = Math.max(before + 1, Math.floor((clock.now() - EPOCHS_BEGIN) / 1_000));
    this.#acquiredAt = clock.now();
    this.#lease = await door.put(lease, this.#claim({ holder: identity, durationMs: TIMES.lease, epoch }));
    if (this.#lease === undefined) return false;
    this.#last.epoch = epoch;
    this.#renewedAt = at;
    return true;
  }

  /** Renews until leadership is lost, or it is told to stop. */
  async #reign(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#stop;
    let pause = TIMES.renew;
    while (this.#lease !== undefined) {
      await clock.sleep(pause, signal);
      // A process that was stopped for a while finds here that its time is over.
      if (signal.aborted || !this.holds()) return;
      try {
        pause = (await this.#renew()) ? TIMES.renew : 0;
        this.#fault = undefined;
      } catch (error) {
        pause = TIMES.retry;
        this.#tell(error);
      }
    }
  }

  /** false: somebody changed the Lease, who did not take it. Once somebody has taken it there is none. */
  async #renew(): Promise<boolean> {
    const { door, identity, clock } = this.#options;
    const at = clock.elapsed();
    const { holder = identity, epoch = 0 } = this.#lease ?? {};
    const renewed = await door.put(this.#lease, this.#claim({ holder, durationMs: TIMES.lease, epoch }));
    if (renewed !== undefined) {
      this.#lease = renewed;
      this.#renewedAt = at;
      return true;
    }
    const now = await door.get();
    this.#lease = now?.holder === identity ? now : undefined;
    return false;
  }

  #claim(claim: { readonly holder: string; readonly durationMs: number; readonly epoch: number }) {
    const { instance, clock } = this.#options;
    return { ...claim, instance, acquiredAt: this.#acquiredAt, renewedAt: clock.now() };
  }

  /** Two opjobs of one Lease would take turns with two databases, and one of them would wait for ever. */
  #requireOurs(lease: Lease | undefined): void {
    if (lease === undefined || lease.instance === "" || lease.instance === this.#options.instance) return;
    const message = `The Lease belongs to another opjob (instance ${lease.instance}), which works on another database.`;
    throw new OpjobError("LEASE_NOT_OURS", message);
  }

  async #meet(error: unknown): Promise<void> {
    const { clock } = this.#options;
    this.#tell(error);
    await clock.sleep(TIMES.retry * (0.5 + clock.random()), this.#stop.signal);
  }

  /** Each fault is told once. */
  #tell(thrown: unknown): void {
    const fault = asOpjobError(thrown);
    const { code, message, remedy } = fault;
    if (this.#fault?.message !== message) {
      this.#options.log.error({ code, error: message, remedy }, "the Lease cannot be held or waited for");
    }
    this.#fault = fault;
  }
}
