// Who asks and what they may do: bearer tokens, 401, 403 in the real server's words, and SelfSubjectAccessReviews.
// Knows no objects. Without tokens everybody is the administrator.
import { type Answer, type Call, json, type Route } from "./call.ts";
import { isRecord } from "./objects.ts";
import { qualified, type Resource } from "./resources.ts";
import { ApiFailure, forbidden, unauthorized } from "./status.ts";

/** @param resource plural, with the subresource: `jobs`, `pods/log` */
export type Allow = (verb: string, resource: string, namespace: string | undefined) => boolean;
export type Grant = { readonly user: string; readonly allow?: Allow };

const ADMIN: Grant = { user: "admin" };
const ANONYMOUS: Grant = { user: "system:anonymous", allow: () => false };

export class Access {
  readonly #grants: Map<string, Grant> | undefined;

  constructor(tokens: Readonly<Record<string, Grant>> | undefined) {
    this.#grants = tokens && new Map(Object.entries(tokens));
  }

  /** Lets a token in, or changes what it may do. A cluster that was open to all stays so. */
  grant(token: string, grant: Grant): void {
    this.#grants?.set(token, grant);
  }

  revoke(token: string): void {
    this.#grants?.delete(token);
  }

  /** @throws ApiFailure 401 for a token that is not known */
  identify(authorization: string | undefined): Grant {
    if (!this.#grants) return ADMIN;
    if (authorization === undefined) return ANONYMOUS;
    const grant = this.#grants.get(/^Bearer\s+(.+)$/i.exec(authorization)?.[1] ?? "");
    if (!grant) throw unauthorized();
    return grant;
  }
}

const allows = ({ allow }: Grant, verb: string, resource: string, namespace: string | undefined): boolean =>
  allow?.(verb, resource, namespace) ?? true;

/** @throws ApiFailure 403 */
export function authorize(grant: Grant, route: Route): void {
  const { verb, resource, subresource, namespace, name = "" } = route;
  const full = subresource === undefined ? resource.plural : `${resource.plural}/${subresource}`;
  if (resource.verbs.length === 1 && grant !== ANONYMOUS) return; // everybody may ask what they may do
  if (allows(grant, verb, full, namespace)) return;
  throw forbidden(
    resource,
    name,
    `User "${grant.user}" cannot ${verb} resource "${full}" in API group "${resource.group}" ${place(namespace)}`,
  );
}

const place = (namespace: string | undefined) =>
  namespace === undefined ? "at the cluster scope" : `in the namespace "${namespace}"`;

/** The paths of discovery need a known user only. @throws ApiFailure 403 */
export function authorizePath(grant: Grant, path: string): void {
  if (grant !== ANONYMOUS) return;
  throw new ApiFailure(403, "Forbidden", {
    message: `forbidden: User "${grant.user}" cannot get path "${path}"`,
    details: {},
  });
}

/** 201 with the review and its verdict. */
export function review(grant: Grant, call: Call): Answer {
  const spec = isRecord(call.body) && isRecord(call.body["spec"]) ? call.body["spec"] : {};
  const asked = isRecord(spec["resourceAttributes"]) ? spec["resourceAttributes"] : {};
  const text = (field: string) => (typeof asked[field] === "string" ? asked[field] : "");
  const resource = text("subresource") === "" ? text("resource") : `${text("resource")}/${text("subresource")}`;
  const allowed = allows(grant, text("verb"), resource, text("namespace") || undefined);
  const status = allowed ? { allowed } : { allowed, reason: reasonOf(text("verb"), call.resource) };
  const { group, version, kind } = call.resource;
  return json(201, { kind, apiVersion: `${group}/${version}`, metadata: { creationTimestamp: null }, spec, status });
}

const reasonOf = (verb: string, resource: Resource) => `no rule allows ${verb} (${qualified(resource)})`;
