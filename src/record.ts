// What is recorded of an operation's Job once it is there, and which Job is not the claim's although it has the name of its attempt.
import type { Cluster } from "./clusters/kubernetes.ts";
import { type JobView, jobEnd } from "./clusters/observation.ts";
import type { Log } from "./log.ts";
import type { Operations } from "./operations/mongo.ts";
import { type Claimed, isMadeFor } from "./operations/operation.ts";
import { runLinkOf } from "./run-link.ts";

export type RecordOptions = {
  readonly operations: Pick<Operations, "recordCreated" | "passOver">;
  readonly runLink: string;
  readonly log: Log;
  readonly now: () => number;
};

type Made = {
  readonly claimed: Claimed;
  readonly cluster: Pick<Cluster, "server">;
  readonly created: JobView;
  readonly warnings: readonly string[];
};

/**
 * `late`: the operation has ended meanwhile, or is not claimed any more.
 * `passed over`: the Job is of an earlier queueing's, and keeps its name; the next attempt, which is to be looked at at once, has another.
 */
export type RecordOutcome = "recorded" | "late" | "passed over";

export const createRecorder = (options: RecordOptions) => ({
  /** Records a Job that was just made, or just found again. */
  record: (made: Made): Promise<RecordOutcome> => record(options, made, new Date(options.now())),

  /** Records a Job that was found although its launch was never recorded. */
  adopt: (claimed: Claimed, created: JobView, cluster: Pick<Cluster, "server">): Promise<RecordOutcome> =>
    record(options, { claimed, created, cluster, warnings: [] }, new Date(created.createdAt ?? options.now())),
});

export type Recorder = ReturnType<typeof createRecorder>;

async function record(options: RecordOptions, made: Made, at: Date): Promise<RecordOutcome> {
  const { operations, runLink } = options;
  const { claimed, cluster, created, warnings } = made;
  if (isOfEarlierQueueing(created, claimed)) return passOver(options, made);
  const change = {
    phase: "created" as const,
    reason: null,
    message: warnings.length === 0 ? null : `The cluster warns: ${warnings.join("; ")}`,
    since: at,
    cluster: cluster.server,
    namespace: created.namespace,
    job: created.name,
    uid: created.uid,
    ...(jobEnd(created) === undefined ? {} : { stale: true }),
    timeline: { created: at },
  };
  const { orchestrator } = claimed.claim;
  const link = runLinkOf(runLink, { ...created, cluster: cluster.server, operation: claimed.id, orchestrator });
  return (await operations.recordCreated(claimed, change, link)) ? "recorded" : "late";
}

/** Once a worker has begun, or a Job is recorded, that is how it is, whatever it was made for. */
const isOfEarlierQueueing = (job: JobView, { runState, claim }: Claimed): boolean =>
  runState === "queued" && claim.uid === undefined && !isMadeFor(job, claim.queued_at);

async function passOver({ operations, log }: RecordOptions, { claimed, created }: Made): Promise<RecordOutcome> {
  const { id: operation, claim } = claimed;
  const fields = { operation, attempt: claim.attempt, job: created.name, uid: created.uid };
  if (await operations.passOver(claimed)) log.info(fields, "passed over a Job of an earlier queueing");
  return "passed over";
}
