// The soak: many operations through one daemon, and its memory and descriptors at the start, on the way and at the end; then
// start-up and latency with a million finished operations in the collection, against none; then a long queue.
// `npm run soak -- --operations N --finished N --queued N`; bounded in count and in time.
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { compareHistory, longQueue } from "./history.ts";
import { openStage, queue, type Scene, say, show, until } from "./stage.ts";
import type { Sample } from "./watched-daemon.ts";
import { playWorkers } from "./workers.ts";

const { values } = parseArgs({
  options: {
    operations: { type: "string", default: "10000" },
    finished: { type: "string", default: "1000000" },
    queued: { type: "string", default: "100000" },
  },
});
const [OPERATIONS, FINISHED, QUEUED] = [Number(values.operations), Number(values.finished), Number(values.queued)];
/** What counts as flat: between the first quarter and the end. */
const FLAT = { heap: 1.1, rss: 1.15, descriptors: 1.1 };
/**
 * Until what follows the last operation has come to rest, and kept connections that nobody uses are closed, which takes a minute: until
 * then descriptors tell how many calls there were at once (ms).
 */
const SETTLED_MS = 65_000;
/** So many entries more than after the first quarter are growth. */
const GROWN = 10;
const list = (all: readonly (readonly [string, number])[]): string =>
  all.map(([of, size]) => `${of} ${size}`).join(", ");

/** @returns whether it was flat */
async function soak({ db, start }: Scene): Promise<boolean> {
  await using daemon = await start();
  await using _ = playWorkers(db);
  const left = (): Promise<number> =>
    db.collection("delegated_ops").countDocuments({ run_state: { $in: ["queued", "running"] } });
  say(`soak, at the start: ${show(await daemon.sample())}`);
  const samples: Sample[] = [];
  const begun = performance.now();
  for (let quarter = 1; quarter <= 4; quarter++) {
    // In portions: a backlog of all would be a measure of the queue, not of time.
    for (let i = 0; i < 10; i++) {
      await queue(db, OPERATIONS / 40);
      await until("the portion has ended", async () => (await left()) === 0);
    }
    await sleep(SETTLED_MS);
    samples.push(await daemon.sample());
    say(`soak, after ${(OPERATIONS * quarter) / 4}: ${show(samples.at(-1) as Sample)}`);
  }
  say(`soak: ${OPERATIONS} operations in ${((performance.now() - begun) / 1_000).toFixed(0)} s`);
  const [first, last] = [samples[0] as Sample, samples.at(-1) as Sample];
  const ratios = {
    heap: last.heapMb / first.heapMb,
    rss: last.rssMb / first.rssMb,
    descriptors: last.descriptors / first.descriptors,
  };
  const flat = Object.entries(FLAT).every(([what, most]) => ratios[what as keyof typeof FLAT] <= most);
  const parts = Object.entries(ratios).map(([what, ratio]) => `${what} × ${ratio.toFixed(2)}`);
  say(`soak: from a quarter to the end ${parts.join(", ")}: ${flat ? "flat" : "NOT flat"}`);
  const grown = Object.entries(last.sizes).filter(([of, size]) => size > (first.sizes[of] ?? 0) + GROWN);
  say(`soak: in memory at the end ${list(Object.entries(last.sizes).filter(([, size]) => size > 0))}`);
  if (grown.length > 0) say(`soak: GROWN since a quarter: ${list(grown)}`);
  return flat && last.lanes === 0 && grown.length === 0;
}

async function main(): Promise<boolean> {
  await using stage = await openStage();
  const scene = await stage.scene("soaked");
  const flat = OPERATIONS === 0 || (await soak(scene));
  await scene.db.collection("delegated_ops").deleteMany({});
  const indexed = FINISHED === 0 || (await compareHistory(scene, await stage.scene("empty"), FINISHED));
  if (QUEUED > 0) await longQueue(scene, QUEUED);
  return flat && indexed;
}

process.exitCode = (await main()) ? 0 : 1;
