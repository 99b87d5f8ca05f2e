// One request as the verbs see it, and the answer that they give. Knows the paths of the API; not how bytes travel.
import { findResource, type Resource } from "./resources.ts";

export type Verb = "get" | "list" | "watch" | "create" | "update" | "patch" | "delete" | "deletecollection";

/** What a path under /api or /apis names. */
export type Route = {
  readonly verb: Verb;
  readonly resource: Resource;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
};

export type Call = Route & {
  readonly query: URLSearchParams;
  readonly accept: string;
  readonly contentType: string;
  readonly body: unknown;
  /** Paths of fields that are twice in the body. */
  readonly duplicates: readonly string[];
  readonly user: string;
  /** Texts for `Warning` headers; verbs add to it. */
  readonly warnings: string[];
};

export type Answer = { readonly code: number; readonly body: string; readonly type?: string };

export const json = (code: number, value: unknown): Answer => ({ code, body: JSON.stringify(value) });

const VERBS: Readonly<Record<string, readonly [one: Verb, many: Verb]>> = {
  GET: ["get", "list"],
  HEAD: ["get", "list"],
  POST: ["create", "create"],
  PUT: ["update", "update"],
  PATCH: ["patch", "patch"],
  DELETE: ["delete", "deletecollection"],
};

export const isTrue = (text: string | null): boolean => text === "true" || text === "1";

type Place = Pick<Route, "resource" | "namespace" | "name" | "subresource">;

/** @returns undefined for a path that names no resource, "method" for a method that has no verb there */
export function routeOf(method: string, path: string, query: URLSearchParams): Route | "method" | undefined {
  const place = placeOf(path);
  if (!place) return undefined;
  const verbs = VERBS[method];
  if (!verbs) return "method";
  const many = isTrue(query.get("watch")) && method === "GET" ? "watch" : verbs[1];
  const verb = place.name === undefined ? many : verbs[0];
  return fits(verb, place) ? { verb, ...place } : "method";
}

function placeOf(path: string): Place | undefined {
  const [root, ...rest] = path
    .split("/")
    .filter((part) => part !== "")
    .map(decodeURIComponent);
  if (root === "api") return placeIn("", rest); // the core group has no name
  return root === "apis" ? placeIn(rest[0] ?? "", rest.slice(1)) : undefined;
}

function placeIn(group: string, [version, ...steps]: readonly string[]): Place | undefined {
  const namespace = isInside(steps) ? steps[1] : undefined;
  const [plural = "", name, subresource] = namespace === undefined ? steps : steps.slice(2);
  const resource = findResource(group, plural);
  if (resource?.version !== version || resource === undefined) return undefined;
  return namespace === undefined || resource.namespaced ? { resource, namespace, name, subresource } : undefined;
}

/** namespaces/NAME/pods is inside of it; namespaces/NAME and namespaces/NAME/status are the namespace itself. */
const isInside = ([first, , third]: readonly string[]): boolean =>
  first === "namespaces" && third !== undefined && third !== "status" && third !== "finalize";

function fits(verb: Verb, { name, subresource }: Place): boolean {
  if (verb === "create") return name === undefined || subresource !== undefined;
  return name !== undefined || (verb !== "update" && verb !== "patch");
}
