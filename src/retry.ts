// Retry: takes back the Job of an attempt that the cluster could not run, and begins the next one. Never two Pods at once: the next
// attempt begins when the API server itself says that the Job has ended or is gone, and that no Pod of it can run any more.
import type { Ending } from "./clusters/ending-reasons.ts";
import type { Cluster } from "./clusters/kubernetes.ts";
import { type JobView, jobEnd, type PodView } from "./clusters/observation.ts";
import type { Observed } from "./clusters/observed.ts";
import type { Dismiss } from "./dismiss.ts";
import { asOpjobError } from "./errors.ts";
import type { Next } from "./lanes.ts";
import type { Log } from "./log.ts";
import type { Found } from "./look.ts";
import type { Metrics } from "./metrics.ts";
import type { Operations } from "./operations/mongo.ts";
import { type Claimed, isOfAttempt } from "./operations/operation.ts";
import { canRun, mayRetry, mayRunTwice, pauseBefore, type RetryPolicy, worked } from "./operations/retry.ts";

export type RetryOptions = {
  readonly operations: Pick<Operations, "withdraw" | "restore" | "relaunch">;
  readonly observed: Pick<Observed, "pods">;
  readonly policy: RetryPolicy;
  /** Fingerprint of our database: Jobs of other opjobs' are none of ours. */
  readonly database: string;
  /** Whether an orchestrator takes new work. */
  readonly isActive: (orchestrator: string) => boolean;
  readonly dismiss: Pick<Dismiss, "one">;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
};

/** Between two looks at whether a Job is gone, and after a cluster did not answer (ms). */
const LOOK_AGAIN = 1_000;
const AWAY = 5_000;
/**
 * Whoever deletes a Job leaves its Pods to Kubernetes for some seconds, and only a list tells of them, which may be empty that
 * should not be: so long after it was given up, a Job that is gone is looked for again (ms).
 */
const GONE_FOR = 10_000;

const AT_ONCE = { again: 0 };

export type Retry = ReturnType<typeof createRetry>;

export const createRetry = (options: RetryOptions) => ({
  /**
   * Begins to take back the Job of an operation that is to fail. undefined: it fails.
   * @param found what it was judged by; the API server is asked once more
   */
  begin: (operation: Claimed, found: Found, ending: Ending): Promise<Next> =>
    begin(options, { operation, found, ending }),
  /** One step for an operation whose Job is being taken back. */
  goOn: (operation: Claimed, found: Found): Promise<Next> => goOn(options, operation, found.cluster),
});

type Case = { readonly operation: Claimed; readonly found: Found; readonly ending: Ending };

async function begin(options: RetryOptions, { operation, found, ending }: Case): Promise<Next> {
  const { operations, policy, isActive, log, now } = options;
  const { id, claim } = operation;
  const { cluster, observation } = found;
  if (cluster === undefined || observation.kind === "unknown") return undefined;
  if (!isActive(claim.orchestrator) || !mayRetry(operation, ending, policy)) return undefined;
  const { pods } = await standing(options, cluster, operation);
  if (!mayRunTwice(operation, policy) && worked([...observation.pods, ...pods])) return undefined;
  if (!(await operations.withdraw(operation, ending, new Date(now())))) return AT_ONCE;
  const { reason, message, fault } = ending;
  log.info({ operation: id, attempt: claim.attempt, job: claim.job, reason, message, fault }, "taken back");
  return AT_ONCE;
}

async function goOn(options: RetryOptions, operation: Claimed, cluster: Cluster | undefined): Promise<Next> {
  if (cluster === undefined) return { again: AWAY };
  try {
    return await takeStep(options, operation, cluster);
  } catch (error) {
    const { code, message, retryAfterMs } = asOpjobError(error);
    options.log.warn({ operation: operation.id, code, error: message }, "cannot take back the Job now");
    return { again: retryAfterMs ?? AWAY };
  }
}

async function takeStep(options: RetryOptions, operation: Claimed, cluster: Cluster): Promise<Next> {
  const { operations, policy, now } = options;
  const { job, pods } = await standing(options, cluster, operation);
  if (!mayRunTwice(operation, policy) && worked(pods)) {
    await operations.restore(operation, new Date(now()));
    return AT_ONCE;
  }
  // One that came into being late: it is found and recorded first.
  if (job && job.uid !== operation.claim.uid) return { again: LOOK_AGAIN };
  if (job && jobEnd(job) === undefined) return takeBack(options, { operation, cluster, job });
  if (canRun(pods)) return { again: LOOK_AGAIN };
  const wait = job === undefined ? restOf(operation, now()) : 0;
  return wait > 0 ? { again: wait } : relaunch(options, operation);
}

const restOf = ({ claim: { since } }: Claimed, now: number): number =>
  since === null ? 0 : GONE_FOR - (now - since.getTime());

type Standing = { readonly job: JobView | undefined; readonly pods: readonly PodView[] };

/** The Jobs of this attempt's and their Pods, as the API server has them now; a Job may be gone, and its Pods not. */
async function standing({ observed, database }: RetryOptions, cluster: Cluster, operation: Claimed): Promise<Standing> {
  const { id, claim } = operation;
  const { namespace = "", job: name = "", uid } = claim;
  const found = await cluster.getJob(namespace, name);
  const job = found && isOfAttempt(found, operation, database) ? found : undefined;
  const live = await cluster.podsOf({ namespace, name });
  // A list may be empty that should not be: a Pod that the watch still shows is there.
  const shown = observed.pods(id).filter((pod) => pod.job === name && !live.some((one) => one.uid === pod.uid));
  const ours = [...live, ...shown].filter(({ jobUid }) => jobUid === "" || jobUid === uid || jobUid === job?.uid);
  return { job, pods: ours };
}

type Withdrawn = { readonly operation: Claimed; readonly cluster: Cluster; readonly job: JobView };

async function takeBack({ dismiss }: RetryOptions, { operation, cluster, job }: Withdrawn): Promise<Next> {
  const how = { operation, why: "it is launched again", how: "Foreground" } as const;
  const next = job.deleting ? undefined : await dismiss.one(job, cluster, how);
  return next ?? { again: LOOK_AGAIN };
}

async function relaunch(options: RetryOptions, operation: Claimed): Promise<Next> {
  const { operations, policy, metrics, log, now, random } = options;
  const { id, claim } = operation;
  const { attempt, orchestrator, reason, message: why } = claim;
  const nth = (claim.earlier?.length ?? 0) + 1;
  const ms = pauseBefore(nth - 1, policy.pause, random());
  const message = `${why ?? ""} It is launched again in ${Math.ceil(ms / 1_000)} s (${nth} of ${policy.budget}).`;
  const at = now();
  if (!(await operations.relaunch(operation, { at: new Date(at + ms), message }, new Date(at)))) return AT_ONCE;
  metrics.retries.inc({ orchestrator, reason: reason ?? "" });
  log.warn(
    { operation: id, orchestrator, attempt, job: claim.job, reason, pause_ms: Math.round(ms) },
    "launched again",
  );
  return { again: ms };
}
