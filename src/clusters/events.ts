// What is kept of an Event, and how an opjob asks for some: rarely, a few at a time, and never as a must.
// Works through the cluster it is given. A cluster that does not let us read Events only makes for poorer words.
import { asOpjobError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Cluster } from "./kubernetes.ts";
import type { Asked } from "./reasons.ts";

export type EventView = {
  /** What it is about: "Job", "Pod". */
  readonly kind: string;
  readonly uid: string;
  readonly reason: string;
  readonly message: string;
};

/** Of one object, or all of a namespace that have this reason. */
export type EventQuery = { readonly uid: string } | { readonly name: string } | { readonly reason: string };

/** The field selector that an API server is asked with. */
export function fieldsOf(query: EventQuery): string {
  if ("reason" in query) return `reason=${query.reason}`;
  return "uid" in query ? `involvedObject.uid=${query.uid}` : `involvedObject.name=${query.name}`;
}

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
      uid: text(object(event["involvedObject"])["uid"]),
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

/** How many are read at once. An API server joins those that say the same. */
export const MOST_EVENTS = 500;
/** Between two questions about one object: twice as long each time. */
const PAUSE = { first: 1_000, longest: 60_000 };
/** Over all clusters: an API server searches all Events of a namespace for each question. */
const RATE = { perSecond: 2, atOnce: 20 };
/**
 * A quota or a webhook keeps many Jobs without a Pod at once: one answer serves all of a namespace for so long (ms). Shorter
 * than the wait before a Job is asked about: an answer from before its Event would send it away for a second. Twice as long each
 * time that there is nothing to tell, as while a backlog drains and Pods only come late.
 */
const SHARED = { first: 300, longest: 5_000 };
/** So long nothing is asked where the right is missing (ms). */
const REFUSED = 600_000;
/** How many objects are remembered; an older one is only asked about sooner. */
const REMEMBERED = 1_000;

type Told = readonly EventView[] | undefined;
type Known = { readonly at: number; readonly pause: number; readonly events: Told };
type Place = { readonly cluster: Pick<Cluster, "key" | "events">; readonly namespace: string };

const NOTHING: Known = { at: Number.NEGATIVE_INFINITY, pause: PAUSE.first / 2, events: undefined };
export type Inquiry = ReturnType<typeof createInquiry>;

export function createInquiry({ now, log }: { readonly now: () => number; readonly log: Log }) {
  const known = new Map<string, Known>();
  const read = createReader(now, log);
  const remember = (key: string, entry: Known): void => {
    known.delete(key);
    known.set(key, entry);
    const [oldest] = known.keys();
    if (known.size > REMEMBERED && oldest !== undefined) known.delete(oldest);
  };

  return {
    sizes: () => ({ events: known.size, event_places: read.size() }),

    /** What Events tell of an object. Never throws. @param fresh not what was told before, if it can be had */
    async ask(cluster: Place["cluster"], namespace: string, about: Asked, fresh = false): Promise<Answer> {
      const key = `${cluster.key}/${namespace}/${Object.entries(about).join()}`;
      const last = known.get(key) ?? NOTHING;
      const rest = last.at + last.pause - now();
      if (rest > 0 && !fresh) return { events: last.events, again: rest };
      const answer = await read({ cluster, namespace }, about);
      if (answer === "no turn") return { events: last.events, again: PAUSE.first };
      const events = answer ?? last.events;
      const pause = Math.min(PAUSE.longest, last.pause * 2);
      remember(key, { at: now(), pause, events });
      return { events, again: pause };
    },
  };
}

type Shared = { readonly at: number; pause: number; readonly events: Promise<Told | "no turn"> };

/** Asks the cluster, as often as it may; undefined: no answer. */
function createReader(now: () => number, log: Log) {
  const refusedUntil = new Map<string, number>();
  const shared = new Map<string, Shared>();
  let turns = RATE.atOnce;
  let countedAt = now();

  /** Places have other names once a credential was replaced: the old ones would stay for ever. */
  const refuse = (place: string): void => {
    for (const [old, until] of refusedUntil) if (until <= now()) refusedUntil.delete(old);
    refusedUntil.set(place, now() + REFUSED);
  };
  const takeTurn = (): boolean => {
    turns = Math.min(RATE.atOnce, turns + ((now() - countedAt) / 1_000) * RATE.perSecond);
    countedAt = now();
    if (turns < 1) return false;
    turns -= 1;
    return true;
  };
  const read = async ({ cluster, namespace }: Place, query: EventQuery): Promise<Told | "no turn"> => {
    const place = `${cluster.key}/${namespace}`;
    if ((refusedUntil.get(place) ?? 0) > now()) return undefined;
    if (!takeTurn()) return "no turn";
    try {
      return await cluster.events(namespace, query);
    } catch (error) {
      const { code, message } = asOpjobError(error);
      if (code === "CLUSTER_FORBIDDEN") refuse(place);
      log[code === "CLUSTER_FORBIDDEN" ? "info" : "debug"]({ namespace, code, error: message }, "cannot read Events");
      return undefined;
    }
  };
  const readShared = (place: Place): Promise<Told | "no turn"> => {
    const key = `${place.cluster.key}/${place.namespace}`;
    const last = shared.get(key);
    if (last && now() - last.at < last.pause) return last.events;
    const entry = { at: now(), pause: SHARED.first, events: read(place, { reason: "FailedCreate" }) };
    for (const [old, { at }] of shared) if (now() - at > PAUSE.longest) shared.delete(old);
    shared.set(key, entry);
    void entry.events.then((told) => {
      if (told?.length === 0) entry.pause = Math.min(SHARED.longest, (last?.pause ?? SHARED.first / 2) * 2);
    });
    return entry.events;
  };

  const ask = async (place: Place, about: Asked): Promise<Told | "no turn"> => {
    if (!("refusedTo" in about)) return read(place, about);
    const all = await readShared(place);
    if (all === undefined || all === "no turn") return all;
    const own = all.filter(({ uid }) => uid === about.refusedTo);
    const cut = own.length === 0 && all.length >= MOST_EVENTS;
    return cut ? read(place, { uid: about.refusedTo }) : own;
  };
  /** Namespaces in memory: those that were asked about in the last minutes. */
  return Object.assign(ask, { size: () => Math.max(shared.size, refusedUntil.size) });
}
