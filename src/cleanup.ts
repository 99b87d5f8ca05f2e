// Cleanup: deletes finished Jobs of ours that nothing else would ever remove. Each only after a live look at the Job and at its
// operation, some in a pass, and long after its end. Jobs that Kubernetes removes by itself (a TTL) are left to it.
import type { Cluster } from "./clusters/kubernetes.ts";
import { type JobView, jobEnd } from "./clusters/observation.ts";
import type { Observed, ObservedJob } from "./clusters/observed.ts";
import type { Pool } from "./clusters/pool.ts";
import { databaseError } from "./database.ts";
import { type DeleteJob, fieldsOf } from "./deletion.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import type { Operations } from "./operations/mongo.ts";
import { isTerminal } from "./operations/operation.ts";
import type { Ration } from "./ration.ts";

export type CleanupOptions = {
  readonly mode: "on" | "dry-run" | "off";
  /** How long a finished Job is kept (ms). */
  readonly keptMs: number;
  readonly ration: Ration;
  readonly operations: Pick<Operations, "read" | "ended">;
  readonly observed: Pick<Observed, "finished">;
  readonly pool: Pick<Pool, "ofScope">;
  /** Fingerprint of our database: others' Jobs are none of ours. */
  readonly database: string;
  /** Whether this daemon works on operations. */
  readonly active: () => boolean;
  readonly deleteJob: DeleteJob;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly now: () => number;
};

type Finished = Omit<ObservedJob, "pods">;

export function createCleanup(options: CleanupOptions) {
  /** uids that were told of in a dry run. */
  let told = new Set<string>();

  return {
    /** One pass, until it is told to stop. It never throws: what could not be looked at is looked at in the next one. */
    async run(signal: AbortSignal): Promise<void> {
      const { mode, active, observed, operations, log } = options;
      if (mode === "off" || !active() || signal.aborted) return;
      try {
        const old = [...observed.finished()].filter(({ job }) => isOld(options, job));
        const over = new Set(await operations.ended([...new Set(old.map(({ job }) => job.operation))]));
        const left = old.filter(({ job }) => over.has(job.operation));
        if (mode === "dry-run") told = tellAll(options, left, told);
        else await tidyAll(options, left, signal);
      } catch (thrown) {
        const { code, message } = databaseError(thrown);
        log.warn({ code, error: message }, "cannot tidy up finished Jobs now");
      }
    },
  };
}

const endOf = (job: JobView): number => Date.parse(jobEnd(job)?.condition.at ?? "");

/** Whose end nobody can tell is not old. */
const isOld = ({ keptMs, now }: CleanupOptions, job: JobView): boolean => now() - endOf(job) >= keptMs;

function tellAll({ metrics, log }: CleanupOptions, left: readonly Finished[], told: Set<string>): Set<string> {
  for (const { job } of left.filter(({ job: { uid } }) => !told.has(uid))) {
    metrics.cleanups.inc({ outcome: "dry-run" });
    log.info({ ...fieldsOf(job) }, "a finished Job would be deleted");
  }
  return new Set(left.map(({ job }) => job.uid));
}

async function tidyAll(options: CleanupOptions, left: readonly Finished[], signal: AbortSignal): Promise<void> {
  for (const one of left) if (signal.aborted || !(await tidy(options, one))) return;
}

/** false: no more in this pass. */
async function tidy(options: CleanupOptions, { job, scope }: Finished): Promise<boolean> {
  const { pool, ration, deleteJob, metrics } = options;
  const cluster = pool.ofScope(scope);
  if (cluster === undefined) return true;
  if (!(await isLeftOver(options, cluster, job))) return skip(options, job);
  if (ration.take() > 0) return false;
  await deleteJob(cluster, job, { why: "it has finished, and has no TTL" });
  metrics.cleanups.inc({ outcome: "deleted" });
  return true;
}

function skip({ metrics, log }: CleanupOptions, job: JobView): true {
  metrics.cleanups.inc({ outcome: "skipped" });
  log.info({ ...fieldsOf(job) }, "a finished Job is kept: it is not what it was seen to be any more");
  return true;
}

/** As the API server and the primary have it now: a watch, or a list of operations, may lag. */
async function isLeftOver({ operations, database }: CleanupOptions, cluster: Cluster, job: JobView): Promise<boolean> {
  const live = await cluster.getJob(job.namespace, job.name);
  if (live === undefined || live.uid !== job.uid || live.deleting || live.tidied) return false;
  if (live.operation !== job.operation || live.database !== database || jobEnd(live) === undefined) return false;
  const operation = await operations.read(job.operation);
  // Where the operation is gone its own road deletes the Job, at once.
  return operation !== undefined && isTerminal(operation.runState);
}
