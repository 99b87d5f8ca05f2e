// The sweep: finds whatever no hint told of, and feeds the same two roads. A timetable drives it; it changes nothing itself.
import { databaseError } from "./database.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import type { Operations } from "./operations/mongo.ts";
import type { Timetable } from "./timetable.ts";

export type SweepOptions = {
  readonly cron: string;
  readonly timetable: Timetable;
  readonly operations: Pick<Operations, "unclaimed" | "claimed" | "ended">;
  readonly targets: () => readonly string[];
  /** Ids of operations with a Job that still lives. */
  readonly live: () => readonly string[];
  readonly hint: (id: string) => void;
  /** Reads again what no change stream may have told of. */
  readonly reload: () => Promise<unknown>;
  readonly metrics: Metrics;
  readonly log: Log;
};

export type Sweep = { run(): Promise<void>; start(): void; stop(): Promise<void> };

export function createSweep(options: SweepOptions): Sweep {
  const { operations, hint, metrics, log } = options;
  let task: ReturnType<Timetable> | undefined;
  let running: Promise<void> | undefined;

  /**
   * Hints: queued work, oldest first; work in hand of which no live Job is seen; and live Jobs whose operation has ended.
   * A live Job is watched, and its timers are set: it needs no look.
   */
  const once = async (): Promise<void> => {
    for await (const id of operations.unclaimed(options.targets())) hint(id);
    const live = new Set(options.live());
    for await (const id of operations.claimed()) if (!live.has(id)) hint(id);
    for (const id of await operations.ended([...live])) hint(id);
  };
  /** A second caller waits for the sweep under way. */
  const run = (): Promise<void> => {
    running ??= once().finally(() => {
      running = undefined;
    });
    return running;
  };
  const tick = async (): Promise<void> => {
    try {
      await options.reload();
      await run();
      metrics.sweeps.inc({ result: "done" });
    } catch (error) {
      metrics.sweeps.inc({ result: "failed" });
      const { code, message } = databaseError(error);
      log.warn({ code, error: message }, "sweep failed");
    }
  };
  return {
    run,
    start() {
      task = options.timetable(options, tick);
    },
    async stop() {
      await task?.stop();
      await running?.catch(() => undefined);
    },
  };
}
