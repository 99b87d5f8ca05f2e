// The garbage collector and the namespace controller: what follows from a deletion. It reads the store's changes and
// deletes dependents and contents; what a deletion of one object means is deletion.ts.
import type { Core } from "./core.ts";
import { deleteObject, FOREGROUND, ORPHAN } from "./deletion.ts";
import { birth, type KubeObject } from "./objects.ts";
import { EVENTS, NAMESPACES, type Resource, SERVICE_ACCOUNTS, STORED } from "./resources.ts";
import type { Change } from "./store.ts";

/** Begins to follow the store. */
export function collectGarbage(core: Core): void {
  core.store.react((change) => {
    if (change.resource === EVENTS) return;
    if (change.type === "DELETED") core.clock.soon(() => afterDeletion(core, change));
    else if (change.kept.object.metadata.deletionTimestamp) core.clock.soon(() => advance(core, change));
    if (change.type === "ADDED" && change.resource === NAMESPACES) furnish(core, change.kept.object.metadata.name);
  });
}

function furnish(core: Core, namespace: string): void {
  const metadata = { name: "default", namespace, ...birth(core.clock.now()) };
  core.store.create(SERVICE_ACCOUNTS, { kind: "ServiceAccount", apiVersion: "v1", metadata });
}

function afterDeletion(core: Core, { kept }: Change): void {
  deleteDependents(core, kept.object);
  const { ownerReferences = [], namespace: within } = kept.object.metadata;
  for (const owner of ownerReferences) {
    const resource = STORED.find(({ kind }) => kind === owner.kind);
    if (resource) finishForeground(core, resource, owner.name, resource.namespaced ? within : undefined);
  }
  const namespace = core.store.get(NAMESPACES, undefined, within ?? "");
  if (namespace?.object.metadata.deletionTimestamp) finishNamespace(core, namespace.object);
}

/** One step for an object that is marked and still there. */
function advance(core: Core, { resource, kept }: Change): void {
  const { namespace, name, uid, finalizers = [] } = kept.object.metadata;
  const current = core.store.get(resource, namespace, name);
  if (current?.object.metadata.uid !== uid) return;
  if (resource === NAMESPACES) finishNamespace(core, kept.object);
  else if (finalizers.includes(ORPHAN)) orphan(core, resource, kept.object);
  else if (finalizers.includes(FOREGROUND)) {
    deleteDependents(core, kept.object);
    finishForeground(core, resource, name, namespace);
  }
}

function deleteDependents(core: Core, owner: KubeObject): void {
  for (const { resource, object } of core.owned.of(owner.metadata.uid)) {
    const kept = core.store.get(resource, object.metadata.namespace, object.metadata.name);
    const marked = object.metadata.deletionTimestamp !== undefined;
    if (kept && !marked) deleteObject(core, resource, kept, { propagationPolicy: "Background" });
  }
}

function orphan(core: Core, resource: Resource, owner: KubeObject): void {
  for (const dependent of core.owned.of(owner.metadata.uid)) {
    const { ownerReferences = [], ...metadata } = dependent.object.metadata;
    const others = ownerReferences.filter(({ uid }) => uid !== owner.metadata.uid);
    const freed = { ...metadata, ...(others.length > 0 && { ownerReferences: others }) };
    core.store.update(dependent.resource, { ...dependent.object, metadata: freed });
  }
  dropFinalizer(core, resource, owner, ORPHAN);
}

/** Lets an owner go that waits for its dependents, once it has none. */
function finishForeground(core: Core, resource: Resource, name: string, namespace: string | undefined): void {
  const owner = core.store.get(resource, namespace, name)?.object;
  if (!owner?.metadata.deletionTimestamp || !owner.metadata.finalizers?.includes(FOREGROUND)) return;
  if (core.owned.of(owner.metadata.uid).length === 0) dropFinalizer(core, resource, owner, FOREGROUND);
}

function dropFinalizer(core: Core, resource: Resource, object: KubeObject, finalizer: string): void {
  const { namespace, name } = object.metadata;
  const current = core.store.get(resource, namespace, name)?.object;
  if (!current) return;
  const finalizers = (current.metadata.finalizers ?? []).filter((one) => one !== finalizer);
  const { finalizers: _none, ...metadata } = current.metadata;
  core.store.update(resource, { ...current, metadata: { ...metadata, ...(finalizers.length > 0 && { finalizers }) } });
  if (finalizers.length === 0) core.store.remove(resource, namespace, name);
}

function finishNamespace(core: Core, namespace: KubeObject): void {
  const { name } = namespace.metadata;
  let left = 0;
  for (const resource of STORED.filter(({ namespaced }) => namespaced)) {
    for (const kept of [...core.store.all(resource)]) {
      if (kept.object.metadata.namespace !== name) continue;
      if (!kept.object.metadata.deletionTimestamp)
        deleteObject(core, resource, kept, { propagationPolicy: "Background" });
      if (core.store.get(resource, name, kept.object.metadata.name)) left += 1;
    }
  }
  if (left === 0) core.store.remove(NAMESPACES, undefined, name);
}
