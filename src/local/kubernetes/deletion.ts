// What a DELETE does to one object: preconditions, grace of a Pod, finalizers of the propagation policies.
// What follows from it (dependents, contents of a namespace) is garbage.ts.
import type { Core } from "./core.ts";
import { isFinished, type KubeObject, type Pod, timestamp } from "./objects.ts";
import { JOBS, NAMESPACES, PODS, type Resource, SERVICE_ACCOUNTS } from "./resources.ts";
import { conflict } from "./status.ts";
import type { Kept } from "./store.ts";

export type Propagation = "Background" | "Foreground" | "Orphan";
export type DeleteOptions = {
  readonly propagationPolicy?: Propagation;
  readonly orphanDependents?: boolean;
  readonly gracePeriodSeconds?: number;
  readonly dryRun?: readonly string[];
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
};

export const FOREGROUND = "foregroundDeletion";
export const ORPHAN = "orphan";

/** @throws ApiFailure 409 Conflict */
export function checkPreconditions(resource: Resource, kept: Kept, { preconditions = {} }: DeleteOptions): void {
  const { name, uid } = kept.object.metadata;
  const { uid: wanted, resourceVersion: version } = preconditions;
  if (wanted !== undefined && wanted !== uid) throw conflict(resource, name, mismatch("UID", wanted, uid));
  if (version !== undefined && version !== String(kept.version)) {
    throw conflict(resource, name, mismatch("ResourceVersion", version, String(kept.version)));
  }
}

/** In the words of the real server. */
export function mismatch(what: "UID" | "ResourceVersion", wanted: string, found: string | undefined): string {
  const happened = what === "UID" ? "deleted and then recreated" : "modified";
  const differs = `the ${what} in the precondition (${wanted}) does not match the ${what} in record (${found})`;
  return `Precondition failed: ${differs}. The object might have been ${happened}`;
}

/**
 * Deletes an object, or marks it so that its finalizers or its kubelet let it go later.
 * @returns the object that the answer carries; undefined if the answer is a plain Success
 */
export function deleteObject(
  core: Core,
  resource: Resource,
  kept: Kept,
  options: DeleteOptions,
): KubeObject | undefined {
  checkPreconditions(resource, kept, options);
  const { object } = kept;
  if (resource === PODS) return deletePod(core, object as Pod, options.gracePeriodSeconds);
  if (resource === NAMESPACES) return terminateNamespace(core, object);
  const finalizers = finalizersFor(resource, object, options);
  if (finalizers.length > 0) return mark(core, resource, object, { finalizers, deletionGracePeriodSeconds: 0 });
  core.store.remove(resource, object.metadata.namespace, object.metadata.name);
  return resource === SERVICE_ACCOUNTS ? object : undefined;
}

function finalizersFor(resource: Resource, object: KubeObject, options: DeleteOptions): readonly string[] {
  const own = (object.metadata.finalizers ?? []).filter((one) => one !== FOREGROUND && one !== ORPHAN);
  const policy = policyOf(resource, options);
  if (policy === "Foreground") return [...own, FOREGROUND];
  return policy === "Orphan" && resource === JOBS ? [...own, ORPHAN] : own;
}

/** batch/v1 keeps the Pods of a deleted Job unless the client asks otherwise: that surprise is the real server's. */
function policyOf(resource: Resource, options: DeleteOptions): Propagation {
  if (options.propagationPolicy) return options.propagationPolicy;
  if (options.orphanDependents !== undefined) return options.orphanDependents ? "Orphan" : "Background";
  return resource === JOBS ? "Orphan" : "Background";
}

/** The warning of the real server for a Job that is deleted without a policy. */
export const deletionWarnings = (resource: Resource, options: DeleteOptions): string[] =>
  resource === JOBS && options.propagationPolicy === undefined && options.orphanDependents === undefined
    ? [
        "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning",
      ]
    : [];

function deletePod(core: Core, pod: Pod, asked: number | undefined): KubeObject {
  const nothingRuns = isFinished(pod) || pod.spec.nodeName === undefined;
  const grace = nothingRuns ? 0 : Math.max(0, asked ?? pod.spec.terminationGracePeriodSeconds ?? 30);
  if (grace === 0) {
    core.store.remove(PODS, pod.metadata.namespace, pod.metadata.name);
    return { ...pod, metadata: { ...pod.metadata, ...deletionMark(core, 0) } };
  }
  const earlier = pod.metadata.deletionGracePeriodSeconds;
  if (earlier !== undefined && grace >= earlier) return pod;
  return mark(core, PODS, pod, { deletionGracePeriodSeconds: grace });
}

function terminateNamespace(core: Core, object: KubeObject): KubeObject {
  if (object.metadata.deletionTimestamp) return object;
  return mark(core, NAMESPACES, { ...object, status: { phase: "Terminating" } }, {});
}

const deletionMark = (core: Core, seconds: number) => ({
  deletionTimestamp: timestamp(core.clock.now() + seconds * 1_000),
  deletionGracePeriodSeconds: seconds,
});

type Mark = { readonly finalizers?: readonly string[]; readonly deletionGracePeriodSeconds?: number };

function mark(core: Core, resource: Resource, object: KubeObject, more: Mark): KubeObject {
  const { deletionTimestamp } = object.metadata;
  if (deletionTimestamp && resource !== PODS && sameList(object.metadata.finalizers, more.finalizers)) return object;
  const fresh = deletionMark(core, more.deletionGracePeriodSeconds ?? 0);
  return core.store.update(resource, { ...object, metadata: { ...object.metadata, ...fresh, ...more } });
}

const sameList = (a: readonly string[] = [], b: readonly string[] = []) => a.join() === b.join();
