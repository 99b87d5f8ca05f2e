// The feeds: follows records, secrets and operations until it is told to stop. Each feeds the same two roads with hints.
// Work begins when the records are known: without them no operation is ours.
import type { Collection, Document, MongoClient } from "mongodb";
import { followChanges } from "./changes.ts";
import type { Clock } from "./clock.ts";
import { databaseError } from "./database.ts";
import { followFiles } from "./files.ts";
import { Lanes } from "./lanes.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import { followOperations } from "./operations/feed.ts";
import type { Operations } from "./operations/mongo.ts";
import type { OperationDocument } from "./operations/operation.ts";
import type { Sweep } from "./sweep.ts";

/** For readiness: whether the first scan of the operations is done, and which collections' changes are cut off. */
export type FeedState = { scanned: boolean; readonly cut: Set<string> };

export type FeedsOptions = {
  readonly client: MongoClient;
  readonly collections: {
    readonly operations: Collection<OperationDocument>;
    readonly orchestrators: Collection<Document>;
    readonly secrets: Collection<Document>;
  };
  readonly operations: Pick<Operations, "ended">;
  readonly mode: "auto" | "stream" | "poll";
  readonly pollMs: number;
  /** Changes whenever a file that opjob reads may have: an encryption key, a template. */
  readonly files: () => Promise<string>;
  readonly targets: () => readonly string[];
  readonly live: () => readonly string[];
  readonly look: () => Promise<void>;
  readonly hint: (id: string) => void;
  /** Reads records and secrets anew; true: a record changed. */
  readonly reload: () => Promise<boolean>;
  readonly sweep: Sweep;
  /** Records, secrets or files were changed: what waits for a fault is tried again. */
  readonly retry: () => void;
  readonly state: FeedState;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly clock: Clock;
  readonly signal: AbortSignal;
};

/** How often records and secrets are read again where there are no change streams (ms). */
const RECORDS_POLL = 2_000;

/** Resolves when the signal is aborted and everything is closed; never throws. */
export async function followAll(options: FeedsOptions): Promise<void> {
  const { collections, sweep, state, signal, log, clock, pollMs, reload } = options;
  const first = Promise.withResolvers<void>();
  if (signal.aborted) return;
  signal.addEventListener("abort", () => first.resolve(), { once: true });

  let scanning = false;
  /**
   * Whatever was held may go on now. A sweep under way has read whose operations are ours before this: by it alone those of a new
   * orchestrator would wait for the next one. The first of all is still to come as long as nobody scans.
   */
  const again = async (): Promise<void> => {
    await reload();
    options.retry();
    if (scanning) await sweep.anew();
  };
  // One reading at a time, and one more after the last hint: a burst of changes is read once or twice.
  const readings = new Lanes({
    work: () => again().then(() => undefined),
    concurrency: 1,
    clock,
    onError: (_, error) => {
      const { code, message } = databaseError(error);
      log.warn({ code, error: message }, "records could not be read again now");
    },
  });
  const records = (collection: Collection<Document>) =>
    followChanges({
      ...options,
      collection,
      pipeline: [{ $project: { operationType: 1, documentKey: 1 } }],
      onChange: () => readings.hint("records"),
      scan: async () => {
        await again();
        first.resolve();
      },
      poll: async () => {
        if (!(await reload())) return;
        options.retry();
        await sweep.anew();
      },
      pollMs: Math.max(RECORDS_POLL, pollMs),
      onState: stateOf(collection, options),
    });
  const following = [records(collections.orchestrators), records(collections.secrets)];
  await first.promise;
  if (!signal.aborted) {
    following.push(
      followOperations({
        ...options,
        collection: collections.operations as unknown as Collection<Document>,
        scan: async () => {
          scanning = true;
          // One that began before the stream did may have missed what nobody tells of.
          await sweep.anew();
          if (!state.scanned) log.info({ orchestrators: options.targets() }, "first scan done");
          state.scanned = true;
        },
        onState: stateOf(collections.operations, options),
      }),
    );
    following.push(followFiles({ version: options.files, onChange: () => readings.hint("records"), signal, clock }));
    sweep.start();
  }
  await Promise.all(following);
  await readings.close();
}

function stateOf({ collectionName: collection }: { collectionName: string }, { state, metrics }: FeedsOptions) {
  return (now: "following" | "cut"): void => {
    metrics.changes.set({ collection }, now === "following" ? 1 : 0);
    if (now === "following") state.cut.delete(collection);
    else state.cut.add(collection);
  };
}
