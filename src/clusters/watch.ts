// Follows one kind of object in one namespace: paginated LIST, then WATCH with bookmarks, for ever.
// Written by hand because the library's informer stops after one failed LIST or a cut socket and asks for no bookmarks.
// Knows the protocol; nothing of what the objects mean. Keeps no object: each is made into a view as it arrives.
import { type Clock, systemClock } from "../clock.ts";
import { asOpjobError, OpjobError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Cluster, RawObject, Resource } from "./kubernetes.ts";

export type WatchOptions<V> = {
  readonly cluster: Pick<Cluster, "listPage" | "watch" | "server">;
  readonly resource: Resource;
  readonly namespace: string;
  /** What is kept of an object; undefined: it is nothing to us. */
  readonly view: (raw: RawObject) => V | undefined;
  /** All views, after a complete LIST; what is missing in it is gone. */
  readonly onList: (views: readonly V[]) => void;
  readonly onChange: (view: V) => void;
  readonly onDelete: (view: V) => void;
  readonly onState: (state: "following" | "cut") => void;
  readonly signal: AbortSignal;
  readonly log: Log;
  /** No byte for so long (bookmarks come about every minute): the connection is dead. Milliseconds. */
  readonly silenceMs?: number;
  /** Default: the system's. */
  readonly clock?: Clock;
};

const RETRY = { first: 200, longest: 30_000 };
/** Rights that are missing, or a credential that is refused, do not come back within moments. */
const RETRY_REFUSED = { first: 2_000, longest: 60_000 };
/** An API server that is away is knocked at more often: what waits for its return is tried as soon as it answers. */
const RETRY_AWAY = { first: 200, longest: 5_000 };
const PAUSES: Readonly<Record<string, typeof RETRY>> = {
  CLUSTER_FORBIDDEN: RETRY_REFUSED,
  CLUSTER_UNAUTHORIZED: RETRY_REFUSED,
  CLUSTER_UNREACHABLE: RETRY_AWAY,
};
/** So many failures are told of one by one, then one of as many: it is the same one. */
const TOLD = 8;
/** After so many failures the version is not gone on from any more. */
const TRUSTED = 3;
/** A watch that ended sooner did not follow anything: whoever opened the next one at once would never stop (ms). */
const SHORT = 1_000;

/**
 * A watch that ends after so long since the last LIST is followed by a LIST: what a server that had just started left out of
 * its answer, and what got lost on the way, would else never be seen (ms).
 */
const LIST_AGAIN = 600_000;

/** Follows until the signal is aborted; never throws. One connection at a time, one reconnect in flight. */
export async function followResource<V>(options: WatchOptions<V>): Promise<void> {
  const { signal, clock = systemClock } = options;
  let version: string | undefined;
  let listed = 0;
  let failures = 0;
  const listedAnew = (): Promise<string> => {
    listed = clock.elapsed();
    return listAll(options);
  };
  while (!signal.aborted) {
    try {
      version ??= await listedAnew();
      const watched = await watchOnce(options, version);
      version = clock.elapsed() - listed > LIST_AGAIN ? undefined : watched.version;
      failures = watched.ms > SHORT ? 0 : failures + 1;
      await clock.sleep(pauseAfter(version, failures, clock), signal);
    } catch (error) {
      if (signal.aborted) return;
      failures++;
      // Where only the way was cut, the version still holds. But a version may be wrong for ever: etcd may be a restored one.
      if (failures > TRUSTED || !(error instanceof OpjobError)) version = undefined;
      await recover(options, error, failures);
    }
  }
}

/** Until the next watch, or the next list. */
const pauseAfter = (version: string | undefined, failures: number, clock: Clock): number =>
  version === undefined ? relistPause(clock) : backoff(failures - 1, RETRY, clock);

/** Says that nothing is followed at present, and waits, longer each time. */
async function recover<V>(options: WatchOptions<V>, thrown: unknown, failures: number): Promise<void> {
  const { signal, log, resource, namespace, cluster, onState, clock = systemClock } = options;
  onState("cut");
  const { code, message, retryAfterMs = 0 } = asOpjobError(thrown);
  const wait = Math.max(retryAfterMs, backoff(failures, PAUSES[code] ?? RETRY, clock));
  const fields = { cluster: cluster.server, namespace, resource, error: message, again_ms: Math.round(wait) };
  if (failures <= TOLD || failures % TOLD === 0) log[failures > 1 ? "warn" : "info"](fields, "watch cut off");
  await clock.sleep(wait, signal);
}

const backoff = (times: number, { first, longest }: typeof RETRY, { random }: Clock): number =>
  times <= 0 ? 0 : Math.min(longest, first * 2 ** (times - 1)) * (0.5 + random());

/** Gone (410): whoever lists again at once, together with all others, overloads the API server. */
const relistPause = ({ random }: Clock): number => random() * RETRY.first * 5;

async function listAll<V>(options: WatchOptions<V>): Promise<string> {
  const { cluster, resource, namespace, view, onList, signal, clock = systemClock } = options;
  let views: V[] = [];
  let token: string | undefined;
  while (!signal.aborted) {
    const page = await cluster.listPage(resource, namespace, token);
    if (page === undefined) {
      views = [];
      token = undefined;
      await clock.sleep(relistPause(clock), signal);
      continue;
    }
    for (const raw of page.items) {
      const kept = view(raw);
      if (kept !== undefined) views.push(kept);
    }
    token = page.continue;
    if (token === undefined) {
      onList(views);
      return page.resourceVersion;
    }
  }
  throw new Error("stopped");
}

type Watched = { readonly version: string | undefined; readonly ms: number };

/** Reads one watch to its end. Tells the version to go on from (undefined: it is too old, list again), and how long it was. */
async function watchOnce<V>(options: WatchOptions<V>, version: string): Promise<Watched> {
  const { cluster, resource, namespace, signal, silenceMs, onState, log, clock = systemClock } = options;
  const from = { resourceVersion: version, ...(silenceMs === undefined ? {} : { silenceMs }) };
  const body = await cluster.watch(resource, namespace, from, signal);
  const begun = clock.elapsed();
  const ended = (last: string | undefined): Watched => {
    if (last === undefined) log.debug({ cluster: cluster.server, namespace, resource }, "watch too old: listing anew");
    return { version: last, ms: clock.elapsed() - begun };
  };
  if (body === undefined) return ended(undefined);
  onState("following");
  let last: string | undefined = version;
  try {
    for await (const line of linesOf(body)) {
      last = handle(JSON.parse(line) as Event, options, last);
      if (last === undefined) return ended(undefined);
    }
    return ended(last);
  } catch (error) {
    // A cut in mid-stream is no reason to list again: the version up to which events were handled is known.
    if (signal.aborted || error instanceof SyntaxError || error instanceof EndedByServer) throw error;
    return ended(last);
  } finally {
    body.destroy();
  }
}

type Event = { readonly type: string; readonly object: RawObject };

class EndedByServer extends Error {}

function handle<V>(event: Event, options: WatchOptions<V>, version: string): string | undefined {
  const metadata = event.object["metadata"] as { resourceVersion?: string } | undefined;
  switch (event.type) {
    case "ADDED":
    case "MODIFIED":
    case "DELETED": {
      const kept = options.view(event.object);
      if (kept !== undefined) options[event.type === "DELETED" ? "onDelete" : "onChange"](kept);
      break;
    }
    case "ERROR":
      if (event.object["code"] === 410) return undefined;
      throw new EndedByServer(`the API server ended the watch: ${String(event.object["message"])}`);
    default: // BOOKMARK: only its version counts
  }
  return metadata?.resourceVersion ?? version;
}

/** The lines of an answer, as they come. */
export async function* linesOf(body: AsyncIterable<Buffer>): AsyncIterable<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line !== "") yield line;
  }
}
