// Follows a registration Job to its end, by looking at it every second: there is one at a time for an orchestrator, and no watch
// shows it. Ends well when the Job is complete or gone: what it did stands in the record. Knows no orchestrator.
import type { Clock } from "./clock.ts";
import { explainFailure } from "./clusters/ending.ts";
import type { Ending } from "./clusters/ending-reasons.ts";
import type { Cluster } from "./clusters/kubernetes.ts";
import { hasBegun, type JobView, jobEnd } from "./clusters/observation.ts";
import { findObstacle, type Seen } from "./clusters/obstacle.ts";
import { FAULTS } from "./clusters/reasons.ts";
import { asOpjobError, OpjobError } from "./errors.ts";
import { readTail, unread } from "./last-words.ts";
import { limitOf, type Patiences } from "./operations/transition.ts";

export type FollowOptions = {
  readonly patience: Patiences;
  readonly clock: Clock;
  /** Texts that must not get into an error, should a worker have logged them. */
  readonly secrets: Secrets;
};
type Secrets = ReadonlySet<string>;

export type Followed = {
  readonly cluster: Pick<Cluster, "getJob" | "podsOf" | "podLog" | "deleteJob">;
  readonly made: JobView;
  /** Told of each new state of the Job, in words. */
  readonly onProgress: (words: string) => void;
  /** Ends the following; the Job goes on. */
  readonly signal: AbortSignal;
};

/** Between two looks at the Job: nobody waits for it as for an operation (ms). */
const PACE = 1_000;
/** Importing FiftyOne and its plugins takes seconds, an image minutes; after this nobody believes in it any more (ms). */
const LONGEST = 1_800_000;
const TAIL = { lines: 20, bytes: 4_096 };

/** @throws OpjobError REFRESH_FAILED, with the last log lines where a container ran */
export async function followRegistration(options: FollowOptions, followed: Followed): Promise<void> {
  const { clock, patience, secrets } = options;
  const until = clock.now() + LONGEST;
  const waiting: Waiting = { reason: undefined, since: clock.now() };
  let told = "";
  for (;;) {
    const words = await step(followed, { waiting, patience, secrets, now: clock.now() });
    if (words === undefined) return;
    if (words !== told) followed.onProgress(words);
    told = words;
    if (clock.now() > until) throw await withdrawn(followed, "TooLong", "It has run for half an hour.");
    await clock.sleep(PACE, followed.signal);
    if (followed.signal.aborted)
      throw new OpjobError("REFRESH_FAILED", "The refresh is not followed any more; its Job goes on.");
  }
}

type Waiting = { reason: string | undefined; since: number };
type Judging = Omit<FollowOptions, "clock"> & { readonly waiting: Waiting; readonly now: number };

/** What the Job does, in words; undefined: it is over. @throws OpjobError REFRESH_FAILED */
async function step(followed: Followed, judging: Judging): Promise<string | undefined> {
  const seen = await look(followed);
  // A cluster that does not answer for a moment changes nothing.
  if (seen instanceof OpjobError) return seen.message;
  const end = seen && jobEnd(seen.job);
  if (seen === undefined || end?.outcome === "complete") return undefined;
  if (end) throw await failed(followed, explainFailure(end.condition, seen), judging.secrets);
  return judge(followed, seen, judging);
}

/** undefined: it is gone. */
async function look({ cluster, made: { namespace, name, uid } }: Followed): Promise<Seen | undefined | OpjobError> {
  try {
    const job = await cluster.getJob(namespace, name);
    return job === undefined || job.uid !== uid ? undefined : { job, pods: await cluster.podsOf(job) };
  } catch (error) {
    return asOpjobError(error);
  }
}

/** An obstacle that lasts longer than its kind may ends the refresh. */
async function judge(followed: Followed, seen: Seen, { waiting, patience, now }: Judging): Promise<string> {
  const obstacle = findObstacle(seen);
  if (obstacle?.reason !== waiting.reason) Object.assign(waiting, { reason: obstacle?.reason, since: now });
  if (obstacle === undefined) return seen.pods.some(hasBegun) ? "Its container runs." : "It starts.";
  const { reason, message, ordinaryMs } = obstacle;
  const age = now - waiting.since;
  if (age > limitOf(obstacle.patience, patience) + ordinaryMs) throw await withdrawn(followed, reason, message);
  return age < ordinaryMs ? "It starts." : `It waits: ${reason}: ${message}`;
}

/** A Job that is given up must not report later, to whoever does not expect it any more. */
async function withdrawn({ cluster, made }: Followed, reason: string, message: string): Promise<OpjobError> {
  const { namespace, name, uid } = made;
  await cluster.deleteJob(namespace, name, uid).catch(() => false);
  return new OpjobError("REFRESH_FAILED", `The registration Job ${namespace}/${name} failed: ${reason}. ${message}`);
}

async function failed({ cluster, made }: Followed, ending: Ending, secrets: Secrets): Promise<OpjobError> {
  const { reason, message, fault, remedy, logs: place } = ending;
  const words =
    place &&
    (await readTail({ cluster, namespace: made.namespace, place }, { ...TAIL, secrets }).catch((error: unknown) =>
      unread(place, error),
    ));
  const log = words && words.lines !== "" ? `\nLast log lines of container "${words.container}":\n${words.lines}` : "";
  const text = `The registration Job ${made.namespace}/${made.name} failed: ${reason}. ${message} ${FAULTS[fault]}${log}`;
  return new OpjobError("REFRESH_FAILED", text, { remedy });
}
