// What an API server's refusals mean: HTTP status and Status body in, one of our errors out.
// Pure. The words of the API server are kept, for they name the field, the quota or the webhook.
import { type ErrorCode, OpjobError } from "../errors.ts";

export type Answer = {
  readonly status: number;
  readonly body: string;
  /** How long the API server asks to wait. */
  readonly retryAfterMs: number | undefined;
};

type Cause = { readonly reason?: string; readonly field?: string; readonly message?: string };
type Status = {
  readonly message: string;
  readonly reason: string | undefined;
  /** Name of the object that it speaks of. */
  readonly name: string | undefined;
  readonly causes: readonly Cause[];
};

/**
 * The error of an answer that is no success.
 * @param act what was tried, for the sentence: "create the Job x in namespace y"
 * @param server the cluster's address
 */
export function refusal(answer: Answer, act: string, server: string): OpjobError {
  const status = parseStatus(answer.body);
  const said = sentence(status, answer.status);
  const { retryAfterMs } = answer;
  const details = retryAfterMs === undefined ? {} : { retryAfterMs };
  const code = codeOfWords(answer.status, status) ?? codeOfStatus(answer.status);
  if (code === "CLUSTER_OVERLOADED") {
    return new OpjobError(code, `The cluster ${server} is overloaded: ${said}`, details);
  }
  const verb = code === "CLUSTER_ERROR" || code === "CLUSTER_WEBHOOK_FAILED" ? "failed" : "refused";
  return new OpjobError(code, `The cluster ${server} ${verb} to ${act}: ${said}`, details);
}

/**
 * Admission has no status of its own. A webhook answers with whatever code it likes, by default 400; a
 * ValidatingAdmissionPolicy with 422; a quota and a namespace that ends with 403, like missing rights.
 */
function codeOfWords(status: number, { message, causes }: Status): ErrorCode | undefined {
  const later = status === 429 || status >= 500;
  if (DENIED.test(message) && !later) return "JOB_DENIED";
  if (WEBHOOK.test(message)) return "CLUSTER_WEBHOOK_FAILED";
  if (status !== 403) return undefined;
  if (message.includes("exceeded quota:")) return "CLUSTER_QUOTA_EXCEEDED";
  return causes.some(isTerminating) ? "CLUSTER_NAMESPACE_MISSING" : undefined;
}

const isTerminating = ({ reason }: Cause): boolean => reason === "NamespaceTerminating";

const WEBHOOK = /admission webhook "[^"]+" denied the request|failed calling webhook/;
const DENIED =
  /admission webhook "[^"]+" denied the request|ValidatingAdmissionPolicy '[^']+' with binding '[^']+' denied request/;

function codeOfStatus(status: number): ErrorCode {
  switch (status) {
    case 400:
    case 422:
      return "JOB_REFUSED";
    case 401:
      return "CLUSTER_UNAUTHORIZED";
    case 403:
      return "CLUSTER_FORBIDDEN";
    case 404:
      return "CLUSTER_NAMESPACE_MISSING";
    case 429:
    case 503:
      return "CLUSTER_OVERLOADED";
    default:
      return "CLUSTER_ERROR";
  }
}

/** The message, and every cause that it does not tell already. */
function sentence({ message, causes }: Status, status: number): string {
  const untold = causes.filter((cause) => cause.message && !message.includes(cause.message));
  const told = untold.map(({ field, message: why }) => (field ? `${field}: ${why}` : why));
  const all = [message || `HTTP ${status}`, ...told].map((text) => `${text}`.replace(/[.\s]*$/, ""));
  return `${all.join("; ")}.`;
}

/** The Status in a body; bodies of proxies and load balancers are none. */
export function parseStatus(body: string): Status {
  type Body = { message?: string; reason?: string; details?: { name?: string; causes?: Cause[] } } | null;
  const { message = "", reason, details } = (parsed(body) as Body) ?? {};
  return { message, reason, name: details?.name, causes: details?.causes ?? [] };
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** Another Job has the name: the API server compared the uid. Any other 409 is a write that came between. */
export const isPreconditionFailure = ({ status, body }: Answer): boolean =>
  status === 409 && /precondition/i.test(parseStatus(body).message);

/** Whether a 404 is the API server's own word about this object, and not of something on the way to it. */
export function isNotFound({ status, body }: Answer, object: string): boolean {
  const { reason, name } = parseStatus(body);
  return status === 404 && reason === "NotFound" && name === object;
}

export const isAlreadyThere = ({ status, body }: Answer): boolean =>
  status === 409 && parseStatus(body).reason === "AlreadyExists";

/** What asks for a longer pause is asked again after this one: a wrong clock must not stop a cluster for a day (ms). */
const LONGEST_PAUSE = 600_000;

/**
 * Milliseconds of a Retry-After header; undefined where there is none or it cannot be read.
 * @param date the answer's own Date header: a time in Retry-After is by the same clock, which need not be ours
 */
export function retryAfterOf(header: string | undefined, date: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const seconds = Number(header);
  const ms = Number.isNaN(seconds) ? Date.parse(header) - Date.parse(date ?? "") : seconds * 1_000;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(0, ms), LONGEST_PAUSE);
}

/** The object in an answer's body. @throws OpjobError CLUSTER_ERROR */
export function parse(body: string, act: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(body) as Readonly<Record<string, unknown>>;
  } catch (cause) {
    throw new OpjobError(
      "CLUSTER_ERROR",
      `The cluster's answer could not be read after trying to ${act}: it is not JSON.`,
      { cause },
    );
  }
}
