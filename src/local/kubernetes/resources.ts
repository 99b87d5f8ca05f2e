// The table of the resources that this API serves. Pure data: routing, discovery, the store and the wording of errors read it.

export type Resource = {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly verbs: readonly string[];
};

const ALL = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

function resource(
  kind: string,
  plural: string,
  shortNames: readonly string[] = [],
  more: Partial<Resource> = {},
): Resource {
  const singular = kind.toLowerCase();
  return { group: "", version: "v1", plural, singular, kind, namespaced: true, shortNames, verbs: ALL, ...more };
}

export const JOBS = resource("Job", "jobs", [], { group: "batch" });
export const PODS = resource("Pod", "pods", ["po"]);
export const EVENTS = resource("Event", "events", ["ev"]);
export const NAMESPACES = resource("Namespace", "namespaces", ["ns"], { namespaced: false });
export const SECRETS = resource("Secret", "secrets");
export const CONFIG_MAPS = resource("ConfigMap", "configmaps", ["cm"]);
export const SERVICE_ACCOUNTS = resource("ServiceAccount", "serviceaccounts", ["sa"]);
export const NODES = resource("Node", "nodes", ["no"], { namespaced: false });
export const LEASES = resource("Lease", "leases", [], { group: "coordination.k8s.io" });
export const ACCESS_REVIEWS = resource("SelfSubjectAccessReview", "selfsubjectaccessreviews", [], {
  group: "authorization.k8s.io",
  namespaced: false,
  verbs: ["create"],
});

/** The resources whose objects are kept. */
export const STORED: readonly Resource[] = [
  JOBS,
  PODS,
  EVENTS,
  NAMESPACES,
  SECRETS,
  CONFIG_MAPS,
  SERVICE_ACCOUNTS,
  NODES,
  LEASES,
];
export const RESOURCES: readonly Resource[] = [...STORED, ACCESS_REVIEWS];

/** `batch/v1`, or `v1` for the core group. */
export const groupVersion = (of: Pick<Resource, "group" | "version">): string =>
  of.group === "" ? of.version : `${of.group}/${of.version}`;

/** `jobs.batch`, as the server names a resource in its messages. */
export const qualified = (of: Pick<Resource, "group" | "plural">): string =>
  of.group === "" ? of.plural : `${of.plural}.${of.group}`;

/** `Job.batch`, as the server names a kind in its messages. */
export const qualifiedKind = (of: Pick<Resource, "group" | "kind">): string =>
  of.group === "" ? of.kind : `${of.kind}.${of.group}`;

export const findResource = (group: string, plural: string): Resource | undefined =>
  RESOURCES.find((resource) => resource.group === group && resource.plural === plural);
