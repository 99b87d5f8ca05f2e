// What an API server's refusals mean: HTTP status and Status body in, one of our errors out.
// Pure. The words of the API server are kept, for they name the field, the quota or the webhook.
import { OpjobError } from "../errors.ts";

export type Answer = {
  readonly status: number;
  readonly body: string;
  readonly retryAfter: string | undefined;
};

type StatusBody = {
  readonly message?: string;
  readonly reason?: string;
  readonly details?: { readonly kind?: string; readonly causes?: readonly { field?: string; message?: string }[] };
};

/**
 * The error of an answer that is no success.
 * @param act what was tried, for the sentence: "create the Job x in namespace y"
 * @param server the cluster's address
 */
export function refusal(answer: Answer, act: string, server: string): OpjobError {
  const status = parseStatus(answer.body);
  const said = (status.message ?? `HTTP ${answer.status}`).replace(/[.\s]*$/, ".");
  const retryAfterMs = retryAfter(answer.retryAfter);
  const details = retryAfterMs === undefined ? {} : { retryAfterMs };
  const what = `The cluster ${server} refused to ${act}: ${said}`;
  switch (answer.status) {
    case 400:
    case 422:
      return new OpjobError("JOB_REFUSED", what);
    case 401:
      return new OpjobError("CLUSTER_UNAUTHORIZED", what);
    case 403:
      return new OpjobError("CLUSTER_FORBIDDEN", what);
    case 404:
      return new OpjobError("CLUSTER_NAMESPACE_MISSING", what);
    case 429:
    case 503:
      return new OpjobError("CLUSTER_OVERLOADED", `The cluster ${server} is overloaded: ${said}`, details);
    default:
      return new OpjobError("CLUSTER_ERROR", `The cluster ${server} failed to ${act}: ${said}`, details);
  }
}

/** The Status in a body; bodies of proxies and load balancers are none. */
export function parseStatus(body: string): StatusBody {
  try {
    const parsed = JSON.parse(body) as StatusBody | null;
    return typeof parsed === "object" && parsed !== null ? parsed : {};
  } catch {
    return {};
  }
}

/** Milliseconds of a Retry-After header in seconds; undefined where there is none. */
function retryAfter(header: string | undefined): number | undefined {
  const seconds = Number(header);
  return header !== undefined && Number.isFinite(seconds) ? Math.min(seconds, 3_600) * 1_000 : undefined;
}
