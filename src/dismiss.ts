// Dismiss: deletes a Job, and nothing but that Job. What it follows from must be settled, and be so still; then a live GET and the uid
// come first; the API server compares the uid again.
import { isDeepStrictEqual } from "node:util";
import type { Cluster } from "./clusters/kubernetes.ts";
import type { JobView } from "./clusters/observation.ts";
import type { ObservedJob } from "./clusters/observed.ts";
import type { Pool } from "./clusters/pool.ts";
import { databaseError } from "./database.ts";
import { type DeleteJob, fieldsOf, type How } from "./deletion.ts";
import type { Next } from "./lanes.ts";
import type { Log } from "./log.ts";
import type { Operations } from "./operations/mongo.ts";
import type { Operation } from "./operations/operation.ts";
import type { Ration } from "./ration.ts";

export type DismissOptions = {
  readonly operations: Pick<Operations, "settled">;
  readonly pool: Pick<Pool, "ofScope">;
  readonly deleteJob: DeleteJob;
  /** Of deletions for operations that are gone. */
  readonly ration: Ration;
  readonly log: Log;
};

/** What a deletion follows from: the operation as it was read; undefined: it was not there. */
type Judged = How & { readonly operation: Operation | undefined };
/** `few`: what it is counted by, with others of its kind. */
type Doomed = Judged & { readonly job: JobView; readonly few?: Ration | undefined };

/** How long until a Job that could not be deleted is tried again (ms). */
const RETRY = 1_000;

export function createDismiss({ operations, pool, deleteJob, ration, log }: DismissOptions) {
  /** It was read from a primary, which may have been none any more. */
  const stillStands = async (judged: Operation | undefined, id: string): Promise<boolean> => {
    const settled = await operations.settled(id);
    return isDeepStrictEqual(settled && standOf(settled), judged && standOf(judged));
  };
  const dismiss = async ({ job, operation, few, ...how }: Doomed, cluster: Cluster): Promise<Next> => {
    if (!(await stillStands(operation, job.operation))) return { again: 0 };
    const live = await cluster.getJob(job.namespace, job.name);
    if (live === undefined || live.uid !== job.uid || live.deleting) return undefined;
    const wait = few?.take() ?? 0;
    if (wait > 0) {
      log.warn(fieldsOf(job), "many operations are gone: their Jobs are deleted a few at a time");
      return { again: wait };
    }
    await deleteJob(cluster, job, how);
    return undefined;
  };
  const attempt = async (doomed: Doomed, cluster: Cluster | undefined): Promise<Next> => {
    if (cluster === undefined) return { again: RETRY };
    try {
      return await dismiss(doomed, cluster);
    } catch (error) {
      const { code, message, retryAfterMs } = databaseError(error);
      log.warn({ ...fieldsOf(doomed.job), code, error: message }, "cannot delete the Job now");
      return { again: retryAfterMs ?? RETRY };
    }
  };

  const all = async (jobs: readonly ObservedJob[], judged: Judged, few?: Ration): Promise<Next> => {
    const left = jobs.filter(({ job }) => !job.deleting);
    const results = await Promise.all(
      left.map(({ job, scope }) => attempt({ job, ...judged, few }, pool.ofScope(scope))),
    );
    return results.find((next) => next !== undefined);
  };

  return {
    /** Deletes a Job and, after it, its Pods. undefined: it is gone or going, or was never the one that is meant. */
    one: (job: JobView, cluster: Cluster | undefined, judged: Judged): Promise<Next> =>
      attempt({ job, ...judged }, cluster),

    all: (jobs: readonly ObservedJob[], judged: Judged): Promise<Next> => all(jobs, judged),

    /** Somebody deleted their operation, or its database has lost it: so few at a time that somebody can still step in. */
    orphans: (jobs: readonly ObservedJob[]): Promise<Next> =>
      all(jobs, { operation: undefined, why: "the operation was deleted" }, ration),
  };
}

export type Dismiss = ReturnType<typeof createDismiss>;

/** What is concluded from. */
const standOf = ({ runState, queuedAt, claim }: Operation) => [
  runState,
  queuedAt,
  claim?.attempt,
  claim?.uid,
  claim?.phase === "withdrawn",
];
