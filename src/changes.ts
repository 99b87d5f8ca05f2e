// Follows the changes of one collection: by a change stream where the server has them, by polling where not.
// A change is a hint: after whatever may have been missed (start, cut, aged-out token) `scan` looks at the truth again.
// Knows MongoDB's change streams and their errors; nothing of what the documents mean.
import {
  type ChangeStream,
  type ChangeStreamDocument,
  type Collection,
  type Document,
  type MongoClient,
  MongoServerError,
  Timestamp,
} from "mongodb";
import { type Clock, systemClock } from "./clock.ts";
import { databaseError } from "./database.ts";
import { asOpjobError } from "./errors.ts";
import type { Log } from "./log.ts";

export type ChangesOptions = {
  readonly client: MongoClient;
  readonly collection: Collection<Document>;
  /** Filters and strips the events on the server. */
  readonly pipeline: Document[];
  readonly onChange: (event: ChangeStreamDocument) => void;
  /** Reads the whole truth; called at the start and after every gap. What it throws makes the follower start again. */
  readonly scan: () => Promise<void>;
  /** One look where there are no change streams; `pollMs` between two. */
  readonly poll: () => Promise<void>;
  readonly pollMs: number;
  readonly mode: "auto" | "stream" | "poll";
  /** How it stands: for readiness and metrics. */
  readonly onState?: (state: "following" | "cut") => void;
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Default: the system's. */
  readonly clock?: Clock;
};

/** 40573: not a replica set. 13: this user may not open a change stream on the collection, but may well read it. */
const NO_STREAM = new Set([40573, 13]);
/** The resume token has aged out of the oplog: it will never work again. */
const HISTORY_LOST = 286;
const RETRY_MS = { first: 100, longest: 5_000 };

/** `token` goes on where the stream was cut; it is worth something only once everything before it was `scanned`. */
type Follower = { polling: boolean; failures: number; token: unknown; scanned: boolean };

/** Follows until the signal is aborted; never throws. Resolves when everything it opened is closed. */
export async function followChanges(options: ChangesOptions): Promise<void> {
  const follower: Follower = { polling: options.mode === "poll", failures: 0, token: undefined, scanned: false };
  while (!options.signal.aborted) {
    try {
      await (follower.polling ? pollUntilError(options, follower) : streamUntilCut(options, follower));
    } catch (error) {
      if (!options.signal.aborted) await recover(options, follower, error);
    }
  }
}

/** Decides how to go on after an error: by polling, from the last token, or with a new scan; and waits, longer each time. */
async function recover(options: ChangesOptions, follower: Follower, error: unknown): Promise<void> {
  const code = error instanceof MongoServerError ? Number(error.code) : undefined;
  const collection = options.collection.collectionName;
  if (!follower.polling && options.mode === "auto" && code !== undefined && NO_STREAM.has(code)) {
    follower.polling = true;
    options.log.info({ collection, reason: asOpjobError(error).message }, "no change stream here: polling instead");
    return;
  }
  if (code === HISTORY_LOST || follower.failures > 2) follower.token = undefined;
  options.onState?.("cut");
  const { random, sleep } = options.clock ?? systemClock;
  const wait = Math.min(RETRY_MS.longest, RETRY_MS.first * 2 ** follower.failures++) * (0.5 + random());
  const { code: fault, message, remedy } = databaseError(error);
  options.log.warn({ collection, code: fault, error: message, remedy, again_ms: Math.round(wait) }, "changes cut off");
  await sleep(wait, options.signal);
}

async function pollUntilError(
  { scan, poll, pollMs, onState, signal, clock = systemClock }: ChangesOptions,
  follower: Follower,
): Promise<void> {
  await scan();
  onState?.("following");
  while (!signal.aborted) {
    await clock.sleep(pollMs, signal);
    if (!signal.aborted) await poll();
    follower.failures = 0;
  }
}

/**
 * The stream begins at a time before the scan, so that nothing falls between the two; with a token it goes on where the
 * last one was cut and needs no scan.
 */
async function streamUntilCut(options: ChangesOptions, follower: Follower): Promise<void> {
  const { collection, pipeline, signal, scan } = options;
  if (follower.token === undefined) follower.scanned = false;
  const start = follower.scanned ? { resumeAfter: follower.token } : await startingNow(options.client);
  const stream = collection.watch(pipeline, { ...start, maxAwaitTimeMS: 1_000 });
  const close = () => void stream.close().catch(() => undefined);
  signal.addEventListener("abort", close, { once: true });
  // Also while nothing changes: the server's tokens keep a quiet collection's stream from ageing out.
  stream.on("resumeTokenChanged", (token) => alive(token, options, follower));
  const scanning = follower.scanned ? undefined : scan().then(() => noteScan(options, follower));
  try {
    await Promise.all([deliver(stream, options), scanning]);
  } finally {
    signal.removeEventListener("abort", close);
    await stream.close().catch(() => undefined);
    // Two scans at once would both say that all is known; at the end nobody waits for the answer any more.
    if (!signal.aborted) await scanning?.catch(() => undefined);
  }
}

function noteScan({ onState, signal }: ChangesOptions, follower: Follower): void {
  if (signal.aborted) return;
  follower.scanned = true;
  onState?.("following");
}

function alive(token: unknown, { onState, signal }: ChangesOptions, follower: Follower): void {
  follower.token = token;
  if (!follower.scanned || signal.aborted) return;
  follower.failures = 0;
  onState?.("following");
}

async function deliver(stream: ChangeStream, options: ChangesOptions): Promise<void> {
  for await (const event of stream) options.onChange(event);
  if (!options.signal.aborted) throw new Error("the server closed the change stream");
}

/**
 * A stream from just after the server's present time misses nothing that a later read does not show. At that very time
 * stands the last write, which the read shows already: as an event it would go before all that is older.
 */
async function startingNow(client: MongoClient): Promise<{ startAtOperationTime?: Timestamp }> {
  return client.withSession(async (session) => {
    await client.db("admin").command({ ping: 1 }, { session });
    const time = session.operationTime;
    // A standalone has no operation time; opening a stream there gives the error that says so.
    return time === undefined ? {} : { startAtOperationTime: new Timestamp({ t: time.t, i: time.i + 1 }) };
  });
}
