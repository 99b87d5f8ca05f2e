// Admission: who of those that wait goes next. Oldest first within an orchestrator (higher priority before), in turn between
// orchestrators, and no more than every gate lets through. The queue stays in the database; what is in flight is observed.
import type { Clock, Timer } from "../clock.ts";
import type { Observed } from "../clusters/observed.ts";
import type { Line, Waiting } from "../operations/line.ts";
import { type Gate, narrowest, type Why } from "./gate.ts";
import { Lines } from "./lines.ts";
import type { Places, Tally } from "./places.ts";

export type AdmissionOptions = {
  readonly operations: { readonly lines: (targets: readonly string[], length: number) => Promise<Line[]> };
  /** instance_ids of the active orchestrators. */
  readonly targets: () => readonly string[];
  readonly observed: Pick<Observed, "liveJobs">;
  readonly places: Places;
  readonly gates: readonly Gate[];
  /** Whether orchestrators share places: then the one with the fewest in flight goes first, else each in its turn. */
  readonly shared: boolean;
  /** The cluster of an orchestrator, as far as it is known. */
  readonly clusterOf: (orchestrator: string) => string | undefined;
  /** Whether places may be given: not by a standby. */
  readonly active: () => boolean;
  /** Works on one that was given a place. */
  readonly go: (id: string) => void;
  /** How many may have a place and wait for their claim at the most. */
  readonly underway: number;
  /** Wakes whoever tells those that wait, when a gate is closed. */
  readonly onClosed: () => void;
  readonly onError: (error: unknown) => void;
  readonly clock: Pick<Clock, "now" | "elapsed" | "after">;
};

/** A pass looks at all that is in flight: it rests three times as long as it took, and longer while nobody waits (ms). */
const REST = { factor: 3, least: 5, idle: 500, closed: 1_000 };
/** Reading who waits is left to the sweep for ten times as long as it took. */
const LOOK_FACTOR = 10;

export class Admission {
  readonly #options: AdmissionOptions;
  readonly #clock: AdmissionOptions["clock"];
  readonly #lines = new Lines();
  #closed = new Map<string, Why & { readonly gate: string }>();
  #turn = "";
  #timer: Timer | undefined;
  #rest = { since: 0, ms: 0 };
  #filling: Promise<void> | undefined;
  #lookAgainAt = 0;
  #open = true;
  /** Before it is known what is in flight, and then who waits, no place is given. */
  #known = false;
  #ready = false;

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#clock = options.clock;
  }

  /** Targets whose operations may be claimed as soon as they are seen: nobody waits there, and no gate minds. */
  onSight(): readonly string[] {
    const { targets, places, gates, clusterOf } = this.#options;
    if (!this.#mayGive || places.granted >= this.#options.underway) return [];
    const nobody = { total: 0, orchestrators: new Map(), clusters: new Map() };
    return targets().filter((orchestrator) => {
      if (this.#lines.waits(orchestrator)) return false;
      return (
        narrowest(gates, { orchestrator, cluster: clusterOf(orchestrator) }, nobody, this.#clock.now()).room ===
        Infinity
      );
    });
  }

  /** What is in flight is known now: with the next reading of who waits it begins. */
  begin(): void {
    this.#known = true;
  }

  /** One waits. `kept`: it is claimed already, but was put off before it had a Job. */
  offer(target: string, waiting: Waiting, kept: boolean): void {
    if (this.#options.places.has(waiting.id)) return;
    this.#lines.offer(target, waiting, { kept, length: Lines.length(this.#options.targets().length) });
    this.poke();
  }

  /** Reads from the database who waits. */
  refill(): Promise<void> {
    return this.#fill(this.#options.targets()).then(() => this.poke());
  }

  /** As `refill`, but not more often than the database bears. */
  async look(): Promise<void> {
    if (this.#clock.elapsed() > this.#lookAgainAt) await this.refill();
  }

  /** Something may be possible now that was not before. Cheap; passes do not follow one another at once. */
  poke(): void {
    if (!this.#mayGive) return;
    const rest = this.#lines.size > 0 || this.#closed.size > 0 ? this.#rest.ms : Math.max(REST.idle, this.#rest.ms);
    this.#wake(this.#rest.since + rest - this.#clock.elapsed());
  }

  /** Orchestrators for which somebody waits at a closed gate, and why. */
  get closed(): ReadonlyMap<string, Why & { readonly gate: string }> {
    return this.#closed;
  }

  /** Ids in memory. */
  get size(): number {
    return this.#lines.size;
  }

  /** Forgets who waits, and waits for the next `begin`. */
  clear(): void {
    this.#known = false;
    this.#ready = false;
    this.#lines.clear();
    this.#closed.clear();
  }

  close(): void {
    this.#open = false;
    this.#timer?.cancel();
  }

  #pass(): void {
    if (!this.#mayGive) return;
    const { targets, observed, places, gates, onClosed, onError } = this.#options;
    const begun = this.#clock.elapsed();
    this.#lines.retain(targets());
    const jobs = [...observed.liveJobs()];
    const usage = places.usage(jobs);
    for (const gate of gates) gate.update?.(usage, jobs, this.#clock.now());
    this.#grantAll(usage);
    if (this.#closed.size > 0) onClosed();
    const dry = targets().filter((target) => this.#lines.isDry(target));
    if (dry.length > 0) void this.#fill(dry).then(() => this.poke(), onError);
    const ended = this.#clock.elapsed();
    this.#rest = { since: ended, ms: Math.max(REST.least, (ended - begun) * REST.factor) };
    // Gates open by time as well, and not everything that frees a place is told as a hint.
    if (this.#closed.size > 0) this.#wake(REST.closed);
  }

  #wake(ms: number): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.after(Math.max(0, ms), () => this.#pass());
  }

  get #mayGive(): boolean {
    return this.#open && this.#ready && this.#options.active();
  }

  #grantAll(usage: Tally): void {
    const { places, gates, clusterOf, go, underway } = this.#options;
    this.#closed = new Map();
    for (let free = underway - places.granted; free > 0; ) {
      const orchestrator = this.#next(usage);
      if (orchestrator === undefined) return;
      const waiting = this.#lines.take(orchestrator);
      if (waiting === undefined || places.has(waiting.id)) continue;
      const place = { orchestrator, cluster: clusterOf(orchestrator) };
      places.grant(waiting.id, place);
      usage.add(place, "undecided");
      for (const gate of gates) gate.took?.(place, waiting.id, this.#clock.now());
      this.#turn = orchestrator;
      free--;
      go(waiting.id);
    }
  }

  /** Whose turn it is: the first after the last one, or the one with the fewest in flight where places are shared. */
  #next(usage: Tally): string | undefined {
    const { targets, gates, shared, clusterOf } = this.#options;
    const all = targets();
    const after = all.indexOf(this.#turn) + 1;
    let best: string | undefined;
    for (const orchestrator of [...all.slice(after), ...all.slice(0, after)]) {
      if (this.#closed.has(orchestrator) || this.#lines.next(orchestrator) === undefined) continue;
      const verdict = narrowest(gates, { orchestrator, cluster: clusterOf(orchestrator) }, usage, this.#clock.now());
      if (verdict.room < 1) this.#closed.set(orchestrator, { ...verdict.why, gate: verdict.gate });
      else if (!shared) return orchestrator;
      else if (best === undefined || usage.of(orchestrator).inFlight < usage.of(best).inFlight) best = orchestrator;
    }
    return best;
  }

  /** One reading at a time: of two callers the second waits for the first, and reads again. */
  async #fill(targets: readonly string[]): Promise<void> {
    while (this.#filling !== undefined) await this.#filling.catch(() => undefined);
    this.#filling = this.#read(targets);
    try {
      await this.#filling;
    } finally {
      this.#filling = undefined;
    }
  }

  async #read(targets: readonly string[]): Promise<void> {
    const { operations, places } = this.#options;
    const begun = this.#clock.elapsed();
    const known = this.#known;
    this.#lines.begin();
    const length = Lines.length(this.#options.targets().length);
    const found = targets.length === 0 ? [] : await operations.lines(targets, length);
    this.#lines.fill(targets, found, (id) => places.has(id));
    const ended = this.#clock.elapsed();
    if (known && this.#known) this.#ready = true;
    this.#lookAgainAt = ended + (ended - begun) * LOOK_FACTOR;
  }
}
