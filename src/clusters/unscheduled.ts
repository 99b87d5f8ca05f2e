// Why no node takes a Pod, from the scheduler's words. Pure.
import { isScheduled, type PodView } from "./observation.ts";
import { met, type Obstacle, WAITING, type WaitingId } from "./waiting-reasons.ts";

const AWAY = "not-ready|unreachable|unschedulable|memory-pressure|disk-pressure|pid-pressure|network-unavailable";

/**
 * What may stand in the sentence, the first of which says whose fault it is: a node that lacks only room fits in every
 * other way. A node that is away may have been the one that fits.
 */
const WORDS: readonly (readonly [RegExp, WaitingId])[] = [
  [/Insufficient |Too many pods/, "noRoom"],
  [/volume|persistentvolumeclaim/i, "noVolume"],
  [new RegExp(`were unschedulable|taint \\{node\\.kubernetes\\.io/(${AWAY})`), "nodesAway"],
  [/affinity|selector|topology/, "noMatch"],
  [/taint(?!s? \{node\.kubernetes\.io\/)/, "tainted"],
];

export function unscheduled(pod: PodView): Obstacle | undefined {
  const condition = pod.conditions.find(({ type, status }) => type === "PodScheduled" && status === "False");
  if (condition === undefined || isScheduled(pod)) return undefined;
  if (condition.reason === "SchedulingGated") {
    return met("gated", "The Pod is held at a scheduling gate: it waits to be admitted by a queue or by a person.");
  }
  const { message } = condition;
  const rows = WORDS.filter(([words]) => words.test(message)).map(([, row]) =>
    row === "noRoom" && !couldFit(message) ? "tooLarge" : row,
  );
  const [first = "unscheduled"] = rows;
  const said = message || condition.reason;
  return met(first, `No node of the cluster can take the Pod: ${said.replace(/\.*$/, "")}.`, {
    remedy: `${rows.length === 0 ? WAITING[first].remedy : joined(rows)}.`,
  });
}

/** Unless the scheduler says that not even an empty node would do. */
const couldFit = (message: string): boolean =>
  /No preemption victims found/.test(message) || !/Preemption is not helpful/.test(message);

const joined = (rows: readonly WaitingId[]): string =>
  rows
    .map((row) => WAITING[row].remedy)
    .map((remedy, i) => (i === 0 ? remedy : remedy.charAt(0).toLowerCase() + remedy.slice(1)))
    .join("; ");
