// Dismiss: deletes a Job, and nothing but that Job. What it follows from must be settled; then a live GET and the uid come first;
// the API server compares the uid again.
import type { Cluster } from "./clusters/kubernetes.ts";
import type { JobView } from "./clusters/observation.ts";
import type { ObservedJob } from "./clusters/observed.ts";
import type { Pool } from "./clusters/pool.ts";
import { databaseError } from "./database.ts";
import type { Next } from "./lanes.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import type { Fence } from "./operations/fence.ts";
import type { Operations } from "./operations/mongo.ts";

export type DismissOptions = {
  readonly operations: Pick<Operations, "settled">;
  readonly pool: Pick<Pool, "ofScope">;
  readonly fence: Fence;
  readonly metrics: Metrics;
  readonly log: Log;
};

/** How long until a Job that could not be deleted is tried again (ms). */
const RETRY = 1_000;

export function createDismiss({ operations, pool, fence, metrics, log }: DismissOptions) {
  const dismiss = async (job: JobView, cluster: Cluster | undefined, why: string): Promise<Next> => {
    const fields = { operation: job.operation, namespace: job.namespace, job: job.name };
    if (cluster === undefined) return { again: RETRY };
    try {
      // What the deletion follows from was read from a primary, which may have been none any more.
      await operations.settled(job.operation);
      const live = await cluster.getJob(job.namespace, job.name);
      if (live === undefined || live.uid !== job.uid || live.deleting) return undefined;
      await cluster.deleteJob(job.namespace, job.name, job.uid, fence.require);
      metrics.deletions.inc();
      log.info({ ...fields, why }, "job deleted");
      return undefined;
    } catch (error) {
      const { code, message, retryAfterMs } = databaseError(error);
      log.warn({ ...fields, code, error: message }, "cannot delete the Job now");
      return { again: retryAfterMs ?? RETRY };
    }
  };

  return {
    /** Deletes a Job and, after it, its Pods. undefined: it is gone or going, or was never the one that is meant. */
    one: dismiss,

    async all(jobs: readonly ObservedJob[], why: string): Promise<Next> {
      const results = await Promise.all(
        jobs.filter(({ job }) => !job.deleting).map(({ job, scope }) => dismiss(job, pool.ofScope(scope), why)),
      );
      return results.find((next) => next !== undefined);
    },
  };
}

export type Dismiss = ReturnType<typeof createDismiss>;
