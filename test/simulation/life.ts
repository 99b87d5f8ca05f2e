// One life of a daemon: the real one of src/, on a clock of the simulation's and on lines that the plan may break. It can be
// killed at any call, stand still for a while, and go on as if nothing had been. Knows nothing of what the daemon does.
import type { Clock, Timer } from "../../src/clock.ts";
import type { Daemon } from "../../src/daemon.ts";
import type { Asked, Doing, Fate, Line } from "./calls.ts";
import type { Chance } from "./chance.ts";
import { NotSimulated } from "./not-simulated.ts";
import type { Kill } from "./plan.ts";
import type { Time } from "./time.ts";

export type LifeParts = {
  readonly name: string;
  readonly time: Time;
  readonly draw: Chance;
  readonly skewMs: number;
  /** How fast its own clock goes: 1, as true time does. That of the day is set right from time to time. */
  readonly rate: number;
  readonly kill: Kill | undefined;
  /** From then on nothing bad happens any more (ms since the beginning). */
  readonly horizonMs: number;
  readonly fateOf: (asked: Asked) => Fate;
  readonly note: (line: string) => void;
  readonly onDeath: () => void;
};

export class Life implements Line {
  readonly name: string;
  readonly clock: Clock;
  /** The running daemon, once it has started. */
  daemon: Daemon | undefined;
  readonly #parts: LifeParts;
  #dead = false;
  /** While it stands still: what it will find when it goes on. */
  #backlog: (() => void)[] | undefined;
  #calls = 0;
  /** Calls of the verb at which it is to die. */
  #ofVerb = 0;
  /** For how long its own clock stood still in all (ms), and since when it does. */
  #frozen = { ms: 0, since: undefined as number | undefined, until: Number.NEGATIVE_INFINITY };
  #stopped: number | undefined;
  /** Calls that were sent and have no answer yet. */
  readonly underway = new Set<Asked>();
  /** When it stood still for the last time, in true time. */
  lastPaused = Number.NEGATIVE_INFINITY;

  constructor(parts: LifeParts) {
    this.name = parts.name;
    this.#parts = parts;
    this.clock = {
      now: () => Math.floor(parts.time.now + parts.skewMs),
      elapsed: () => this.#elapsed(),
      random: parts.draw.next,
      after: (ms, call) => this.#timer(ms, call),
      sleep: (ms, signal) => this.#sleep(ms, signal),
    };
  }

  #elapsed(): number {
    const { time, rate } = this.#parts;
    const { ms, since = time.elapsed } = this.#frozen;
    return (since - ms) * rate;
  }

  get dead(): boolean {
    return this.#dead;
  }

  get calls(): number {
    return this.#calls;
  }

  /** For how long it has been told to stop, by its own clock (ms); -1: it has not. */
  get stoppedFor(): number {
    return this.#stopped === undefined ? -1 : this.#elapsed() - this.#stopped;
  }

  /** Not long ago its own clock stood still: it takes for present what is past. */
  get wasFrozen(): boolean {
    return this.#frozen.since !== undefined || this.#parts.time.elapsed - this.#frozen.until < 20_000;
  }

  /** As by SIGTERM. @returns when it has stopped */
  stop(): Promise<void> {
    this.#stopped ??= this.#elapsed();
    return this.daemon?.stop() ?? Promise.resolve();
  }

  now(): number {
    return this.#parts.time.now;
  }

  /** SIGKILL: nothing reaches it any more. What it has sent is on its way all the same. */
  die(): void {
    if (this.#dead) return;
    this.#dead = true;
    this.#backlog = undefined;
    this.#parts.note(`${this.name} dies after ${this.#calls} calls`);
    this.#parts.onDeath();
  }

  /** SIGSTOP, and SIGCONT after so many milliseconds. @param frozen its own clock stands still as well */
  pause(ms: number, frozen = false): void {
    if (this.#dead || this.#backlog !== undefined) return;
    this.#backlog = [];
    this.#parts.note(`${this.name} stands still for ${ms} ms`);
    this.lastPaused = this.#parts.time.now + ms;
    if (frozen) this.#frozen.since = this.#parts.time.elapsed;
    this.#parts.time.after(ms, () => {
      const backlog = this.#backlog;
      this.#backlog = undefined;
      const until = this.#parts.time.elapsed;
      if (frozen) this.#frozen = { ms: this.#frozen.ms + ms, since: undefined, until };
      if (this.#dead || backlog === undefined) return;
      this.#parts.note(`${this.name} goes on`);
      for (const call of backlog) this.#parts.time.after(0, () => this.#reach(call));
    });
  }

  call<T>(asked: Asked, doing: Doing<T>): Promise<T> {
    const { time, kill, fateOf, note } = this.#parts;
    if (this.#dead) return never();
    const nth = ++this.#calls;
    const dies = kill !== undefined && this.#isAt(kill, asked.verb);
    if (dies && kill.side === "before") {
      this.die();
      return never();
    }
    const fate = fateOf(asked);
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.underway.add(asked);
    const answer = (ms: number, call: () => void): void =>
      void time.after(ms, () =>
        this.#reach(() => {
          this.underway.delete(asked);
          call();
        }),
      );
    const does = (leftOut: boolean, back: number | undefined): void => {
      const outcome = attempt(() => doing.effect(() => leftOut && this.#parts.draw.happens(0.5)));
      note(
        `${this.name} #${nth} ${asked.service} ${asked.verb} ${asked.about} ${fate.kind}${outcome.failed ? "!" : ""}`,
      );
      if (dies && kill.side === "after") this.die();
      if (back === undefined) return;
      answer(back, () => (outcome.failed ? reject(outcome.error as Error) : resolve(outcome.value as T)));
    };
    switch (fate.kind) {
      case "answered":
        time.after(fate.done, () => does(false, fate.back));
        break;
      case "lost":
        time.after(fate.done, () => does(true, undefined));
        answer(fate.done + fate.back, () => reject(doing.broken()));
        break;
      case "late":
        time.after(fate.done, () => does(false, undefined));
        answer(fate.back, () => reject(doing.broken()));
        break;
      case "unreachable":
        note(`${this.name} #${nth} ${asked.service} ${asked.verb} ${asked.about} unreachable`);
        answer(fate.back, () => reject(doing.broken()));
        break;
      case "refused":
        note(`${this.name} #${nth} ${asked.service} ${asked.verb} ${asked.about} ${fate.refusal}`);
        answer(fate.back, () => {
          const refused = attempt(() => doing.refuse(fate.refusal));
          if (refused.failed) reject(refused.error as Error);
          else resolve(refused.value as T);
        });
    }
    return promise;
  }

  #isAt({ call, verb }: Kill, made: string): boolean {
    if (this.#parts.time.elapsed >= this.#parts.horizonMs) return false;
    if (verb === undefined) return call === this.#calls;
    if (verb === made) this.#ofVerb++;
    return verb === made && call === this.#ofVerb;
  }

  tell(ms: number, call: () => void): void {
    if (!this.#dead) this.#parts.time.after(ms, () => this.#reach(call));
  }

  /** Something reaches the process: at once, when it goes on, or never. */
  #reach(call: () => void): void {
    if (this.#dead) return;
    if (this.#backlog) this.#backlog.push(call);
    else call();
  }

  #timer(ms: number, call: () => void): Timer {
    const { time, rate } = this.#parts;
    let generation = 0;
    let due = 0;
    const wait = (mine: number): void => {
      // A timer whose time has come while the process stood still can still be cancelled before it goes on.
      time.after((due - this.#elapsed()) / rate, () =>
        this.#reach(() => {
          if (mine !== generation) return;
          if (this.#elapsed() < due - 0.001) wait(mine);
          else call();
        }),
      );
    };
    const set = (): void => {
      due = this.#elapsed() + ms;
      wait(++generation);
    };
    if (!this.#dead) set();
    return {
      cancel: () => {
        generation++;
      },
      refresh: set,
    };
  }

  #sleep(ms: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (signal.aborted) resolve();
    const timer = this.#timer(ms, resolve);
    const wake = (): void => {
      timer.cancel();
      resolve();
    };
    signal.addEventListener("abort", wake, { once: true });
    void promise.then(() => signal.removeEventListener("abort", wake));
    return promise;
  }
}

const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

type Outcome<T> = { readonly failed: boolean; readonly value?: T; readonly error?: unknown };

function attempt<T>(act: () => T): Outcome<T> {
  try {
    return { failed: false, value: act() };
  } catch (error) {
    if (error instanceof NotSimulated) throw error;
    return { failed: true, error };
  }
}
