// The rounds: what looks at everything again, from time to time: the records, and with the sweep the work itself. Joins rooms and
// decides nothing.

import { type CleanupOptions, createCleanup } from "./cleanup.ts";
import type { Pool } from "./clusters/pool.ts";
import { patienceOf } from "./config.ts";
import type { DaemonOptions } from "./daemon.ts";
import type { DeleteJob } from "./deletion.ts";
import type { Metrics } from "./metrics.ts";
import type { Fence } from "./operations/fence.ts";
import type { Outside } from "./outside.ts";
import type { Queue } from "./queue/queue.ts";
import { createSeen } from "./queueing.ts";
import type { Ration } from "./ration.ts";
import { createRefreshes } from "./refreshes.ts";
import { createReload } from "./reload.ts";
import type { Rooms } from "./rooms.ts";
import { createSweep } from "./sweep.ts";
import { createWarm } from "./warm.ts";

type Roaming = Pick<DaemonOptions, "config" | "log"> & { readonly outside: Outside };

type Rounded = {
  readonly metrics: Metrics;
  readonly queue: Queue;
  /** Whether operations are worked on. */
  readonly active: () => boolean;
  readonly hint: (id: string) => void;
  readonly watch: Pool["watch"];
  readonly fence: Fence;
  readonly deleteJob: DeleteJob;
  /** Of deletions. */
  readonly ration: Ration;
};

/** Of the operations that were written to last, so many are looked at for an end that nobody recorded. */
const LATEST = 1_000;

const overlookedIn =
  ({ operations, directory }: Rooms, now: () => number) =>
  (ms: number): Promise<string[]> =>
    operations.overlooked({ targets: directory.targets(), since: new Date(now() - ms), most: LATEST });

export function openRounds({ config, log, outside }: Roaming, rooms: Rooms, rounded: Rounded) {
  const { metrics, queue, active, hint, watch, fence, deleteJob, ration } = rounded;
  const { operations, observed, directory, pool, placer } = rooms;
  const warm = createWarm({
    orchestrators: () => directory.ids(),
    isActive: (id) => directory.isActive(id),
    placer,
    watch,
    retain: (keys) => pool.retain(keys),
    readsLogs: config.logTailLines > 0,
    metrics,
    log,
    clock: outside.clock,
    now: outside.clock.now,
    random: outside.clock.random,
  });
  const refreshes = createRefreshes({
    ...rooms,
    ...outside,
    database: rooms.instance,
    config,
    active,
    guard: fence.require,
    patience: patienceOf(config),
    metrics,
    log,
  });
  const reload = createReload(directory, async () => void (await Promise.all([warm.run(), refreshes.look()])));
  const live = (): string[] => observed.live();
  const seen = createSeen(config, rooms, outside.clock);
  const cleanup = createCleanup({
    ...rooms,
    database: rooms.instance,
    mode: config.cleanup as CleanupOptions["mode"],
    keptMs: config.cleanupAfterSeconds * 1_000,
    ration,
    active,
    deleteJob,
    metrics,
    log,
    now: outside.clock.now,
  });
  const sweep = createSweep({
    operations,
    queue,
    active,
    seen,
    metrics,
    log,
    cron: config.sweepCron,
    timetable: outside.timetable,
    live,
    known: () => observed.known(),
    overlooked: overlookedIn(rooms, outside.clock.now),
    hint,
    reload,
    tidy: (signal) => cleanup.run(signal),
  });
  return { sweep, warm, refreshes, reload, live };
}
