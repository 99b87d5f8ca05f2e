// create, update, patch, delete and deletecollection: reads the body, fills in defaults, refuses what the API server refuses,
// and writes. Knows the rules only through decode.ts, validate-job.ts and deletion.ts.
import { isDeepStrictEqual } from "node:util";
import { admitPod } from "./admission.ts";
import { type Answer, type Call, json, type Verb } from "./call.ts";
import type { Core } from "./core.ts";
import { cannotBeHandled, decode, strictError, unknownField } from "./decode.ts";
import { withDefaults } from "./defaults.ts";
import { mismatch } from "./deletion.ts";
import { birth, generatedName, isRecord, type KubeObject, type Metadata, type Pod } from "./objects.ts";
import { JOBS, NAMESPACES, PODS, type Resource } from "./resources.ts";
import {
  alreadyExists,
  badRequest,
  type Cause,
  conflict,
  forbidden,
  invalid,
  noSuchPath,
  notFound,
  unsupportedMedia,
} from "./status.ts";
import type { Kept } from "./store.ts";
import { dnsLabelErrors, unsupported } from "./validate.ts";
import { causesOf } from "./validate-job.ts";

const MERGES = ["application/merge-patch+json", "application/strategic-merge-patch+json"];

/** 201 with the object. @throws ApiFailure 400, 403, 404, 409, 422 */
export function create(core: Core, call: Call): Answer {
  const { resource } = call;
  const given = readObject(call, call.body);
  const metadata = newMetadata(core, call, given.metadata);
  const filled = withDefaults({ ...given, metadata }, resource);
  refuseInvalid(filled, resource);
  const object = resource === PODS ? admitPod(core, filled as Pod) : filled;
  if (resource === JOBS) warnOfName(call, metadata.name);
  if (isDryRun(call)) refuseTaken(core, resource, object);
  return json(201, isDryRun(call) ? object : core.store.create(resource, object));
}

/** A dry run is refused where the real write would be. @throws ApiFailure 409 */
function refuseTaken(core: Core, resource: Resource, { metadata: { namespace, name } }: KubeObject): void {
  if (core.store.get(resource, namespace, name)) throw alreadyExists(resource, name);
}

function newMetadata(core: Core, call: Call, given: Metadata): Metadata {
  const { resource } = call;
  const { resourceVersion, name: asked, generateName, ...rest } = given;
  if (resourceVersion) throw badRequest("resourceVersion should not be set on objects to be created");
  const name = asked || (generateName ? generatedName(generateName) : "");
  const namespace = resource.namespaced ? { namespace: namespaceOf(core, call, given) } : {};
  const generation = resource === JOBS || resource === PODS ? { generation: 1 } : {};
  const prefix = generateName ? { generateName } : {};
  return { name, ...prefix, ...rest, ...namespace, ...birth(core.clock.now()), ...generation };
}

function namespaceOf(core: Core, { namespace = "", resource }: Call, metadata: Metadata): string {
  if (metadata.namespace && metadata.namespace !== namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
  const within = core.store.get(NAMESPACES, undefined, namespace)?.object;
  if (!within) throw notFound(NAMESPACES, namespace);
  if (!within.metadata.deletionTimestamp) return namespace;
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
  const message = `namespace ${namespace} is being terminated`;
  const causes = [{ reason: "NamespaceTerminating", message, field: "metadata.namespace" }];
  throw forbidden(resource, metadata.name, why, causes);
}

function refuseInvalid(object: KubeObject, resource: Resource): void {
  const causes = causesOf(object, resource);
  if (causes.length > 0) throw invalid(resource, object.metadata.name, causes);
}

function warnOfName(call: Call, name: string): void {
  const errors = dnsLabelErrors(name);
  if (errors.length === 0) return;
  const why =
    "this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended";
  call.warnings.push(`metadata.name: ${why}: [${errors.join(" ")}]`);
}

/** Applies fieldValidation: Warn is the server's default, Strict refuses, Ignore says nothing; all drop what is unknown. */
function readObject(call: Call, body: unknown): KubeObject {
  const { resource, query, warnings } = call;
  checkOptions(call);
  const { object, unknown } = decode(body, resource);
  const problems = [...call.duplicates.map((path) => `duplicate field "${path}"`), ...unknown.map(unknownField)];
  if (problems.length === 0) return object;
  const validation = query.get("fieldValidation") || "Warn";
  if (validation === "Strict") throw strictError(resource, problems);
  if (validation !== "Ignore") warnings.push(...problems);
  return object;
}

const OPTIONS: Partial<Record<Verb, string>> = {
  create: "CreateOptions",
  update: "UpdateOptions",
  patch: "PatchOptions",
};

function checkOptions({ query, verb }: Call): void {
  const causes: Cause[] = [];
  const dryRun = query.getAll("dryRun");
  if (dryRun.some((value) => value !== "All")) causes.push(unsupported("dryRun", dryRun, ["All"]));
  const validation = query.get("fieldValidation") ?? "";
  if (!VALIDATIONS.includes(validation)) causes.push(unsupported("fieldValidation", validation, VALIDATIONS));
  if (causes.length > 0) throw invalid({ group: "meta.k8s.io", kind: OPTIONS[verb] ?? "CreateOptions" }, "", causes);
}

const VALIDATIONS = ["", "Ignore", "Strict", "Warn"];

const isDryRun = ({ query }: Call): boolean => query.getAll("dryRun").includes("All");

/** The stored object that a call names. @throws ApiFailure 404 */
export function find(core: Core, { resource, namespace, name = "" }: Call): Kept {
  const kept = core.store.get(resource, namespace, name);
  if (!kept) throw notFound(resource, name);
  return kept;
}

/** 200 with the object; its resourceVersion, if any, must be the current one. */
export function update(core: Core, call: Call): Answer {
  return json(200, replace(core, call, find(core, call), readObject(call, call.body)));
}

/** 200 with the object. A strategic merge patch is taken as a merge patch: lists are replaced, never merged by key. */
export function patch(core: Core, call: Call): Answer {
  const type = call.contentType.split(";")[0] ?? "";
  if (!MERGES.includes(type)) throw unsupportedMedia(MERGES.join(", "));
  const kept = find(core, call);
  if (!isRecord(call.body)) throw cannotBeHandled(call.resource, "a merge patch must be an object");
  const { kind: _kind, apiVersion: _version, ...changes } = call.body;
  const target = changesVersion(changes) ? kept.object : withoutVersion(kept.object);
  return json(200, replace(core, call, kept, readObject(call, merge(target, changes))));
}

const changesVersion = ({ metadata }: Record<string, unknown>) => isRecord(metadata) && "resourceVersion" in metadata;

function withoutVersion(object: KubeObject): KubeObject {
  const { resourceVersion: _version, ...metadata } = object.metadata;
  return { ...object, metadata };
}

function merge(target: unknown, changes: unknown): unknown {
  if (!isRecord(changes)) return changes;
  const result: Record<string, unknown> = isRecord(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) delete result[key];
    else result[key] = merge(result[key], value);
  }
  return result;
}

function replace(core: Core, call: Call, kept: Kept, next: KubeObject): KubeObject {
  const { resource, subresource } = call;
  if (subresource !== undefined && subresource !== "status") throw noSuchPath();
  refuseOther(call, kept, next);
  const object = subresource === "status" ? withStatusOf(kept.object, next) : withSpecOf(resource, kept.object, next);
  refuseInvalid(object, resource);
  if (isDryRun(call) || changesNothing(object, kept)) return kept.object;
  const written = core.store.update(resource, object);
  if (isLetGo(resource, written)) core.store.remove(resource, written.metadata.namespace, written.metadata.name);
  return written;
}

/** A write for another object than the stored one. @throws ApiFailure 400, 409 */
function refuseOther({ resource, name = "" }: Call, kept: Kept, { metadata }: KubeObject): void {
  if (metadata.name !== name) {
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`);
  }
  const { uid } = kept.object.metadata;
  if (metadata.uid !== undefined && metadata.uid !== uid)
    throw conflict(resource, name, mismatch("UID", metadata.uid, uid));
}

/** Such a write makes no new version, but one from an old version still conflicts. */
function changesNothing(object: KubeObject, kept: Kept): boolean {
  const { resourceVersion: version = String(kept.version) } = object.metadata;
  const current = version === String(kept.version);
  return current && isDeepStrictEqual(withoutVersion(object), withoutVersion(kept.object));
}

/** The last finalizer of a marked object was taken away. */
const isLetGo = (resource: Resource, { metadata }: KubeObject): boolean =>
  resource !== PODS && resource !== NAMESPACES && !!metadata.deletionTimestamp && !metadata.finalizers?.length;

function withStatusOf(current: KubeObject, next: KubeObject): KubeObject {
  const { resourceVersion } = next.metadata;
  const { resourceVersion: _version, ...metadata } = current.metadata;
  return { ...current, metadata: { ...metadata, ...(resourceVersion && { resourceVersion }) }, status: next["status"] };
}

function withSpecOf(resource: Resource, current: KubeObject, next: KubeObject): KubeObject {
  const { uid, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, generation, namespace } =
    current.metadata;
  const kept = { uid, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, generation, namespace };
  const known = Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined));
  const filled = withDefaults({ ...next, metadata: { ...next.metadata, ...known } }, resource);
  const object = "status" in current ? { ...filled, status: current["status"] } : filled;
  if (generation === undefined || isDeepStrictEqual(object["spec"], current["spec"])) return object;
  return { ...object, metadata: { ...object.metadata, generation: generation + 1 } };
}
