// BACK: observe → reduce → record (→ delete the Job). Level, not edge: each step reads the operation and its Job again.
import type { Ending } from "./clusters/ending-reasons.ts";
import { type JobView, jobEnd } from "./clusters/observation.ts";
import type { Observed, ObservedJob } from "./clusters/observed.ts";
import type { Dismiss } from "./dismiss.ts";
import type { Judge } from "./judge.ts";
import type { Next } from "./lanes.ts";
import type { LastWords } from "./last-words.ts";
import type { Log } from "./log.ts";
import type { Found, Look } from "./look.ts";
import type { Metrics } from "./metrics.ts";
import { failureText } from "./operations/failure-text.ts";
import type { Operations } from "./operations/mongo.ts";
import { type Claimed, isClaimed, isTerminal, type Operation } from "./operations/operation.ts";
import { withEarlier } from "./operations/retry.ts";
import { farewell, type Transition } from "./operations/transition.ts";
import type { Recorder } from "./record.ts";
import type { Retry } from "./retry.ts";
import { lookAtShelved } from "./shelved.ts";

export type FollowOptions = {
  readonly operations: Pick<Operations, "read" | "change" | "fail" | "retake">;
  readonly observed: Pick<Observed, "find">;
  readonly look: Look;
  readonly judge: Judge;
  readonly recorder: Pick<Recorder, "adopt">;
  readonly dismiss: Dismiss;
  readonly retry: Retry;
  readonly lastWords: LastWords;
  /** Whether an orchestrator takes new work. */
  readonly isActive: (orchestrator: string) => boolean;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly now: () => number;
};

/**
 * `holder`: the operation as it was read, unless none of its Jobs can live (any more).
 * `launch`: the operation is claimed, but its Job was never made; the way out goes on with it.
 * `unclaimed`: it was not claimed since it was queued, if it is queued at all; the way out begins (again).
 */
export type Followed =
  | { readonly kind: "followed"; readonly next: Next; readonly holder: Operation | undefined }
  | { readonly kind: "unclaimed"; readonly next: Next; readonly operation: Operation }
  | { readonly kind: "launch"; readonly claimed: Claimed };

/** How long until something that could not be read is looked at again; hints usually come first (ms). */
const LOOK_AGAIN = 5_000;
const AT_ONCE = { again: 0 };

const followed = (next: Next, holder: Operation | undefined): Followed => ({ kind: "followed", next, holder });

export const createFollower = (options: FollowOptions) => ({
  /** One step for an operation, from its document and its Jobs as they are now. */
  follow: (id: string): Promise<Followed> => follow(options, id),
});

async function follow(options: FollowOptions, id: string): Promise<Followed> {
  const { operations, observed, look, dismiss } = options;
  const operation = await operations.read(id);
  const jobs = observed.find(id);
  if (operation === undefined) return followed(await dismiss.orphans(jobs), undefined);
  if (!isClaimed(operation)) return followUnclaimed(options, operation, jobs);
  const { attempt } = operation.claim;
  const next = await dismissStrays(options, operation, jobs);
  const shown = jobs.filter(({ job }) => job.attempt === attempt);
  if (shown.length === 0 && neverCreated(operation)) return followUnmade(options, operation);
  return followMade(options, { operation, found: await look.find(operation, shown) }, next);
}

/** Whose worker may have ended the operation by itself has its farewell. */
async function dismissStrays(options: FollowOptions, operation: Claimed, jobs: readonly ObservedJob[]): Promise<Next> {
  const strays = jobs.filter(({ job }) => jobEnd(job) === undefined && isStray(operation, job));
  const rest = farewell(operation, options.now());
  const spared = strays.filter(({ job }) => rest > 0 && job.attempt > operation.claim.attempt);
  const doomed = strays.filter((one) => !spared.includes(one));
  const why = "the operation has another Job, or was queued again";
  const next = await options.dismiss.all(doomed, { operation, why });
  return next ?? (spared.length > 0 ? { again: rest } : undefined);
}

/** @param meanwhile when something else of it is to be looked at again */
async function followMade(options: FollowOptions, { operation, found }: Case, meanwhile: Next): Promise<Followed> {
  if (await adopted(options, { operation, found })) return followed(AT_ONCE, operation);
  readAhead(options, { operation, found });
  const judged = await options.judge.judge(operation, found);
  const step = await act(options, { operation, found: judged.found }, judged.transition);
  return followed(step ?? meanwhile, isOver(judged.found) ? undefined : operation);
}

/** No Job of it is seen. */
async function followUnmade(options: FollowOptions, operation: Claimed): Promise<Followed> {
  const shelved = await lookAtShelved(options, operation);
  if (shelved === undefined) {
    const rest = restOf(operation, options.now());
    return rest > 0 ? followed({ again: rest }, operation) : { kind: "launch", claimed: operation };
  }
  const { found, vacant, next } = shelved;
  if (found.observation.kind === "job") return followMade(options, { operation, found }, undefined);
  return followed(next, vacant ? undefined : operation);
}

const isOver = ({ observation: seen }: Found): boolean =>
  seen.kind === "absent" || (seen.kind === "job" && jobEnd(seen.job) !== undefined);

/** Queued anew since it was claimed, never claimed, or claimed before a failover that took the claim back. */
async function followUnclaimed(
  options: FollowOptions,
  operation: Operation,
  jobs: readonly ObservedJob[],
): Promise<Followed> {
  const { dismiss } = options;
  if (operation.runState === "running") return followed(await retake(options, operation, jobs), operation);
  const live = jobs.filter(({ job }) => jobEnd(job) === undefined);
  const { attempt = 0 } = operation.claim ?? {};
  if (isTerminal(operation.runState)) {
    const rest = live.length === 0 ? 0 : farewell(operation, options.now());
    const next =
      rest > 0
        ? { again: rest }
        : await dismiss.all(live, { operation, why: `the operation has ${operation.runState}` });
    return followed(next, live.length === 0 ? undefined : operation);
  }
  // A Job of a later attempt than was read here is another opjob's, which knows better.
  const earlier = live.filter(({ job }) => job.attempt <= attempt);
  return {
    kind: "unclaimed",
    next: await dismiss.all(earlier, { operation, why: "the operation was queued again" }),
    operation,
  };
}

/** A worker of a Job of ours runs it: whatever became of our claim, nobody else will follow it. */
async function retake(options: FollowOptions, operation: Operation, jobs: readonly ObservedJob[]): Promise<Next> {
  const { operations, look, log, now } = options;
  const serving = jobs.toSorted((a, b) => a.job.attempt - b.job.attempt).at(-1);
  if (serving === undefined && operation.claim === undefined) return undefined;
  const job = serving && look.recordOf(serving);
  if (serving && job === undefined) return { again: LOOK_AGAIN };
  if (await operations.retake(operation, job, new Date(now())))
    log.info({ operation: operation.id, job: job?.job }, "took up an operation that runs in a Job of an earlier claim");
  return AT_ONCE;
}

/** An operation, and what was found of its Job. */
type Case = { readonly operation: Claimed; readonly found: Found };

function readAhead({ lastWords }: FollowOptions, { operation, found: { observation, cluster } }: Case): void {
  if (isTerminal(operation.runState)) lastWords.forget(operation.id);
  else if (observation.kind !== "unknown") lastWords.readAhead(operation.id, cluster, observation.pods);
}

/** The daemon died between the creation of a Job and its record, or the answer was lost: the Job is recorded now. */
async function adopted({ recorder, log }: FollowOptions, { operation, found }: Case): Promise<boolean> {
  const { observation, cluster } = found;
  if (observation.kind !== "job" || cluster === undefined || operation.claim.uid === observation.job.uid) return false;
  const outcome = await recorder.adopt(operation, observation.job, cluster);
  if (outcome === "recorded")
    log.info({ operation: operation.id, job: observation.job.name }, "adopted a Job whose launch was not recorded");
  return outcome !== "late";
}

async function act(options: FollowOptions, { operation, found }: Case, transition: Transition): Promise<Next> {
  switch (transition.kind) {
    case "rest":
      return found.observation.kind === "unknown" ? { again: LOOK_AGAIN } : undefined;
    case "again":
      return { again: transition.ms };
    case "change":
      return change(options, operation, transition);
    case "fail":
      return fail(options, { operation, found }, transition.ending);
    case "withdraw":
      return options.retry.goOn(operation, found);
    case "delete":
      if (found.observation.kind !== "job") return { again: LOOK_AGAIN };
      return options.dismiss.one(found.observation.job, found.cluster, { operation, why: transition.why });
  }
}

async function change(options: FollowOptions, operation: Claimed, { change: fields, again }: Change): Promise<Next> {
  const { operations, metrics, log } = options;
  await operations.change(operation, fields);
  const { id, queuedAt, claim } = operation;
  for (const stage of ["started", "finished"] as const) {
    const at = fields.timeline?.[stage];
    if (at && queuedAt) metrics.stages.observe({ stage }, Math.max(0, at.getTime() - queuedAt.getTime()) / 1_000);
  }
  const { reason, message, fault } = fields;
  if (reason) log.info({ operation: id, job: claim.job, reason, message, fault }, "waiting");
  if (fields.phase === "done") reportEnd(options, operation, { outcome: operation.runState });
  return again === undefined ? undefined : { again };
}

type Change = Extract<Transition, { kind: "change" }>;

/** Failing the operation and deleting its Job is one obligation: the next look finds a failed operation and what still lives. */
async function fail(options: FollowOptions, { operation, found }: Case, judged: Ending): Promise<Next> {
  const { operations, judge, retry, lastWords, metrics, now } = options;
  const ending = await judge.confirm(operation, found, judged);
  if (ending === undefined) return { again: 500 };
  const retried = await retry.begin(operation, found, ending);
  if (retried) return retried;
  const { namespace, job: name, orchestrator } = operation.claim;
  const job = found.observation.kind === "job" ? found.observation.job : undefined;
  const place = job ? `${job.namespace}/${job.name}` : name && `${namespace}/${name}`;
  const log = await lastWordsOf(lastWords, { operation, found }, ending);
  const message = withEarlier(ending.message, operation.claim);
  const text = failureText({ ...ending, message, job: place, log });
  const { reason, fault } = ending;
  if (!(await operations.fail(operation, { reason, fault, text }, new Date(now())))) return AT_ONCE;
  metrics.failures.inc({ orchestrator, reason });
  reportEnd(options, operation, { outcome: "failed", reason, fault, message: ending.message });
  return AT_ONCE;
}

/** Where no Job was ever recorded, nobody knows in which namespace its Pod was. */
async function lastWordsOf(lastWords: LastWords, { operation, found }: Case, { logs }: Ending) {
  const { observation, cluster } = found;
  const namespace = observation.kind === "job" ? observation.job.namespace : operation.claim.namespace;
  return cluster && namespace ? lastWords.of(operation.id, cluster, namespace, logs) : undefined;
}

/** One line of a fixed shape for each end; queued_ms: from queueing to now. */
function reportEnd({ log, now }: FollowOptions, { id, operator, queuedAt, claim }: Claimed, how: object): void {
  const { orchestrator, attempt, cluster, namespace, job, uid } = claim;
  const queuedMs = now() - (queuedAt?.getTime() ?? now());
  log.info(
    { operation: id, operator, orchestrator, attempt, cluster, namespace, job, uid, queued_ms: queuedMs, ...how },
    "ended",
  );
}

/**
 * Of an earlier attempt; or of an operation that has ended, a second one, made by a call that was answered too late, or one of an attempt
 * that a failover took back.
 */
const isStray = ({ runState, claim }: Claimed, { attempt, uid }: JobView): boolean =>
  attempt === claim.attempt
    ? isTerminal(runState) && claim.uid !== undefined && claim.uid !== uid
    : attempt < claim.attempt || isTerminal(runState);

/** Claimed, but no Job was recorded, and no worker has started: there is still one to be made. */
const neverCreated = ({ runState, claim }: Operation & Claimed): boolean =>
  runState === "queued" && (claim.phase === "claimed" || claim.phase === "held");

/** How long one that is launched again still waits (ms). */
const restOf = ({ claim: { notBefore } }: Claimed, now: number): number => (notBefore ? notBefore.getTime() - now : 0);

export type Follower = ReturnType<typeof createFollower>;
