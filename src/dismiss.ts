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
import type { Ration } from "./ration.ts";

export type DismissOptions = {
  readonly operations: Pick<Operations, "settled">;
  readonly pool: Pick<Pool, "ofScope">;
  readonly fence: Fence;
  /** Of deletions for operations that are gone. */
  readonly ration: Ration;
  readonly metrics: Metrics;
  readonly log: Log;
};

/** `few`: what it is counted by, with others of its kind. */
type Doomed = { readonly job: JobView; readonly why: string; readonly few: Ration | undefined };

/** How long until a Job that could not be deleted is tried again (ms). */
const RETRY = 1_000;

export function createDismiss({ operations, pool, fence, ration, metrics, log }: DismissOptions) {
  const dismiss = async ({ job, why, few }: Doomed, cluster: Cluster | undefined): Promise<Next> => {
    const fields = { operation: job.operation, namespace: job.namespace, job: job.name };
    if (cluster === undefined) return { again: RETRY };
    try {
      // What the deletion follows from was read from a primary, which may have been none any more.
      await operations.settled(job.operation);
      const live = await cluster.getJob(job.namespace, job.name);
      if (live === undefined || live.uid !== job.uid || live.deleting) return undefined;
      const wait = few?.take() ?? 0;
      if (wait > 0) {
        log.warn(fields, "many operations are gone: their Jobs are deleted a few at a time");
        return { again: wait };
      }
      await cluster.deleteJob(job.namespace, job.name, job.uid, { guard: fence.require });
      metrics.deletions.inc();
      log.info({ ...fields, why }, "job deleted");
      return undefined;
    } catch (error) {
      const { code, message, retryAfterMs } = databaseError(error);
      log.warn({ ...fields, code, error: message }, "cannot delete the Job now");
      return { again: retryAfterMs ?? RETRY };
    }
  };

  const all = async (jobs: readonly ObservedJob[], why: string, few?: Ration): Promise<Next> => {
    const left = jobs.filter(({ job }) => !job.deleting);
    const results = await Promise.all(left.map(({ job, scope }) => dismiss({ job, why, few }, pool.ofScope(scope))));
    return results.find((next) => next !== undefined);
  };

  return {
    /** Deletes a Job and, after it, its Pods. undefined: it is gone or going, or was never the one that is meant. */
    one: (job: JobView, cluster: Cluster | undefined, why: string): Promise<Next> =>
      dismiss({ job, why, few: undefined }, cluster),

    all: (jobs: readonly ObservedJob[], why: string): Promise<Next> => all(jobs, why),

    /** Somebody deleted their operation, or its database has lost it: so few at a time that somebody can still step in. */
    orphans: (jobs: readonly ObservedJob[]): Promise<Next> => all(jobs, "the operation was deleted", ration),
  };
}

export type Dismiss = ReturnType<typeof createDismiss>;
