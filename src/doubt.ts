// Doubt: whether a Job may exist although no answer said so. Pure: knows our errors, and which of them leave it open.
import { databaseError } from "./database.ts";
import type { ErrorCode } from "./errors.ts";

/** Errors of a connection that was never made. */
const NEVER_SENT = ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "UND_ERR_CONNECT_TIMEOUT"];
/** Answers by which the API server says that it did nothing. */
const REFUSALS: readonly ErrorCode[] = [
  "CLUSTER_UNAUTHORIZED",
  "CLUSTER_FORBIDDEN",
  "CLUSTER_NAMESPACE_MISSING",
  "JOB_REFUSED",
  "JOB_NAME_TAKEN",
];

/** Whether the cluster may have created the Job although no answer says so. */
export function mayHaveCreated(thrown: unknown): boolean {
  const { code, cause } = databaseError(thrown);
  return !REFUSALS.includes(code) && !NEVER_SENT.includes(String((cause as NodeJS.ErrnoException | undefined)?.code));
}
