// The Status bodies of the API server, worded as it words them (clients and people match on them).
// Knows no HTTP: the server turns an ApiFailure into an answer.
import { qualified, qualifiedKind, type Resource } from "./resources.ts";

export type Cause = { readonly reason: string; readonly message: string; readonly field?: string };
export type Details = {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly Cause[];
  readonly retryAfterSeconds?: number;
};
export type Status = {
  readonly kind: "Status";
  readonly apiVersion: "v1";
  readonly metadata: Readonly<Record<string, string>>;
  readonly status: "Success" | "Failure";
  readonly message?: string;
  readonly reason?: string;
  readonly details?: Details;
  readonly code?: number;
};

type Body = Pick<Status, "message" | "details" | "metadata">;

/** A refusal of the API; its status is the body of the answer. */
export class ApiFailure extends Error {
  readonly status: Status & { readonly code: number };

  constructor(code: number, reason: string, body: Partial<Body> & { readonly message: string }) {
    super(body.message);
    const { metadata = {}, message, details } = body;
    const head = { kind: "Status", apiVersion: "v1", metadata, status: "Failure", message, reason } as const;
    this.status = { ...head, ...(details && { details }), code };
  }
}

const about = (resource: Resource, name: string): Details => ({
  ...(name !== "" && { name }),
  ...(resource.group !== "" && { group: resource.group }),
  kind: resource.plural,
});

export const success = (resource: Resource, name: string, uid = ""): Status => ({
  kind: "Status",
  apiVersion: "v1",
  metadata: {},
  status: "Success",
  details: { ...about(resource, name), uid },
});

export const notFound = (resource: Resource, name: string) =>
  new ApiFailure(404, "NotFound", {
    message: `${qualified(resource)} "${name}" not found`,
    details: about(resource, name),
  });

/** A path that the server does not know. */
export const noSuchPath = () =>
  new ApiFailure(404, "NotFound", { message: "the server could not find the requested resource", details: {} });

export const alreadyExists = (resource: Resource, name: string) =>
  new ApiFailure(409, "AlreadyExists", {
    message: `${qualified(resource)} "${name}" already exists`,
    details: about(resource, name),
  });

export const conflict = (resource: Resource, name: string, why: string) =>
  new ApiFailure(409, "Conflict", {
    message: `Operation cannot be fulfilled on ${qualified(resource)} "${name}": ${why}`,
    details: about(resource, name),
  });

export const MODIFIED = "the object has been modified; please apply your changes to the latest version and try again";

export const badRequest = (message: string) => new ApiFailure(400, "BadRequest", { message });

export const unauthorized = () => new ApiFailure(401, "Unauthorized", { message: "Unauthorized" });

/** @param name of the object, or "" where the request names none */
export const forbidden = (resource: Resource, name: string, why: string, causes?: readonly Cause[]) =>
  new ApiFailure(403, "Forbidden", {
    message: `${qualified(resource)}${name === "" ? "" : ` "${name}"`} is forbidden: ${why}`,
    details: { ...about(resource, name), ...(causes && { causes }) },
  });

export const methodNotAllowed = () =>
  new ApiFailure(405, "MethodNotAllowed", {
    message: "the server does not allow this method on the requested resource",
    details: {},
  });

export const unsupportedMedia = (accepted: string) =>
  new ApiFailure(415, "UnsupportedMediaType", {
    message: `the body of the request was in an unknown format - accepted media types include: ${accepted}`,
  });

/** @param most bytes */
export const tooLarge = (most: number) =>
  new ApiFailure(413, "RequestEntityTooLarge", { message: `Request entity too large: limit is ${most}` });

/** 422; what is wrong twice is told once. */
export function invalid(resource: Pick<Resource, "group" | "kind">, name: string, all: readonly Cause[]): ApiFailure {
  const causes = [...new Map(all.map((cause) => [`${cause.field} ${cause.message}`, cause])).values()];
  const texts = causes.map(({ field, message }) => `${field}: ${message}`);
  const list = texts.length === 1 ? texts[0] : `[${texts.join(", ")}]`;
  const { group, kind } = resource;
  return new ApiFailure(422, "Invalid", {
    message: `${qualifiedKind(resource)} "${name}" is invalid: ${list}`,
    details: { ...(name !== "" && { name }), ...(group !== "" && { group }), kind, causes },
  });
}

export const expired = (message: string, next?: string) =>
  new ApiFailure(410, "Expired", { message, metadata: next === undefined ? {} : { continue: next } });

export const tooLargeVersion = (asked: number, current: number) =>
  new ApiFailure(504, "Timeout", {
    message: `Timeout: Too large resource version: ${asked}, current: ${current}`,
    details: {
      causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
      retryAfterSeconds: 1,
    },
  });

export const internalError = (message: string) =>
  new ApiFailure(500, "InternalError", {
    message: `Internal error occurred: ${message}`,
    details: { causes: [{ reason: "", message }] },
  });

const REASONS: Readonly<Record<number, readonly [string, string]>> = {
  403: ["Forbidden", "forbidden by a fault of the local cluster"],
  429: ["TooManyRequests", "Too many requests, please try again later."],
  500: ["InternalError", "Internal error occurred: a fault of the local cluster"],
  503: ["ServiceUnavailable", "the server is currently unable to handle the request"],
};

/** The answer of an injected fault. @param retryAfter seconds */
export function faultStatus(code: number, retryAfter?: number): ApiFailure {
  const [reason, message] = REASONS[code] ?? ["", "the server reported a fault"];
  const details: Details = retryAfter === undefined ? {} : { retryAfterSeconds: retryAfter };
  return new ApiFailure(code, reason, { message, details });
}
