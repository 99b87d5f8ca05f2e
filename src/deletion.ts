// Deletion: the one way in which a Job of an operation's is deleted: by its uid, only while this replica leads, counted and told.
// Whether it may go, and the live look before that, are the caller's.
import type { Cluster } from "./clusters/kubernetes.ts";
import type { JobView } from "./clusters/observation.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import type { Fence } from "./operations/fence.ts";

export type DeletionOptions = { readonly fence: Fence; readonly metrics: Metrics; readonly log: Log };

/** `how`: "Foreground" keeps the Job until its Pods are gone; else Kubernetes deletes them after it. */
export type How = { readonly why: string; readonly how?: "Foreground" };

/** @throws OpjobError as `deleteJob`; LEADERSHIP_LOST */
export type DeleteJob = (cluster: Pick<Cluster, "deleteJob">, job: JobView, how: How) => Promise<void>;

export const createDeletion =
  ({ fence, metrics, log }: DeletionOptions): DeleteJob =>
  async (cluster, job, { why, ...how }) => {
    await cluster.deleteJob(job.namespace, job.name, job.uid, { guard: fence.require, ...how });
    metrics.deletions.inc();
    log.info({ ...fieldsOf(job), why }, "job deleted");
  };

/** A Job in a log line. */
export const fieldsOf = ({ operation, orchestrator, attempt, namespace, name, uid }: JobView) => ({
  operation,
  orchestrator,
  attempt,
  namespace,
  job: name,
  uid,
});
