// Last words: the end of the log that stands in an operation's error. Read when it fails, and before that from Pods on their
// way out: when the Job controller has deleted a Pod, as it does at the Job's deadline, its log is gone with it.
import { logsOf } from "./clusters/container-end.ts";
import type { Ending } from "./clusters/ending-reasons.ts";
import type { Cluster } from "./clusters/kubernetes.ts";
import { hasBegun, type PodView } from "./clusters/observation.ts";
import type { LogPlace } from "./clusters/reasons.ts";
import { asOpjobError } from "./errors.ts";
import type { Log } from "./log.ts";
import { hideSecrets, lastLines } from "./operations/failure-text.ts";

export type LastWordsOptions = {
  readonly logTail: { readonly lines: number; readonly bytes: number };
  /** Texts that must not get into a document, should a worker have logged them. */
  readonly secrets: ReadonlySet<string>;
  readonly log: Log;
};

export type Words = { readonly container: string; readonly lines: string };
type Source = Pick<Cluster, "podLog">;

/** A node that is away answers nothing until the deadline: only so many of its Pods are waited for at once. */
const READING = 8;
/** Operations whose words are kept at the most: about as many kilobytes as logTail has. */
const KEPT = 500;

export type LastWords = ReturnType<typeof createLastWords>;

type Tail = { readonly cluster: Source; readonly namespace: string; readonly place: LogPlace };
type Bounds = { readonly lines: number; readonly bytes: number; readonly secrets: ReadonlySet<string> };

/** The last lines of a container's log, without the secrets in it. @throws OpjobError CLUSTER_… */
export async function readTail({ cluster, namespace, place }: Tail, bounds: Bounds): Promise<Words> {
  const { pod, container, previous } = place;
  const { lines, bytes, secrets } = bounds;
  // limitBytes counts from the first of the lines asked for: ask for more than is shown.
  const query = { container, tailLines: lines, limitBytes: bytes * 8, ...(previous && { previous }) };
  const text = hideSecrets(await cluster.podLog(namespace, pod, query), [...secrets]);
  // The container may have ended once more since it was seen: its present run is the one that is meant.
  if (text === "" && previous) return readTail({ cluster, namespace, place: { ...place, previous: false } }, bounds);
  return { container, lines: lastLines(text, lines, bytes) };
}

/** What is told in the place of a log that could not be had. */
export const unread = ({ container }: LogPlace, error: unknown): Words => ({
  container,
  lines: `(the log could not be read: ${asOpjobError(error).message})`,
});

export function createLastWords({ logTail: { lines, bytes }, secrets, log }: LastWordsOptions) {
  const kept = new Map<string, Words>();
  const reading = new Map<string, Promise<void>>();

  const read = (cluster: Source, namespace: string, place: LogPlace): Promise<Words> =>
    readTail({ cluster, namespace, place }, { lines, bytes, secrets });

  const readAhead = async (operation: string, cluster: Source, pod: PodView): Promise<void> => {
    const place = logsOf(
      pod,
      pod.containers.find(({ startedAt }) => startedAt !== undefined),
    );
    if (place === undefined) return;
    try {
      const words = await read(cluster, pod.namespace, place);
      if (words.lines === "") return;
      kept.delete(operation);
      kept.set(operation, words);
      const [oldest] = kept.keys();
      if (kept.size > KEPT && oldest !== undefined) kept.delete(oldest);
    } catch (error) {
      log.debug({ operation, pod: pod.name, error: asOpjobError(error).message }, "cannot read a log ahead");
    }
  };

  return {
    sizes: () => ({ last_words: kept.size, last_words_reading: reading.size }),

    /** Reads the log of a Pod that is about to go, beside the work in hand: nobody waits for it. */
    readAhead(operation: string, cluster: Source | undefined, pods: readonly PodView[]): void {
      const pod = pods.find((one) => one.deleting && !one.gone && hasBegun(one));
      if (cluster === undefined || pod === undefined || lines === 0) return;
      if (reading.has(operation) || reading.size >= READING) return;
      const done = readAhead(operation, cluster, pod).finally(() => reading.delete(operation));
      reading.set(operation, done);
    },

    /** The end of the log that an ending names, else what was read of it before it was gone. */
    async of(operation: string, cluster: Source, namespace: string, logs: Ending["logs"]): Promise<Words | undefined> {
      if (lines === 0) return undefined;
      await reading.get(operation);
      const before = kept.get(operation);
      if (logs === undefined) return before;
      try {
        const words = await read(cluster, namespace, logs);
        return words.lines === "" ? (before ?? words) : words;
      } catch (error) {
        return before ?? unread(logs, error);
      }
    },

    /** The operation has its own result: nobody asks for its words any more. */
    forget(operation: string): void {
      kept.delete(operation);
    },
  };
}
