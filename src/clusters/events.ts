// What is kept of an Event, and how an opjob asks for some: rarely, a few at a time, and never as a must.
// Works through the cluster it is given. A cluster that does not let us read Events only makes for poorer words.
import { asOpjobError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Cluster } from "./kubernetes.ts";
import type { Asked } from "./reasons.ts";

export type EventView = {
  /** What it is about: "Job", "Pod". */
  readonly kind: string;
  readonly reason: string;
  readonly message: string;
};

type Raw = Readonly<Record<string, unknown>>;
const object = (value: unknown): Raw => (typeof value === "object" && value !== null ? (value as Raw) : {});
const text = (value: unknown): string => (typeof value === "string" ? value : "");

/** Events in the order in which they last happened. */
export function viewEvents(events: readonly Raw[]): EventView[] {
  const timed = events.map((event) => ({ at: lastTime(event), event }));
  return timed
    .toSorted((a, b) => a.at - b.at)
    .map(({ event }) => ({
      kind: text(object(event["involvedObject"])["kind"]),
      reason: text(event["reason"]),
      message: text(event["message"]),
    }));
}

/** Events come in two generations: with a count and a last time, or with a series. */
function lastTime(event: Raw): number {
  const times = [object(event["series"])["lastObservedTime"], event["lastTimestamp"], event["eventTime"]];
  return Date.parse(text(times.find((time) => text(time) !== ""))) || 0;
}

export type Answer = {
  /** undefined: not known now. */
  readonly events: readonly EventView[] | undefined;
  /** Asking again sooner gives the same (ms). */
  readonly again: number;
};

/** Between two questions about one object: twice as long each time. */
const PAUSE = { first: 1_000, longest: 60_000 };
/** Over all clusters: an API server searches all Events of a namespace for each question. */
const RATE = { perSecond: 5, atOnce: 20 };
/** So long nothing is asked where the right is missing (ms). */
const REFUSED = 600_000;
/** How many objects are remembered; an older one is only asked about sooner. */
const REMEMBERED = 1_000;

type Known = { readonly at: number; readonly pause: number; readonly events: readonly EventView[] | undefined };
const NOTHING: Known = { at: Number.NEGATIVE_INFINITY, pause: PAUSE.first / 2, events: undefined };
export type Inquiry = ReturnType<typeof createInquiry>;

export function createInquiry({ now, log }: { readonly now: () => number; readonly log: Log }) {
  const known = new Map<string, Known>();
  const refusedUntil = new Map<string, number>();
  let turns = RATE.atOnce;
  let countedAt = now();

  const takeTurn = (): boolean => {
    turns = Math.min(RATE.atOnce, turns + ((now() - countedAt) / 1_000) * RATE.perSecond);
    countedAt = now();
    if (turns < 1) return false;
    turns -= 1;
    return true;
  };
  const remember = (key: string, entry: Known): void => {
    known.delete(key);
    known.set(key, entry);
    const [oldest] = known.keys();
    if (known.size > REMEMBERED && oldest !== undefined) known.delete(oldest);
  };
  const read = async (cluster: EventSource, namespace: string, about: Asked): Promise<Known["events"]> => {
    const place = `${cluster.key}/${namespace}`;
    if ((refusedUntil.get(place) ?? 0) > now()) return undefined;
    try {
      return await cluster.events(namespace, about);
    } catch (error) {
      const { code, message } = asOpjobError(error);
      if (code === "CLUSTER_FORBIDDEN") refusedUntil.set(place, now() + REFUSED);
      log[code === "CLUSTER_FORBIDDEN" ? "info" : "debug"]({ namespace, code, error: message }, "cannot read Events");
      return undefined;
    }
  };

  return {
    /** What Events tell of an object. Never throws. @param fresh not what was told before, if it can be had */
    async ask(cluster: EventSource, namespace: string, about: Asked, fresh = false): Promise<Answer> {
      const key = `${cluster.key}/${namespace}/${"uid" in about ? about.uid : about.name}`;
      const last = known.get(key) ?? NOTHING;
      const rest = last.at + last.pause - now();
      if (rest > 0 && !fresh) return { events: last.events, again: rest };
      if (!takeTurn()) return { events: last.events, again: PAUSE.first };
      const events = (await read(cluster, namespace, about)) ?? last.events;
      const pause = Math.min(PAUSE.longest, last.pause * 2);
      remember(key, { at: now(), pause, events });
      return { events, again: pause };
    },
  };
}

type EventSource = Pick<Cluster, "key" | "events">;
