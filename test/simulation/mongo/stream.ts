// Change streams on the simulated server: events in order, at least once, some time after the change is committed. Hints may be
// dropped or told twice, and a stream may be cut: nothing may depend on it. Knows nothing of what the documents mean.
import type { ChangeStream } from "mongodb";
import { MongoNetworkError, MongoServerError, Timestamp } from "mongodb";
import { NotSimulated } from "../not-simulated.ts";
import { matches } from "./match.ts";
import { type DriverParts, strict } from "./parts.ts";
import { eventOf } from "./server.ts";
import { type Doc, isDoc } from "./values.ts";

export type StreamOptions = {
  readonly resumeAfter?: unknown;
  readonly startAtOperationTime?: unknown;
  readonly maxAwaitTimeMS?: number;
};

type Watched = { readonly collection: string; readonly pipeline: readonly Doc[]; readonly options: StreamOptions };

/** A quiet stream tells where it is, now and then (ms). The server does so each second; seldom is enough, and faster. */
const QUIET = 20_000;

/** The resume token has aged out of the oplog. */
const historyLost = (): Error =>
  new MongoServerError({ message: "resume point may no longer be in the oplog", code: 286 });

export function openStream(parts: DriverParts, watched: Watched): ChangeStream {
  const stream = new Stream(parts, watched);
  const face = {
    on: (name: string, call: (token: unknown) => void) => {
      if (name !== "resumeTokenChanged") throw new NotSimulated(`the event ${name} of a change stream`);
      stream.onToken(call);
    },
    close: () => {
      stream.end(undefined);
      return Promise.resolve();
    },
    [Symbol.asyncIterator]: () => ({ next: () => stream.next(), return: () => stream.stop() }),
  };
  return strict(face, "a change stream") as unknown as ChangeStream;
}

type Result = IteratorResult<Doc, undefined>;
type Waiting = { readonly resolve: (result: Result) => void; readonly reject: (error: Error) => void };

/** Times are the numbers of changes here; a stream from a time begins with the change of that time. */
const before = (time: unknown): number | undefined => (time instanceof Timestamp ? time.i - 1 : undefined);

class Stream {
  readonly #parts: DriverParts;
  readonly #watched: Watched;
  readonly #arrived: Doc[] = [];
  readonly #tokens: ((token: unknown) => void)[] = [];
  readonly #cuttable = { cut: (error: Error) => this.end(error) };
  #waiting: Waiting | undefined;
  #position = 0;
  #opened = false;
  #ended = false;
  #error: Error | undefined;
  /** When the last event that is on its way arrives: events do not overtake one another. */
  #last = 0;
  #unsubscribe: () => void = () => undefined;

  constructor(parts: DriverParts, watched: Watched) {
    this.#parts = parts;
    this.#watched = watched;
  }

  onToken(call: (token: unknown) => void): void {
    this.#tokens.push(call);
  }

  next(): Promise<Result> {
    if (!this.#opened) this.#open();
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    this.#waiting = { resolve, reject };
    this.#serve();
    return promise;
  }

  stop(): Promise<Result> {
    this.end(undefined);
    return Promise.resolve({ done: true, value: undefined });
  }

  /** @param error undefined: it was closed by its owner */
  end(error: Error | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    this.#unsubscribe();
    this.#parts.streams.open.delete(this.#cuttable);
    // A cut is noticed by whoever waits, some time later.
    if (error === undefined) this.#serve();
    else this.#parts.line.tell(1, () => this.#serve());
  }

  /** The server is asked for the stream when its first event is. */
  #open(): void {
    this.#opened = true;
    const { line, server, streams } = this.#parts;
    const { collection, options } = this.#watched;
    const begin = (): void => {
      const from = Number(options.resumeAfter ?? before(options.startAtOperationTime) ?? server.newest);
      if (server.since(from) === undefined) throw historyLost();
      this.#position = from;
    };
    const broken = (): Error => new MongoNetworkError("connection closed");
    line.call({ service: "database", verb: "watch", about: collection }, { effect: begin, broken, refuse }).then(
      () => {
        if (this.#ended) return;
        streams.open.add(this.#cuttable);
        this.#unsubscribe = server.onCommit(() => this.#pump());
        this.#pump();
        this.#tick();
      },
      (error: unknown) => this.end(error as Error),
    );
  }

  /** Sends what was committed since; what the pipeline does not want is passed over on the server. */
  #pump(): void {
    const changes = this.#parts.server.since(this.#position);
    if (changes === undefined) this.end(historyLost());
    for (const change of changes ?? []) {
      this.#position = change.nth;
      if (change.collection !== this.#watched.collection) continue;
      const event = eventOf(change);
      if (!passes(event, this.#watched.pipeline)) continue;
      const { delay, times } = this.#parts.streams;
      for (let i = times(); i > 0; i--) this.#send(event, delay());
    }
  }

  #send(event: Doc, delay: number): void {
    const { line } = this.#parts;
    this.#last = Math.max(line.now() + delay, this.#last);
    line.tell(this.#last - line.now(), () => {
      if (this.#ended) return;
      this.#arrived.push(event);
      this.#serve();
    });
  }

  #tick(): void {
    this.#parts.line.tell(QUIET, () => {
      if (this.#ended) return;
      if (this.#arrived.length === 0 && this.#last <= this.#parts.line.now()) this.#tellToken(this.#position);
      this.#tick();
    });
  }

  #tellToken(token: unknown): void {
    for (const call of this.#tokens) call(token);
  }

  #serve(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    const event = this.#arrived.shift();
    if (event !== undefined) {
      this.#waiting = undefined;
      this.#tellToken(event["_id"]);
      waiting.resolve({ done: false, value: event });
    } else if (this.#ended) {
      this.#waiting = undefined;
      if (this.#error) waiting.reject(this.#error);
      else waiting.resolve({ done: true, value: undefined });
    }
  }
}

function refuse(refusal: string): never {
  throw new MongoServerError({ message: refusal, code: 10_107 });
}

/** Only filters count: what is stripped from an event is not looked at by anybody. */
const passes = (event: Doc, pipeline: readonly Doc[]): boolean =>
  pipeline.every((stage) => {
    const { $match, $project } = stage;
    if ($match === undefined && $project === undefined)
      throw new NotSimulated(`the stage ${Object.keys(stage).join()}`);
    return !isDoc($match) || matches(event, $match);
  });
