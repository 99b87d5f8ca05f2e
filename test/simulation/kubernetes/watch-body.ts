// The body of a watch's answer: events as lines of JSON that arrive some time after the change; bookmarks; an end by the
// server's own deadline, by a cut, or by silence, which is no end at all. Knows the protocol; nothing of what is watched.
import type { Line } from "../calls.ts";
import { isNamed, type Resource, selects } from "./objects.ts";
import type { Event, KubeStore } from "./store.ts";

/** What may happen to watches, at this moment. */
export type WatchTroubles = {
  /** Milliseconds until an event arrives. */
  readonly delay: () => number;
  /** How often the next event is told: usually once. */
  readonly times: () => number;
  /** Whether a version that is too old is told as an event, and not as the answer's status. */
  readonly goneAsEvent: () => boolean;
  readonly open: Set<WatchBody>;
};

export type Watched = {
  readonly resource: Resource;
  readonly namespace: string;
  readonly selector: string;
  /** Of fields. */
  readonly fields: string;
  readonly version: number;
  readonly seconds: number;
  /** So long without a line, and the reader takes the connection for dead (ms). */
  readonly silenceMs: number;
};

type Result = IteratorResult<Buffer, undefined>;
type Waiting = { readonly resolve: (result: Result) => void; readonly reject: (error: Error) => void };

const BOOKMARK = 60_000;
const GONE = {
  type: "ERROR",
  object: { kind: "Status", code: 410, reason: "Expired", message: "too old resource version" },
};

export class WatchBody implements AsyncIterable<Buffer> {
  readonly #parts: { readonly store: KubeStore; readonly line: Line; readonly troubles: WatchTroubles };
  readonly #watched: Watched;
  readonly #arrived: Buffer[] = [];
  readonly #unsubscribe: () => void;
  #waiting: Waiting | undefined;
  #ended = false;
  #silent = false;
  #error: Error | undefined;
  #last = 0;
  #lines = 0;

  constructor(parts: { store: KubeStore; line: Line; troubles: WatchTroubles }, watched: Watched) {
    this.#parts = parts;
    this.#watched = watched;
    this.#unsubscribe = parts.store.onEvent((event) => this.#pass(event));
    parts.troubles.open.add(this);
    const before = parts.store.since(watched.resource, watched.version);
    if (before === undefined) this.#send(GONE);
    else for (const event of before) this.#pass(event);
    parts.line.tell(watched.seconds * 1_000, () => this.#end(undefined));
    this.#bookmark();
  }

  [Symbol.asyncIterator](): AsyncIterator<Buffer, undefined> {
    return {
      next: () => {
        const { promise, resolve, reject } = Promise.withResolvers<Result>();
        this.#waiting = { resolve, reject };
        this.#serve();
        return promise;
      },
      return: () => {
        this.destroy();
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }

  /** By the reader: nothing more is read. */
  destroy(): void {
    this.#end(undefined);
  }

  /** The connection breaks; who reads hears of it. */
  cut(error: Error): void {
    this.#end(error);
  }

  /** The other end is gone without a word: nothing comes any more, and nobody is told. */
  silence(): void {
    this.#silent = true;
    const { line } = this.#parts;
    line.tell(this.#watched.silenceMs, () => this.#end(new Error("no sign of life")));
  }

  #end(error: Error | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    this.#unsubscribe();
    this.#parts.troubles.open.delete(this);
    this.#serve();
  }

  #pass({ type, resource, object }: Event): void {
    const { namespace, selector, fields } = this.#watched;
    if (resource !== this.#watched.resource || object.metadata.namespace !== namespace) return;
    if (!selects(selector, object.metadata.labels) || !isNamed(fields, object.metadata)) return;
    for (let i = this.#parts.troubles.times(); i > 0; i--) this.#send({ type, object });
  }

  #bookmark(): void {
    this.#parts.line.tell(BOOKMARK, () => {
      if (this.#ended) return;
      const metadata = { resourceVersion: String(this.#parts.store.version) };
      this.#send({ type: "BOOKMARK", object: { metadata } });
      this.#bookmark();
    });
  }

  /** In order: events do not overtake one another. Now and then a line arrives in two pieces. */
  #send(event: object): void {
    const { line, troubles } = this.#parts;
    this.#last = Math.max(line.now() + troubles.delay(), this.#last);
    const text = Buffer.from(`${JSON.stringify(event)}\n`);
    const half = ++this.#lines % 5 === 0 ? text.length >> 1 : 0;
    line.tell(this.#last - line.now(), () => {
      if (this.#ended || this.#silent) return;
      if (half > 0) this.#arrived.push(text.subarray(0, half));
      this.#arrived.push(text.subarray(half));
      this.#serve();
    });
  }

  #serve(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    const chunk = this.#arrived.shift();
    if (chunk === undefined && !this.#ended) return;
    this.#waiting = undefined;
    if (chunk !== undefined) waiting.resolve({ done: false, value: chunk });
    else if (this.#error) waiting.reject(this.#error);
    else waiting.resolve({ done: true, value: undefined });
  }
}
