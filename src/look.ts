// Look: what is known of an operation's Job, from the watch, else from the API server itself.
// `absent` only if the API server says so; a cluster that does not answer is `unknown`, from which nothing is concluded.

import type { Cluster } from "./clusters/kubernetes.ts";
import type { JobView, PodView } from "./clusters/observation.ts";
import type { Observed, ObservedJob } from "./clusters/observed.ts";
import type { Pool } from "./clusters/pool.ts";
import { asOpjobError } from "./errors.ts";
import type { Launcher } from "./launch.ts";
import type { Log } from "./log.ts";
import type { RecordedJob } from "./operations/claim.ts";
import { type Claimed, isOfAttempt, isTerminal } from "./operations/operation.ts";
import type { Observation } from "./operations/transition.ts";

/** What was found, and the client that reaches it. */
export type Found = { readonly observation: Observation; readonly cluster: Cluster | undefined };

export type LookOptions = {
  readonly pool: Pick<Pool, "find" | "ofScope" | "watch">;
  readonly observed: Pick<Observed, "pods">;
  readonly launcher: Pick<Launcher, "locate">;
  /** Fingerprint of our database: Jobs of other opjobs' are not seen. */
  readonly database: string;
  readonly log: Log;
};

const UNKNOWN: Found = { observation: { kind: "unknown" }, cluster: undefined };

export function createLook({ pool, observed, launcher, database, log }: LookOptions) {
  return {
    /** The Job of the operation's present attempt among those that the watches show, else by a live look. */
    async find(operation: Claimed, shown: readonly ObservedJob[]): Promise<Found> {
      const { claim, runState } = operation;
      const seen = shown.find(({ job }) => claim.uid === undefined || job.uid === claim.uid);
      if (seen) {
        return { observation: { kind: "job", job: seen.job, pods: seen.pods }, cluster: pool.ofScope(seen.scope) };
      }
      const settled = claim.phase === "done" || claim.job === undefined;
      if (isTerminal(runState) && settled) return { observation: { kind: "absent", pods: [] }, cluster: undefined };
      try {
        return await lookUp(operation);
      } catch (error) {
        const { code, message } = asOpjobError(error);
        log.warn({ operation: operation.id, code, error: message }, "cannot see the Job now");
        return UNKNOWN;
      }
    },

    /** What is recorded of a Job that a watch shows; undefined: its cluster is not known (any more). */
    recordOf({ job: { attempt, namespace, name: job, uid }, scope }: ObservedJob): RecordedJob | undefined {
      const cluster = pool.ofScope(scope)?.server;
      return cluster === undefined ? undefined : { attempt, cluster, namespace, job, uid };
    },
  };

  async function lookUp(operation: Claimed): Promise<Found> {
    const { cluster: server, namespace, job: name } = operation.claim;
    const known = server !== undefined && namespace !== undefined ? pool.find(server, namespace) : undefined;
    if (known !== undefined && namespace !== undefined && name !== undefined) {
      return observe(operation, known, await known.getJob(namespace, name));
    }
    // After a restart, or when the record of the Job was lost: the Job's name is a function of the operation.
    const { cluster, job } = await launcher.locate(operation);
    if (server !== undefined && cluster.server !== server) return UNKNOWN;
    return observe(operation, cluster, await cluster.getJob(namespace ?? job.namespace, name ?? job.name));
  }

  /** The Pods that a deleted Job has left, for the moment. */
  function orphans({ id, claim: { uid } }: Claimed): PodView[] {
    return observed.pods(id).filter(({ jobUid }) => uid === undefined || jobUid === "" || jobUid === uid);
  }

  async function observe(operation: Claimed, cluster: Cluster, job: JobView | undefined): Promise<Found> {
    if (job === undefined || !serves(job, operation)) {
      return { cluster, observation: { kind: "absent", pods: orphans(operation) } };
    }
    pool.watch(cluster, job.namespace);
    return { cluster, observation: { kind: "job", job, pods: await podsOf(cluster, job) } };
  }

  /**
   * Whether a Job under the name of an operation's is its Job. While the operation goes on, another uid than the recorded one
   * may be: a creation that was answered too late comes into being when the first Job is gone.
   */
  function serves(job: JobView, operation: Claimed): boolean {
    const { runState, claim } = operation;
    const recorded = claim.uid === undefined || job.uid === claim.uid;
    return isOfAttempt(job, operation, database) && (recorded || !isTerminal(runState));
  }
}

/** A Job of the same name may have had Pods before. */
export const podsOf = async (cluster: Cluster, job: JobView): Promise<PodView[]> =>
  (await cluster.podsOf(job)).filter(({ jobUid }) => jobUid === "" || jobUid === job.uid);

export type Look = ReturnType<typeof createLook>;
