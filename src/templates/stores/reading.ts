// How any store is read: a size bound that holds while the answer streams in, a check that the answer is whole, a deadline.
// Knows bytes and time; nothing of where they come from.
import { Readable } from "node:stream";
import { OpjobError } from "../../errors.ts";
import { storeAway } from "./refusal.ts";

/** What is asked of a store: the version that is known, and until when an answer is of use. */
export type Asked = { readonly tag: string | undefined; readonly signal: AbortSignal };

/** What a store answers: the text and its version, or that the known version still holds. */
export type Answer =
  | { readonly kind: "unchanged" }
  | { readonly kind: "text"; readonly text: string; readonly tag: string | undefined };

/** @throws OpjobError TEMPLATE_… */
export type Store<L> = (location: L, asked: Asked) => Promise<Answer>;

/** Kubernetes refuses a ConfigMap above 1 MiB, and a Job above 1.5: a larger file is no template (bytes). */
export const LARGEST = 1_048_576;

type Whole = { readonly name: string; readonly length: number | undefined };

/**
 * The text of an answer.
 * @param whole how many bytes were announced; undefined: nothing was
 * @throws OpjobError TEMPLATE_UNREADABLE for too many bytes or no UTF-8, TEMPLATE_STORE_UNREACHABLE for too few
 */
export async function collect(chunks: AsyncIterable<Uint8Array>, { name, length }: Whole): Promise<string> {
  if (length !== undefined && length > LARGEST) {
    discard(chunks);
    throw tooLarge(name);
  }
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.byteLength;
    // Leaving the loop ends the stream: what follows is never read.
    if (size > LARGEST) throw tooLarge(name);
    parts.push(chunk);
  }
  if (length !== undefined && size !== length)
    throw storeAway(name, `its answer broke off after ${size} of ${length} bytes`);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(parts));
  } catch {
    throw new OpjobError("TEMPLATE_UNREADABLE", `The template "${name}" cannot be read: it is not UTF-8 text.`, {
      remedy: "Store the template as UTF-8 text, uncompressed.",
    });
  }
}

/** Ends a stream that nobody has begun to read: else it would hold its connection, and its end be nobody's error. */
function discard(chunks: AsyncIterable<Uint8Array>): void {
  if (chunks instanceof Readable) chunks.on("error", () => undefined).destroy();
  else if (chunks instanceof ReadableStream) chunks.cancel().catch(() => undefined);
}

const tooLarge = (name: string) =>
  new OpjobError("TEMPLATE_UNREADABLE", `The template "${name}" is larger than 1 MiB.`, {
    remedy: "Name the template itself in `executionTmplUri`: a Job's template is a few KiB of text.",
  });

/**
 * Gives an act so many milliseconds. What does not listen to the signal is left behind when they are over.
 * @throws OpjobError TEMPLATE_STORE_UNREACHABLE
 */
export async function within<T>(ms: number, name: string, act: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(storeAway(name, `no answer within ${ms / 1_000} s`));
    stop.abort(new DOMException("no answer before the deadline", "TimeoutError"));
  }, ms);
  try {
    return await Promise.race([act(stop.signal), late.promise]);
  } finally {
    clearTimeout(timer);
    // What a refusal left unread must not hold its connection.
    stop.abort();
  }
}
