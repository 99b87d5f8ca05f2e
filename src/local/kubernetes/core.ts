// What the parts of the local cluster share: the store, the clock, the owners and the writing of events.
// It decides nothing; each part gets it whole and touches only what its own header names.
import type { Clock } from "./clock.ts";
import { birth, type KubeObject, timestamp } from "./objects.ts";
import type { Owned } from "./owned.ts";
import { EVENTS, NAMESPACES } from "./resources.ts";
import type { Store } from "./store.ts";

export type Core = { readonly store: Store; readonly clock: Clock; readonly owned: Owned; readonly events: EventLog };

export type Occurrence = {
  readonly type?: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
  readonly component: string;
};

const MOST_EVENTS = 5_000;

/** Writes core/v1 Events; the same thing said again counts up, and the oldest go when there are too many. */
export class EventLog {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #names = new Map<string, { readonly namespace: string; readonly name: string }>();

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  record(regarding: KubeObject, occurrence: Occurrence): void {
    const { namespace = "default", uid } = regarding.metadata;
    if (this.#store.get(NAMESPACES, undefined, namespace)?.object.metadata.deletionTimestamp) return;
    const key = `${uid} ${occurrence.reason} ${occurrence.message}`;
    const known = this.#names.get(key);
    const earlier = known && this.#store.get(EVENTS, known.namespace, known.name)?.object;
    const now = timestamp(this.#clock.now());
    if (earlier) {
      this.#store.update(EVENTS, { ...earlier, count: Number(earlier["count"]) + 1, lastTimestamp: now });
      return;
    }
    const event = this.#compose(regarding, occurrence);
    this.#store.create(EVENTS, event);
    this.#names.set(key, { namespace, name: event.metadata.name });
    if (this.#names.size > MOST_EVENTS) this.#dropOldest();
  }

  #compose(regarding: KubeObject, { type = "Normal", reason, message, component }: Occurrence): KubeObject {
    const { kind, apiVersion } = regarding;
    const { namespace = "default", name, uid, resourceVersion } = regarding.metadata;
    const now = timestamp(this.#clock.now());
    const id = `${name}.${(this.#store.version + 1).toString(16).padStart(16, "0")}`;
    return {
      kind: "Event",
      apiVersion: "v1",
      metadata: { name: id, namespace, ...birth(this.#clock.now()) },
      involvedObject: { kind, namespace, name, uid, apiVersion, resourceVersion },
      reason,
      message,
      source: { component },
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
      type,
      eventTime: null,
      reportingComponent: component,
      reportingInstance: "",
    };
  }

  #dropOldest(): void {
    const [oldest] = this.#names;
    if (!oldest) return;
    const [key, { namespace, name }] = oldest;
    this.#names.delete(key);
    this.#store.remove(EVENTS, namespace, name);
  }
}
