// What the simulated API server keeps: objects, the version of each change, and a history for watches that begin in the past.
// Knows nothing of what the objects do.
import { KINDS, type KubeObject, keyOf, type Meta, type Part, type Resource, timestamp } from "./objects.ts";

export type Event = {
  readonly version: number;
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly resource: Resource;
  readonly object: KubeObject;
};

export type Fresh = {
  readonly metadata: Partial<Meta> & Pick<Meta, "name" | "namespace">;
  readonly spec?: Part;
  readonly status?: Part;
};

export class KubeStore {
  readonly #objects = new Map<Resource, Map<string, KubeObject>>();
  readonly #listeners = new Set<(event: Event) => void>();
  readonly #now: () => number;
  readonly #name: string;
  #history: Event[] = [];
  #oldest = 0;
  #version = 100;
  #uids = 0;

  /** @param now milliseconds since 1970 by the cluster's own clock */
  constructor(name: string, now: () => number) {
    this.#name = name;
    this.#now = now;
  }

  get version(): number {
    return this.#version;
  }

  now(): number {
    return this.#now();
  }

  get(resource: Resource, key: string): KubeObject | undefined {
    return this.#of(resource).get(key);
  }

  /** An object by its uid, as it is now. */
  byUid(resource: Resource, uid: string): KubeObject | undefined {
    return this.all(resource).find(({ metadata }) => metadata.uid === uid);
  }

  all(resource: Resource): readonly KubeObject[] {
    return [...this.#of(resource).values()];
  }

  create(resource: Resource, { metadata, ...rest }: Fresh): KubeObject {
    const uid = `${this.#name}-${resource.slice(0, 1)}${++this.#uids}`;
    const creationTimestamp = timestamp(this.#now());
    return this.#put("ADDED", resource, {
      ...KINDS[resource],
      ...rest,
      metadata: { ...metadata, uid, creationTimestamp, resourceVersion: "" },
    });
  }

  /** Replaces an object by a changed one. */
  update(resource: Resource, object: KubeObject): KubeObject {
    return this.#put("MODIFIED", resource, object);
  }

  remove(resource: Resource, object: KubeObject): void {
    if (!this.#of(resource).delete(keyOf(object.metadata))) return;
    this.#tell("DELETED", resource, object);
  }

  /** Changes of a resource after a version; undefined: they are no longer known. */
  since(resource: Resource, version: number): readonly Event[] | undefined {
    if (version < this.#oldest) return undefined;
    return this.#history.filter((event) => event.version > version && event.resource === resource);
  }

  forgetHistory(): void {
    // The next change makes every version of before too old.
    this.#oldest = this.#version + 1;
    this.#version += 1;
    this.#history = [];
  }

  onEvent(call: (event: Event) => void): () => void {
    this.#listeners.add(call);
    return () => this.#listeners.delete(call);
  }

  #of(resource: Resource): Map<string, KubeObject> {
    const known = this.#objects.get(resource) ?? new Map<string, KubeObject>();
    this.#objects.set(resource, known);
    return known;
  }

  #put(type: Event["type"], resource: Resource, object: KubeObject): KubeObject {
    const versioned = this.#tell(type, resource, object, (kept) => this.#of(resource).set(keyOf(kept.metadata), kept));
    return versioned;
  }

  #tell(
    type: Event["type"],
    resource: Resource,
    object: KubeObject,
    keep: (object: KubeObject) => void = () => undefined,
  ): KubeObject {
    const version = ++this.#version;
    const versioned = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
    keep(versioned);
    const event = { version, type, resource, object: versioned };
    this.#history.push(event);
    for (const call of [...this.#listeners]) call(event);
    return versioned;
  }
}
