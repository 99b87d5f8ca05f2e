// What the simulated driver works with, and how it says that it was asked for what it is not. Knows no operations.
import type { Line } from "../calls.ts";
import { NotSimulated } from "../not-simulated.ts";
import type { Author, MongoServer } from "./server.ts";

/** What may happen to streams, at this moment. */
export type StreamTroubles = {
  /** Milliseconds until an event arrives. */
  readonly delay: () => number;
  /** How often the next event is told: usually once. */
  readonly times: () => number;
  /** Every open stream, so that they can be cut. */
  readonly open: Set<{ readonly cut: (error: Error) => void }>;
};

export type DriverParts = {
  readonly server: MongoServer;
  readonly line: Line;
  readonly author: Author;
  readonly streams: StreamTroubles;
  /** Is told of each read of a whole collection, at the instant in which it is done. */
  readonly onRead: (collection: string) => void;
};

/** Whoever asks for what is not simulated must hear of it at once. */
export function strict<T extends object>(face: T, what: string): T {
  return new Proxy(face, {
    get(target, name, receiver) {
      if (name in target || typeof name === "symbol" || name === "then" || name === "toJSON")
        return Reflect.get(target, name, receiver) as unknown;
      throw new NotSimulated(`${what} of the simulated MongoDB has no ${name}`);
    },
  });
}
