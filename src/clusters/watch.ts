// Follows one kind of object in one namespace: paginated LIST, then WATCH with bookmarks, for ever.
// Written by hand because the library's informer stops after one failed LIST or a cut socket and asks for no bookmarks.
// Knows the protocol; nothing of what the objects mean.
import { type Clock, systemClock } from "../clock.ts";
import { asOpjobError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Cluster, RawObject, Resource } from "./kubernetes.ts";

export type WatchOptions = {
  readonly cluster: Pick<Cluster, "listPage" | "watch" | "server">;
  readonly resource: Resource;
  readonly namespace: string;
  /** All objects, after a complete LIST; what is missing in it is gone. */
  readonly onList: (objects: readonly RawObject[]) => void;
  readonly onChange: (object: RawObject) => void;
  readonly onDelete: (object: RawObject) => void;
  readonly onState: (state: "following" | "cut") => void;
  readonly signal: AbortSignal;
  readonly log: Log;
  /** No byte for so long (bookmarks come about every minute): the socket is dead. Milliseconds. */
  readonly silenceMs?: number;
  /** Default: the system's. */
  readonly clock?: Clock;
};

const RETRY = { first: 200, longest: 30_000 };

/**
 * A watch that ends after so long since the last LIST is followed by a LIST: what a server that had just started left out of
 * its answer, and what got lost on the way, would else never be seen (ms).
 */
const LIST_AGAIN = 600_000;

/** Follows until the signal is aborted; never throws. One connection at a time, one reconnect in flight. */
export async function followResource(options: WatchOptions): Promise<void> {
  const { signal, log, resource, namespace, cluster, clock = systemClock } = options;
  let version: string | undefined;
  let listed = 0;
  let failures = 0;
  while (!signal.aborted) {
    try {
      if (version === undefined) {
        version = await listAll(options);
        listed = clock.elapsed();
      }
      options.onState("following");
      version = await watchOnce(options, version);
      failures = 0;
      if (clock.elapsed() - listed > LIST_AGAIN) version = undefined;
      // Whoever lists again at once, together with all others, overloads the API server.
      if (version === undefined) await clock.sleep(clock.random() * RETRY.first * 5, signal);
    } catch (error) {
      if (signal.aborted) return;
      options.onState("cut");
      version = undefined;
      const wait = Math.min(RETRY.longest, RETRY.first * 2 ** failures++) * (0.5 + clock.random());
      const fields = {
        cluster: cluster.server,
        namespace,
        resource,
        error: asOpjobError(error).message,
        again_ms: Math.round(wait),
      };
      log[failures > 1 ? "warn" : "info"](fields, "watch cut off");
      await clock.sleep(wait, signal);
    }
  }
}

async function listAll({ cluster, resource, namespace, onList, signal }: WatchOptions): Promise<string> {
  let objects: RawObject[] = [];
  let token: string | undefined;
  while (!signal.aborted) {
    const page = await cluster.listPage(resource, namespace, token);
    if (page === undefined) {
      objects = [];
      token = undefined;
      continue;
    }
    objects.push(...page.items);
    token = page.continue;
    if (token === undefined) {
      onList(objects);
      return page.resourceVersion;
    }
  }
  throw new Error("stopped");
}

/** Reads one watch to its end. Returns the version to go on from; undefined: it is too old, list again. */
async function watchOnce(options: WatchOptions, version: string): Promise<string | undefined> {
  const { cluster, resource, namespace, signal, silenceMs = 120_000, clock = systemClock } = options;
  const silence = new AbortController();
  const body = await cluster.watch(resource, namespace, version, AbortSignal.any([signal, silence.signal]));
  if (body === undefined) return undefined;
  const timer = clock.after(silenceMs, () => silence.abort(new Error("no sign of life")));
  let last: string | undefined = version;
  try {
    for await (const line of linesOf(body)) {
      timer.refresh();
      last = handle(JSON.parse(line) as { type: string; object: RawObject }, options, last ?? version);
      if (last === undefined) return undefined;
    }
    return last;
  } catch (error) {
    // A cut in mid-stream is no reason to list again: the version up to which events were handled is known.
    if (signal.aborted || error instanceof SyntaxError) throw error;
    return last;
  } finally {
    timer.cancel();
    body.destroy();
  }
}

function handle(
  event: { type: string; object: RawObject },
  options: WatchOptions,
  version: string,
): string | undefined {
  const metadata = event.object["metadata"] as { resourceVersion?: string } | undefined;
  switch (event.type) {
    case "ADDED":
    case "MODIFIED":
      options.onChange(event.object);
      break;
    case "DELETED":
      options.onDelete(event.object);
      break;
    case "ERROR":
      if (event.object["code"] === 410) return undefined;
      throw new Error(`the API server ended the watch: ${String(event.object["message"])}`);
    default: // BOOKMARK: only its version counts
  }
  return metadata?.resourceVersion ?? version;
}

async function* linesOf(body: AsyncIterable<Buffer>): AsyncIterable<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line !== "") yield line;
  }
}
