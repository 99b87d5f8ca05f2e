// What a Job's status becomes from what is known of its Pods: the counts and the conditions of Kubernetes 1.31 and later.
// Pure; the controller does what it says.
import {
  type Condition,
  hasCondition,
  type Job,
  type JobStatus,
  type Pod,
  timestamp,
  withCondition,
} from "./objects.ts";

/** What the controller remembers of a Job: Pods that ended stay counted when they are gone. */
export type Tally = {
  readonly succeeded: ReadonlySet<string>;
  readonly failed: ReadonlySet<string>;
};

export type Verdict = {
  readonly type: "SuccessCriteriaMet" | "FailureTarget";
  readonly reason: string;
  readonly message: string;
};

const SUCCESS: Verdict = {
  type: "SuccessCriteriaMet",
  reason: "CompletionsReached",
  message: "Reached expected number of succeeded pods",
};
const BACKOFF: Verdict = {
  type: "FailureTarget",
  reason: "BackoffLimitExceeded",
  message: "Job has reached the specified backoff limit",
};
const DEADLINE: Verdict = {
  type: "FailureTarget",
  reason: "DeadlineExceeded",
  message: "Job was active longer than specified deadline",
};

export const isOver = (job: Job): boolean => hasCondition(job.status, "Complete") || hasCondition(job.status, "Failed");

/** A Pod that is being deleted counts as failed at once, unless the Job waits for its end (podReplacementPolicy Failed). */
export const isActive = (pod: Pod): boolean =>
  pod.status.phase !== "Succeeded" && pod.status.phase !== "Failed" && !pod.metadata.deletionTimestamp;

/** The end that a Job has earned, if any. @param now ms */
export function verdictOf(job: Job, pods: readonly Pod[], tally: Tally, now: number): Verdict | undefined {
  const { completions, parallelism = 1, backoffLimit = 6 } = job.spec;
  if (tally.failed.size > backoffLimit || pastRestarts(job, pods, backoffLimit)) return BACKOFF;
  if (deadlineOf(job) <= now) return DEADLINE;
  const wanted = completions ?? Math.min(1, parallelism);
  return tally.succeeded.size >= wanted ? SUCCESS : undefined;
}

/** With restartPolicy OnFailure the restarts of live containers count as failures, too. */
function pastRestarts({ spec }: Job, pods: readonly Pod[], backoffLimit: number): boolean {
  if (spec.template.spec.restartPolicy !== "OnFailure") return false;
  const restarts = restartsOf(pods.filter(isActive));
  return restarts > 0 && restarts >= backoffLimit;
}

const restartsOf = (pods: readonly Pod[]): number =>
  pods
    .flatMap(({ status }) => [...(status.containerStatuses ?? []), ...(status.initContainerStatuses ?? [])])
    .reduce((sum, { restartCount }) => sum + restartCount, 0);

/** When a Job's time is over, in ms; Infinity if it has no deadline or does not run. */
export function deadlineOf({ spec, status }: Job): number {
  if (spec.activeDeadlineSeconds === undefined || status.startTime === undefined || spec.suspend) return Infinity;
  return Date.parse(status.startTime) + spec.activeDeadlineSeconds * 1_000;
}

/** The verdict that a Job's conditions already hold. */
export function knownVerdict({ status }: Job): Verdict | undefined {
  const held = status.conditions?.find(({ type }) => type === "SuccessCriteriaMet" || type === "FailureTarget");
  return held && { type: held.type as Verdict["type"], reason: held.reason ?? "", message: held.message ?? "" };
}

/** The status with the counts of now. */
export function countedStatus(job: Job, pods: readonly Pod[], tally: Tally): JobStatus {
  const active = pods.filter(isActive);
  const isReady = ({ status }: Pod) => hasCondition(status, "Ready");
  const terminating = pods.filter(
    (pod) => !isActive(pod) && pod.status.phase !== "Succeeded" && pod.status.phase !== "Failed",
  );
  const { succeeded, failed } = tally;
  const { active: _active, succeeded: _succeeded, failed: _failed, ...rest } = job.status;
  return {
    ...rest,
    ...(active.length > 0 && { active: active.length }),
    ...(succeeded.size > 0 && { succeeded: succeeded.size }),
    ...(failed.size > 0 && { failed: failed.size }),
    ready: active.filter(isReady).length,
    terminating: terminating.length,
    uncountedTerminatedPods: {},
  };
}

/** The status with the final condition that follows a verdict. */
export function finalStatus(status: JobStatus, { type, reason, message }: Verdict, now: number): JobStatus {
  const final = type === "SuccessCriteriaMet" ? "Complete" : "Failed";
  const conditions = set(status, { type: final, status: "True", reason, message }, now);
  return { ...status, conditions, ...(final === "Complete" && { completionTime: timestamp(now) }) };
}

/** The conditions with one of them set. */
export const set = ({ conditions }: JobStatus, condition: Condition, now: number): Condition[] =>
  withCondition(conditions, { ...condition, lastProbeTime: timestamp(now) }, now);
