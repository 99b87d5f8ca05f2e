// Look: what is known of an operation's Job, from the watch, else from the API server itself.
// `absent` only if the API server says so; a cluster that does not answer is `unknown`, from which nothing is concluded.

import type { Ending } from "./clusters/ending.ts";
import type { Cluster } from "./clusters/kubernetes.ts";
import { type JobView, jobEnd } from "./clusters/observation.ts";
import type { ObservedJob } from "./clusters/observed.ts";
import type { Pool } from "./clusters/pool.ts";
import { asOpjobError } from "./errors.ts";
import type { Claimed, Launcher } from "./launch.ts";
import type { Log } from "./log.ts";
import type { RecordedJob } from "./operations/claim.ts";
import { isTerminal } from "./operations/operation.ts";
import { type Observation, type Patiences, reduce } from "./operations/transition.ts";

/** What was found, and the client that reaches it. */
export type Found = { readonly observation: Observation; readonly cluster: Cluster | undefined };

export type LookOptions = {
  readonly pool: Pick<Pool, "find" | "ofScope" | "watch">;
  readonly launcher: Pick<Launcher, "locate">;
  /** Fingerprint of our database: Jobs of other opjobs' are not seen. */
  readonly database: string;
  readonly patience: Patiences;
  readonly log: Log;
  readonly now: () => number;
};

const UNKNOWN: Found = { observation: { kind: "unknown" }, cluster: undefined };

export function createLook({ pool, launcher, database, patience, log, now }: LookOptions) {
  return {
    /** The Job of the operation's present attempt among those that the watches show, else by a live look. */
    async find(operation: Claimed, shown: readonly ObservedJob[]): Promise<Found> {
      const { claim, runState } = operation;
      const seen = shown.find(({ job }) => claim.uid === undefined || job.uid === claim.uid);
      if (seen) {
        return { observation: { kind: "job", job: seen.job, pods: seen.pods }, cluster: pool.ofScope(seen.scope) };
      }
      const settled = claim.phase === "done" || claim.job === undefined;
      if (isTerminal(runState) && settled) return { observation: { kind: "absent" }, cluster: undefined };
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

    /**
     * Judges once more by the API server's own present answer, before an operation is failed: a watch may lag.
     * undefined: the failure does not hold (any more).
     */
    async confirm(operation: Claimed, { observation, cluster }: Found, ending: Ending): Promise<Ending | undefined> {
      if (observation.kind !== "job" || cluster === undefined) return ending;
      const { job } = observation;
      const live = await cluster.getJob(job.namespace, job.name);
      // An ended Job may have been tidied up since; one that was alive and is gone is judged anew.
      if (live === undefined || live.uid !== job.uid) return jobEnd(job) ? ending : undefined;
      const livePods = await cluster.podsOf(live);
      const pods = jobEnd(live) && livePods.length === 0 ? observation.pods : livePods;
      const verdict = reduce(operation, { kind: "job", job: live, pods }, patience, now());
      return verdict.kind === "fail" ? verdict.ending : undefined;
    },
  };

  async function lookUp(operation: Claimed): Promise<Found> {
    const { cluster: server, namespace, job: name } = operation.claim;
    const known = server !== undefined && namespace !== undefined ? pool.find(server, namespace) : undefined;
    if (known !== undefined && namespace !== undefined && name !== undefined) {
      return observe(known, await known.getJob(namespace, name), operation);
    }
    // After a restart, or when the record of the Job was lost: the Job's name is a function of the operation.
    const { cluster, job } = await launcher.locate(operation);
    if (server !== undefined && cluster.server !== server) return UNKNOWN;
    return observe(cluster, await cluster.getJob(namespace ?? job.namespace, name ?? job.name), operation);
  }

  async function observe(cluster: Cluster, job: JobView | undefined, operation: Claimed): Promise<Found> {
    if (job === undefined || !serves(job, operation)) return { cluster, observation: { kind: "absent" } };
    pool.watch(cluster, job.namespace);
    return { cluster, observation: { kind: "job", job, pods: await cluster.podsOf(job) } };
  }

  /**
   * Whether a Job under the name of an operation's is its Job. While the operation goes on, another uid than the recorded one
   * may be: a creation that was answered too late comes into being when the first Job is gone.
   */
  function serves(job: JobView, { id, runState, claim }: Claimed): boolean {
    const made = job.operation === id && job.attempt === claim.attempt && job.database === database;
    return made && (claim.uid === undefined || job.uid === claim.uid || !isTerminal(runState));
  }
}

export type Look = ReturnType<typeof createLook>;
