// The reducer: (operation, observation, now) → what to do next. Policy is data in, verdict out.
// Pure and total. It never names a run state to write: an operation goes on by its worker, or it fails.
import { type Ending, explainFailure, explainMissingResult, JOB_GONE } from "../clusters/ending.ts";
import { isScheduled, type JobView, jobEnd, type PodView } from "../clusters/observation.ts";
import { findObstacle, type Obstacle, type Patience } from "../clusters/obstacle.ts";
import type { ClaimChange } from "./claim.ts";
import { type Claim, isTerminal, type Operation, type Phase, type Timeline } from "./operation.ts";

/** What is known of an operation's Job. `absent` only after the API server itself said so; `unknown` concludes nothing. */
export type Observation =
  | { readonly kind: "unknown" }
  | { readonly kind: "absent" }
  | { readonly kind: "job"; readonly job: JobView; readonly pods: readonly PodView[] };

export type Transition =
  | { readonly kind: "rest" }
  /** Look again after so many milliseconds, even if no hint comes. */
  | { readonly kind: "again"; readonly ms: number }
  | { readonly kind: "change"; readonly change: ClaimChange; readonly again: number | undefined }
  | { readonly kind: "fail"; readonly ending: Ending }
  | { readonly kind: "delete"; readonly why: string };

/** Milliseconds. `pending` 0 means without end. */
export type Patiences = { readonly short: number; readonly pending: number; readonly result: number };

type Claimed = Operation & { readonly claim: Claim };
type Seen = Exclude<Observation, { kind: "unknown" }>;
type SeenJob = Extract<Observation, { kind: "job" }>;

/**
 * A worker that recorded its result is about to end by itself; its Job is left alone for so long (ms). After that it only
 * holds its node: a sidecar that is no native one never ends.
 */
const FAREWELL = { completed: 600_000, failed: 60_000 };

/** What follows for an operation that we claimed, from what is observed of its Job. `now` in ms since 1970. */
export function reduce(operation: Claimed, observed: Observation, patience: Patiences, now: number): Transition {
  if (observed.kind === "unknown") return { kind: "rest" };
  if (isTerminal(operation.runState)) return reduceEnded(operation, observed, now);
  // Somebody took it back (scheduled), or a state that no worker of today writes: not ours to judge.
  if (operation.runState !== "queued" && operation.runState !== "running") return { kind: "rest" };
  if (observed.kind === "absent") return { kind: "fail", ending: JOB_GONE };
  const { job, pods } = observed;
  const end = jobEnd(job);
  if (end === undefined) return reduceLive(operation, observed, patience, now);
  const finished = enter(operation, "finished", {
    at: now,
    stages: { ...stagesOf(pods), finished: dateOf(end.condition.at, now) },
  });
  if (finished) return { kind: "change", change: finished, again: patience.result };
  const rest = patience.result - elapsed(operation.claim.since, now);
  if (rest > 0) return { kind: "again", ms: rest };
  return {
    kind: "fail",
    ending: end.outcome === "complete" ? explainMissingResult(pods) : explainFailure(end.condition, pods),
  };
}

/** The operation is completed or failed: nothing is overwritten, but no Job may run on for it. */
function reduceEnded(operation: Claimed, observed: Seen, now: number): Transition {
  const live = observed.kind === "job" && jobEnd(observed.job) === undefined;
  if (live) return observed.job.deleting ? { kind: "rest" } : withdraw(operation, now);
  if (operation.claim.phase === "failed") return { kind: "rest" };
  const at = observed.kind === "job" ? jobEnd(observed.job)?.condition.at : undefined;
  const ran = observed.kind === "job" ? stagesOf(observed.pods) : {};
  const stages = { ...ran, finished: dateOf(at, now), written: new Date(now) };
  return changed(enter(operation, "done", { at: now, stages }));
}

/** A Job goes at once when a person or opjob failed its operation; after a worker's own result it may end by itself first. */
function withdraw(operation: Claimed, now: number): Transition {
  const rest = farewell(operation, now);
  return rest > 0 ? { kind: "again", ms: rest } : { kind: "delete", why: `the operation has ${operation.runState}` };
}

/** How long the Job of an operation that has ended is still left alone (ms; below 0: it is not any more). */
export function farewell({ runState, error, claim, endedAt }: Operation, now: number): number {
  const byWorker = runState === "completed" || (error !== null && claim?.phase !== "failed");
  return byWorker ? FAREWELL[runState === "completed" ? "completed" : "failed"] - elapsed(endedAt, now) : 0;
}

function reduceLive(operation: Claimed, { job, pods }: SeenJob, patience: Patiences, now: number): Transition {
  if (job.deleting) return { kind: "rest" };
  const obstacle = findObstacle(job, pods);
  // A worker has said that it runs: that no Pod is shown is no sign that there is none.
  const contradicted = operation.runState === "running" && pods.length === 0;
  if (obstacle === undefined || contradicted) return goOn(operation, pods, { now, again: undefined });
  const ordinary = obstacle.ordinaryMs - (now - Date.parse(job.createdAt ?? ""));
  return ordinary > 0 ? goOn(operation, pods, { now, again: ordinary }) : meet(operation, obstacle, patience, now);
}

type Onward = { readonly now: number; readonly again: number | undefined };

/** Nothing is in the way; `again` says when something ordinary has lasted too long to be so. */
function goOn(operation: Claimed, pods: readonly PodView[], { now, again }: Onward): Transition {
  const stages = stagesOf(pods);
  // The states between are passed in milliseconds: without an obstacle they are not worth a write each.
  const worthIt = stages.started !== undefined || operation.claim.reason !== null;
  const change = worthIt ? enter(operation, stages.started ? "running" : "waiting", { at: now, stages }) : undefined;
  if (change) return { kind: "change", change, again };
  return again === undefined ? { kind: "rest" } : { kind: "again", ms: again };
}

/** An obstacle is recorded when it is met, and ends the operation when it has lasted longer than its kind may. */
function meet(operation: Claimed, obstacle: Obstacle, patience: Patiences, now: number): Transition {
  const limit = limitOf(obstacle.patience, patience);
  const change = enter(operation, "waiting", { at: now, stages: {}, obstacle });
  if (change && limit > 0) return { kind: "change", change, again: Number.isFinite(limit) ? limit : undefined };
  const rest = limit - elapsed(operation.claim.since, now);
  if (rest > 0) return Number.isFinite(rest) ? { kind: "again", ms: rest } : { kind: "rest" };
  const { reason, message, remedy } = obstacle;
  return { kind: "fail", ending: { reason, message, remedy, logs: undefined } };
}

function limitOf(patience: Patience, { short, pending }: Patiences): number {
  switch (patience) {
    case "none":
      return 0;
    case "short":
      return short;
    case "pending":
      return pending === 0 ? Number.POSITIVE_INFINITY : pending;
    case "endless":
      return Number.POSITIVE_INFINITY;
  }
}

type Entry = { readonly at: number; readonly stages: Timeline; readonly obstacle?: Obstacle };

/** The change that enters a phase, or undefined when nothing would be different (an unchanged event costs no write). */
function enter({ claim }: Claimed, phase: Phase, { at, stages, obstacle }: Entry): ClaimChange | undefined {
  const { reason, message } = obstacle ?? { reason: null, message: null };
  const news = Object.entries(stages).filter(([name]) => claim.timeline[name as keyof Timeline] === undefined);
  const timeline = news.length === 0 ? {} : { timeline: Object.fromEntries(news) as Timeline };
  if (claim.phase !== phase || claim.reason !== reason)
    return { phase, reason, message, since: new Date(at), ...timeline };
  return news.length === 0 ? undefined : timeline;
}

const changed = (change: ClaimChange | undefined): Transition =>
  change ? { kind: "change", change, again: undefined } : { kind: "rest" };

/** Milliseconds from a moment to now; none when the moment is not known. */
const elapsed = (since: Date | null, now: number): number => (since === null ? 0 : now - since.getTime());

function stagesOf(pods: readonly PodView[]): Timeline {
  const scheduled = pods
    .filter(isScheduled)
    .map((pod) => pod.conditions.find(({ type }) => type === "PodScheduled")?.at);
  const started = pods.flatMap((pod) => pod.containers.map(({ startedAt }) => startedAt));
  return { ...stage("scheduled", earliest(scheduled)), ...stage("started", earliest(started)) };
}

const stage = (name: keyof Timeline, at: string | undefined): Timeline =>
  at === undefined ? {} : { [name]: new Date(at) };
const earliest = (times: (string | undefined)[]): string | undefined =>
  times.filter((at) => at !== undefined).toSorted()[0];
const dateOf = (at: string | undefined, now: number): Date => new Date(at ?? now);
