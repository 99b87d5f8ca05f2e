// The sizes of whatever lives as long as the daemon and grows, by name: for one metric, and for the test that keeps the list whole
// (test/sizes.test.ts). Knows the parts by what they say of themselves; bounds nothing.
import type { Lanes } from "./lanes.ts";
import type { Queue } from "./queue/queue.ts";
import type { Refreshes } from "./refreshes.ts";
import type { Rooms } from "./rooms.ts";
import type { Warm } from "./warm.ts";

export type Numbers = Readonly<Record<string, number>>;

export type Sized = {
  readonly lanes: Pick<Lanes, "size" | "waiting" | "busy">;
  readonly queue: Pick<Queue, "sizes" | "gates">;
  readonly warm: Pick<Warm, "sizes">;
  readonly refreshes: Pick<Refreshes, "sizes">;
  /** What the roads remember. */
  readonly memories: () => Numbers;
};

export function sizesOf(rooms: Rooms, { lanes, queue, warm, refreshes, memories }: Sized): Numbers {
  const { observed, pool, directory, placer, storage, secrets } = rooms;
  const { waiting: line, places, away } = queue.sizes();
  return {
    lanes: lanes.size,
    hints: lanes.waiting,
    busy: lanes.busy,
    line,
    places,
    away,
    ...Object.fromEntries(queue.gates().map(([name, size]) => [`gate_${name}`, size])),
    ...observed.sizes,
    ...pool.sizes,
    watches: pool.watches.total,
    ...directory.sizes,
    ...placer.sizes,
    texts: storage.size,
    ...warm.sizes(),
    ...refreshes.sizes(),
    ...memories(),
    secrets: secrets.size,
  };
}
