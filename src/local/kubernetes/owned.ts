// An index of the objects by the uid of their owners, kept from the store's changes. Knows nothing of Jobs or deletion.
import type { KubeObject } from "./objects.ts";
import { EVENTS, type Resource } from "./resources.ts";
import type { Change, Store } from "./store.ts";

export type Dependent = { readonly resource: Resource; readonly object: KubeObject };

export class Owned {
  readonly #store: Store;
  readonly #byOwner = new Map<string, Map<string, Resource>>();

  constructor(store: Store) {
    this.#store = store;
    store.react((change) => this.#follow(change));
  }

  /** The live objects that name this owner. */
  of(uid: string | undefined): Dependent[] {
    const keys = this.#byOwner.get(uid ?? "") ?? new Map<string, Resource>();
    return [...keys].flatMap(([key, resource]) => {
      const [, namespace, name = ""] = key.split("/");
      const object = this.#store.get(resource, namespace, name)?.object;
      return object ? [{ resource, object }] : [];
    });
  }

  #follow({ type, resource, kept, previous }: Change): void {
    if (resource === EVENTS) return;
    const { namespace = "", name } = kept.object.metadata;
    const key = `${resource.plural}/${namespace}/${name}`;
    if (type !== "ADDED") for (const owner of ownersOf(previous?.object)) this.#forget(owner, key);
    if (type === "DELETED") return;
    for (const owner of ownersOf(kept.object)) {
      const keys = this.#byOwner.get(owner) ?? new Map<string, Resource>();
      this.#byOwner.set(owner, keys.set(key, resource));
    }
  }

  #forget(owner: string, key: string): void {
    const keys = this.#byOwner.get(owner);
    keys?.delete(key);
    if (keys?.size === 0) this.#byOwner.delete(owner);
  }
}

const ownersOf = (object: KubeObject | undefined): string[] =>
  (object?.metadata.ownerReferences ?? []).map(({ uid }) => uid);
