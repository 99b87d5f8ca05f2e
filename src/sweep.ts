// The sweep: finds whatever no hint told of, and feeds the same two roads. A timetable drives it; it changes nothing itself.
import { databaseError } from "./database.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import type { Operations } from "./operations/mongo.ts";
import type { Operation } from "./operations/operation.ts";
import type { Queue } from "./queue/queue.ts";
import type { Timetable } from "./timetable.ts";

export type SweepOptions = {
  readonly cron: string;
  readonly timetable: Timetable;
  readonly operations: Pick<Operations, "claimed" | "unrecorded">;
  readonly queue: Pick<Queue, "reconcile" | "refill">;
  /** Whether this daemon works on operations; else there is nothing to look for. */
  readonly active: () => boolean;
  /** Resolves when what lives in the clusters was seen once, as far as they answer. */
  readonly seen: () => Promise<void>;
  /** Ids of operations with a Job that still lives. */
  readonly live: () => readonly string[];
  /** Ids of operations with a Job that exists. */
  readonly known: () => readonly string[];
  /** Ids of operations that have ended within so long (ms), and nobody recorded it, as far as it is cheap to tell. */
  readonly overlooked: (ms: number) => Promise<readonly string[]>;
  readonly hint: (id: string) => void;
  /** Reads again what no change stream may have told of. */
  readonly reload: () => Promise<unknown>;
  /** Deletes what nothing else would ever remove, until it is told to stop. */
  readonly tidy: (signal: AbortSignal) => Promise<void>;
  readonly metrics: Metrics;
  readonly log: Log;
};

/**
 * How far back it is looked for operations whose end nobody recorded (ms): by who begins to work, and by every sweep, for a failover
 * may take such a record back, or a watch not have shown the Job, and then nothing is heard of it any more.
 */
const OVERLOOKED = { first: 86_400_000, later: 900_000 };

export type Sweep = {
  run(): Promise<void>;
  /** As `run`, but never one that has begun before. */
  anew(): Promise<void>;
  /** As `anew` when a term begins: as long as others led, nobody here set a timer for a Job of which no further event may come. */
  firstOfTerm(): Promise<void>;
  start(): void;
  stop(): Promise<void>;
  /** Resolves when no deletion of the sweep's is under way any more; a cluster that hangs may keep one for long. */
  tidied(): Promise<void>;
};

export function createSweep(options: SweepOptions): Sweep {
  const { operations, queue, hint, metrics, log } = options;
  let task: ReturnType<Timetable> | undefined;
  let running: Promise<void> | undefined;
  let tidying: Promise<void> | undefined;
  const stopping = new AbortController();
  /** A process that works on operations for the first time knows as little of what ended before as one that comes to lead. */
  let begun = false;

  /** Work in hand first: what is in flight must be known before more may go. Then who waits, and what outlived its operation. */
  const once = async (first: boolean): Promise<void> => {
    if (!options.active()) return;
    await options.seen();
    const live = new Set(options.live());
    // A Job may live although nothing is in hand: its operation has ended, or a worker runs it whose claim a failover took back.
    const strays = new Set(live);
    await queue.reconcile(inHand(options, { heardOf: first ? new Set() : live, strays }));
    await queue.refill();
    for (const id of strays) hint(id);
    // What ended while nobody led: neither its worker nor its Job will ever be heard of again. The Job may be gone by now.
    const ended = first ? await operations.unrecorded(options.known()) : [];
    const gone = await options.overlooked(first || !begun ? OVERLOOKED.first : OVERLOOKED.later);
    for (const id of [...ended, ...gone]) hint(id);
    begun = true;
  };
  /** A second caller waits for the sweep under way. */
  const run = (first = false): Promise<void> => {
    running ??= once(first).finally(() => {
      running = undefined;
    });
    return running;
  };
  const tick = async (): Promise<void> => {
    try {
      await options.reload();
      await run();
      tidying = options.tidy(stopping.signal);
      await tidying;
      metrics.sweeps.inc({ result: "done" });
    } catch (error) {
      metrics.sweeps.inc({ result: "failed" });
      const { code, message } = databaseError(error);
      log.warn({ code, error: message }, "sweep failed");
    }
  };
  const after = async (first: boolean): Promise<void> => {
    while (running !== undefined) await running.catch(() => undefined);
    await run(first);
  };
  return {
    run: () => run(),
    anew: () => after(false),
    firstOfTerm: () => after(true),
    start() {
      task = options.timetable(options, tick);
    },
    async stop() {
      stopping.abort();
      await task?.stop();
      await running?.catch(() => undefined);
    },
    async tidied() {
      await tidying?.catch(() => undefined);
    },
  };
}

type Strays = { readonly heardOf: ReadonlySet<string>; readonly strays: Set<string> };

/**
 * Work in hand; hints that of which nobody is sure to hear: a live Job is watched, and its timers are set.
 * What is in hand is taken out of `strays`.
 */
async function* inHand({ operations, hint }: SweepOptions, { heardOf, strays }: Strays): AsyncIterable<Operation> {
  for await (const operation of operations.claimed()) {
    strays.delete(operation.id);
    if (!heardOf.has(operation.id)) hint(operation.id);
    yield operation;
  }
}
