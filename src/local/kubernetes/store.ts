// Keeps the objects, the resourceVersions and the recent changes, and tells listeners of each change in the same tick.
// One number counts all writes, as etcd's revision does. Knows no rules: who may write what is decided before.
import type { KubeObject } from "./objects.ts";
import { type Resource, STORED } from "./resources.ts";
import { alreadyExists, conflict, expired, MODIFIED, notFound } from "./status.ts";

/** An object as stored, with its JSON text made at most once. */
export class Kept {
  readonly object: KubeObject;
  readonly version: number;
  #inner: string | undefined;

  constructor(object: KubeObject, version: number) {
    this.object = object;
    this.version = version;
  }

  /** The members of the JSON text after kind and apiVersion; an item of a list has neither of the two. */
  get item(): string {
    if (this.#inner === undefined) {
      const { kind: _kind, apiVersion: _apiVersion, ...rest } = this.object;
      this.#inner = JSON.stringify(rest);
    }
    return this.#inner;
  }

  /** Gives the text up; it is made again if somebody still asks. */
  forgetText(): void {
    this.#inner = undefined;
  }

  get json(): string {
    const { kind, apiVersion } = this.object;
    return `{"kind":"${kind}","apiVersion":"${apiVersion}",${this.item.slice(1)}`;
  }
}

export type Change = {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly resource: Resource;
  readonly version: number;
  readonly kept: Kept;
  /** Before the change; undefined if it was not there. */
  readonly previous: Kept | undefined;
};
export type Listener = (change: Change) => void;

type Collection = { readonly objects: Map<string, Kept>; history: Change[]; oldest: number; listeners: Set<Listener> };
type Snapshot = { readonly resource: Resource; readonly version: number; readonly kept: readonly Kept[] };

const SNAPSHOTS = 32;
const keyOf = (object: KubeObject) => `${object.metadata.namespace ?? ""}/${object.metadata.name}`;

export class Store {
  readonly #collections = new Map<Resource, Collection>();
  readonly #snapshots: Snapshot[] = [];
  readonly #window: number;
  readonly #reactions: Listener[] = [];
  #version = 1;

  /** @param window how many changes of each resource are kept for watches that begin in the past */
  constructor(window: number) {
    this.#window = window;
    for (const resource of STORED) {
      this.#collections.set(resource, { objects: new Map(), history: [], oldest: 0, listeners: new Set() });
    }
  }

  get version(): number {
    return this.#version;
  }

  /** Calls a controller after the watchers of each change, in the same tick. */
  react(listener: Listener): void {
    this.#reactions.push(listener);
  }

  get(resource: Resource, namespace: string | undefined, name: string): Kept | undefined {
    return this.#of(resource).objects.get(`${namespace ?? ""}/${name}`);
  }

  /** All objects of a resource, in no order. */
  all(resource: Resource): Iterable<Kept> {
    return this.#of(resource).objects.values();
  }

  size(resource: Resource): number {
    return this.#of(resource).objects.size;
  }

  /** @throws ApiFailure 409 AlreadyExists */
  create(resource: Resource, object: KubeObject): KubeObject {
    if (this.#of(resource).objects.has(keyOf(object))) throw alreadyExists(resource, object.metadata.name);
    return this.#write("ADDED", resource, object, undefined);
  }

  /**
   * Replaces an object. A resourceVersion in it must be the current one.
   * @throws ApiFailure 404 NotFound, 409 Conflict
   */
  update(resource: Resource, object: KubeObject): KubeObject {
    const { name, resourceVersion } = object.metadata;
    const previous = this.#of(resource).objects.get(keyOf(object));
    if (!previous) throw notFound(resource, name);
    if (resourceVersion && resourceVersion !== String(previous.version)) throw conflict(resource, name, MODIFIED);
    return this.#write("MODIFIED", resource, object, previous);
  }

  /** Removes an object; the DELETED event carries its last state. No event if it is not there. */
  remove(resource: Resource, namespace: string | undefined, name: string): void {
    const collection = this.#of(resource);
    const previous = collection.objects.get(`${namespace ?? ""}/${name}`);
    if (previous) this.#write("DELETED", resource, previous.object, previous);
  }

  #write(type: Change["type"], resource: Resource, object: KubeObject, previous: Kept | undefined): KubeObject {
    const version = ++this.#version;
    const written: KubeObject = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
    const kept = new Kept(written, version);
    const collection = this.#of(resource);
    if (type === "DELETED") collection.objects.delete(keyOf(object));
    else collection.objects.set(keyOf(object), kept);
    const change: Change = { type, resource, version, kept, previous };
    this.#remember(collection, change);
    for (const listener of collection.listeners) listener(change);
    previous?.forgetText(); // the history would keep thousands of texts that nobody reads
    for (const reaction of this.#reactions) reaction(change);
    return written;
  }

  #remember(collection: Collection, change: Change): void {
    collection.history.push(change);
    if (collection.history.length < 2 * this.#window) return; // dropped by halves: shift() of each would be slow
    const dropped = collection.history.splice(0, collection.history.length - this.#window);
    collection.oldest = dropped.at(-1)?.version ?? collection.oldest;
  }

  /**
   * Listens to the changes of a resource; those after `since` come first, at once.
   * @throws ApiFailure 410 Expired if changes after `since` are no longer kept
   */
  watch(resource: Resource, since: number, listener: Listener): () => void {
    const collection = this.#of(resource);
    if (since < collection.oldest) throw expired(`too old resource version: ${since} (${collection.oldest})`);
    for (const change of collection.history) if (change.version > since) listener(change);
    collection.listeners.add(listener);
    return () => collection.listeners.delete(listener);
  }

  /** The objects in the order of their keys, as of now; kept for a while so that later pages show the same moment. */
  snapshot(resource: Resource, keep: boolean): Snapshot {
    const { objects } = this.#of(resource);
    const kept = [...objects.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
    const snapshot = { resource, version: this.#version, kept };
    if (keep && this.#snapshots.push(snapshot) > SNAPSHOTS) this.#snapshots.shift();
    return snapshot;
  }

  /** An earlier snapshot, unless it is no longer kept. */
  snapshotAt(resource: Resource, version: number): Snapshot | undefined {
    return this.#snapshots.find((snapshot) => snapshot.resource === resource && snapshot.version === version);
  }

  /** Forgets the past: a watch that begins before now, and a list that is continued, are answered 410. */
  forgetHistory(): void {
    this.#snapshots.length = 0;
    this.#version += 1;
    for (const collection of this.#collections.values()) {
      collection.history = [];
      collection.oldest = this.#version;
    }
  }

  #of(resource: Resource): Collection {
    const collection = this.#collections.get(resource);
    if (!collection) throw new Error(`${resource.plural} are not stored`);
    return collection;
  }
}
