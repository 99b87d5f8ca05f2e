// watch: sends the changes that a call selects, in the tick in which they are written, with bookmarks, ends and 410s.
// Writes to a stream that it is given; knows no HTTP.
import { type Call, isTrue } from "./call.ts";
import type { Core } from "./core.ts";
import type { Selector } from "./label-selector.ts";
import type { KubeObject } from "./objects.ts";
import { readVersion, selectorOf } from "./reading.ts";
import { groupVersion } from "./resources.ts";
import { ApiFailure, expired } from "./status.ts";
import { type Change, Kept } from "./store.ts";
import { tableOf, wantsTable } from "./table.ts";

/** Where the lines of an answer without end go. `closed` is called once, whoever closes. */
export type Stream = {
  write(line: string | Buffer): void;
  end(): void;
  destroy(): void;
  onClose(call: () => void): void;
};

export type WatchOptions = {
  /** How long a watch lives if the client does not say, in ms. */
  readonly longestMs: number;
  /** Between two bookmarks, in ms. */
  readonly bookmarkMs: number;
};

/** The watches that are open. */
export class Watches {
  readonly #core: Core;
  readonly #options: WatchOptions;
  readonly #open = new Set<Stream>();

  constructor(core: Core, options: WatchOptions) {
    this.#core = core;
    this.#options = options;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Destroys the connections of all watches, without an end. */
  cut(): void {
    for (const stream of [...this.#open]) stream.destroy();
  }

  /** Tells all watches that the history is gone, and ends them. */
  expire(): void {
    for (const stream of [...this.#open]) {
      stream.write(frame("ERROR", JSON.stringify(expired(`too old resource version`).status)));
      stream.end();
    }
  }

  /** Ends all watches as a server does that shuts down. */
  close(): void {
    for (const stream of [...this.#open]) stream.end();
  }

  /**
   * Serves one watch. A version that is too old is told as an ERROR event, as the real server's watch cache does.
   * @throws ApiFailure 400 for a bad selector or version
   */
  serve(call: Call, open: () => Stream): void {
    const since = readVersion(call.query.get("resourceVersion"));
    const send = new Sender(call, () => this.#core.clock.now());
    const selects = selectorOf(call);
    const stream = open();
    this.#open.add(stream);
    const closers: (() => void)[] = [() => this.#open.delete(stream)];
    stream.onClose(() => {
      for (const close of closers.splice(0)) close();
    });
    try {
      const initial = since === 0 ? this.#sendState(send, selects, stream) : since;
      if (isTrue(call.query.get("sendInitialEvents"))) {
        if (since > 0) this.#sendState(send, selects, stream);
        stream.write(send.bookmark(this.#core.store.version, true));
      }
      const from = isTrue(call.query.get("sendInitialEvents")) ? this.#core.store.version : initial;
      closers.push(this.#core.store.watch(call.resource, from, (change) => send.change(change, selects, stream)));
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      stream.write(frame("ERROR", JSON.stringify(error.status)));
      stream.end();
      return;
    }
    this.#keepTime(call, { send, stream, closers });
  }

  #sendState(send: Sender, selects: Selector, stream: Stream): number {
    const { kept, version } = this.#core.store.snapshot(send.call.resource, false);
    for (const one of kept) if (selects(one.object)) stream.write(send.event("ADDED", one));
    return version;
  }

  #keepTime(
    call: Call,
    watch: { readonly send: Sender; readonly stream: Stream; readonly closers: (() => void)[] },
  ): void {
    const { clock, store } = this.#core;
    const { send, stream, closers } = watch;
    const seconds = Number(call.query.get("timeoutSeconds") ?? 0);
    const bookmarks = isTrue(call.query.get("allowWatchBookmarks"));
    const last = () => {
      if (bookmarks) stream.write(send.bookmark(store.version));
      stream.end();
    };
    closers.push(clock.after(seconds > 0 ? seconds * 1_000 : this.#options.longestMs, last));
    if (!bookmarks) return;
    let cancel: () => void = () => undefined;
    const again = () => {
      cancel = clock.after(this.#options.bookmarkMs, () => {
        stream.write(send.bookmark(store.version));
        again();
      });
    };
    again();
    closers.push(() => cancel());
  }
}

/** The line of the last change only: all watches of a change are told in one tick, and history must not hold lines. */
let shared: { readonly change: Change; readonly line: Buffer } | undefined;
const frame = (type: string, object: string): string => `{"type":"${type}","object":${object}}\n`;

/** Makes the lines of one watch. Plain lines of a change are made once and shared by all watches. */
class Sender {
  readonly call: Call;
  readonly #now: () => number;
  readonly #table: boolean;
  #described = false;

  constructor(call: Call, now: () => number) {
    this.call = call;
    this.#now = now;
    this.#table = wantsTable(call);
  }

  /** An object that comes to match is ADDED, one that matches no longer is DELETED, whatever the write was. */
  change(change: Change, selects: Selector, stream: Stream): void {
    const { type, kept, previous } = change;
    const now = type !== "DELETED" && selects(kept.object);
    const before = previous !== undefined && selects(previous.object);
    if (!now && !before) return;
    if (now && before) stream.write(this.#line("MODIFIED", change));
    else if (now) stream.write(this.#line("ADDED", change));
    else if (type === "DELETED") stream.write(this.#line("DELETED", change));
    else if (previous) stream.write(this.event("DELETED", lastState(previous, change.version)));
  }

  #line(type: Change["type"], change: Change): string | Buffer {
    if (this.#table || type !== change.type) return this.event(type, change.kept);
    if (shared?.change !== change) shared = { change, line: Buffer.from(frame(type, change.kept.json)) };
    return shared.line;
  }

  event(type: string, kept: Kept): string {
    if (!this.#table) return frame(type, kept.json);
    const table = tableOf(this.call, [kept], this.#now(), kept.version);
    const { columnDefinitions: _columns, ...rest } = table;
    const text = JSON.stringify(this.#described ? { ...rest, columnDefinitions: null } : table);
    this.#described = true;
    return frame(type, text);
  }

  bookmark(version: number, initialEnd = false): string {
    const { resource } = this.call;
    const annotations = initialEnd ? { annotations: { "k8s.io/initial-events-end": "true" } } : {};
    const metadata = { resourceVersion: String(version), creationTimestamp: null, ...annotations };
    if (this.#table) {
      const table = tableOf(this.call, [], this.#now(), version);
      return frame("BOOKMARK", JSON.stringify({ ...table, rows: [{ cells: [], object: { metadata } }] }));
    }
    return frame("BOOKMARK", JSON.stringify({ kind: resource.kind, apiVersion: groupVersion(resource), metadata }));
  }
}

/** The state that a watcher saw last, at the version of the change that took it out of sight. */
function lastState(previous: Kept, version: number): Kept {
  const { object } = previous;
  const gone: KubeObject = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
  return new Kept(gone, version);
}
