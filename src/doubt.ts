// Doubt: whether a Job may exist although no answer said so. Pure: knows our errors, and which of them leave it open.
import { databaseError } from "./database.ts";
import type { ErrorCode } from "./errors.ts";

/** Answers by which the API server says that it did nothing. */
const REFUSALS: readonly ErrorCode[] = [
  "CLUSTER_UNAUTHORIZED",
  "CLUSTER_FORBIDDEN",
  "CLUSTER_QUOTA_EXCEEDED",
  "CLUSTER_NAMESPACE_MISSING",
  "CLUSTER_OVERLOADED",
  "JOB_REFUSED",
  "JOB_DENIED",
  "JOB_NAME_TAKEN",
];

/** Whether the cluster may have created the Job although no answer says so. @param thrown by its creation */
export function mayHaveCreated(thrown: unknown): boolean {
  const { code, unsent } = databaseError(thrown);
  return !unsent && !REFUSALS.includes(code);
}
