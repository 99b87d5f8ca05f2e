// A Job that came into being too late to be recorded: its operation ended meanwhile, or is not claimed any more. What becomes of it.
import type { Cluster } from "./clusters/kubernetes.ts";
import type { JobView } from "./clusters/observation.ts";
import type { Dismiss } from "./dismiss.ts";
import type { Next } from "./lanes.ts";
import type { Operations } from "./operations/mongo.ts";
import { isClaimed, isMadeFor, type Operation } from "./operations/operation.ts";

export type LateJobOptions = {
  readonly operations: Pick<Operations, "read">;
  readonly dismiss: Pick<Dismiss, "one">;
};

/** Leaves it to who follows its operation, or deletes it. */
export type SettleLateJob = (job: JobView, cluster: Cluster) => Promise<Next>;

export const createSettleLateJob =
  ({ operations, dismiss }: LateJobOptions): SettleLateJob =>
  async (job, cluster) => {
    const operation = await operations.read(job.operation);
    if (operation !== undefined && mayServe(operation, job)) return { again: 0 };
    return dismiss.one(job, cluster, { operation, why: "the operation ended before its Job was recorded" });
  };

function mayServe(operation: Operation, job: JobView): boolean {
  const { runState, queuedAt, claim } = operation;
  // A worker may have been quicker than the record of its Job; only a failure or somebody's change takes a Job back.
  if (isClaimed(operation)) return claim?.attempt === job.attempt && runState !== "failed";
  // Queued again, and taken by this Job's worker: it is taken up as it is.
  if (runState === "running") return true;
  // A failover took back the claim that it was made for: it is claimed once more, and the Job is found again.
  return runState === "queued" && job.queueing !== undefined && isMadeFor(job, queuedAt);
}
