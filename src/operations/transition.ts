// The reducer: (operation, observation, now) → what to do next. Policy is data in, verdict out.
// Pure and total. It never names a run state to write: an operation goes on by its worker, or it fails.
import { endAhead, explainAbsence, explainFailure, explainMissingResult } from "../clusters/ending.ts";
import type { Ending } from "../clusters/ending-reasons.ts";
import type { EventView } from "../clusters/events.ts";
import { isScheduled, type JobView, jobEnd, type PodView } from "../clusters/observation.ts";
import { findObstacle } from "../clusters/obstacle.ts";
import { type Asked, FAULTS, type Fault, LONG, type Patience } from "../clusters/reasons.ts";
import { type Obstacle, WAITING } from "../clusters/waiting-reasons.ts";
import type { ClaimChange } from "./claim.ts";
import { type Claim, type Claimed, isTerminal, type Operation, type Phase, type Timeline } from "./operation.ts";
import { reduceWithdrawn } from "./withdrawn.ts";

/**
 * What is known of an operation's Job. `absent` only after the API server itself said so; `unknown` concludes nothing.
 * `events`: what was told of whom `questionOf` names; undefined: nobody asked, or nobody may.
 */
export type Observation =
  | { readonly kind: "unknown" }
  | { readonly kind: "absent"; readonly pods: readonly PodView[]; readonly events?: Events }
  | { readonly kind: "job"; readonly job: JobView; readonly pods: readonly PodView[]; readonly events?: Events };
type Events = readonly EventView[] | undefined;

export type Transition =
  | { readonly kind: "rest" }
  /** Look again after so many milliseconds, even if no hint comes. */
  | { readonly kind: "again"; readonly ms: number }
  | { readonly kind: "change"; readonly change: ClaimChange; readonly again: number | undefined }
  | { readonly kind: "fail"; readonly ending: Ending }
  /** Its Job is being taken back: whoever does that looks how far it is. */
  | { readonly kind: "withdraw" }
  | { readonly kind: "delete"; readonly why: string };

/** Milliseconds. `pending` 0 means without end. */
export type Patiences = { readonly short: number; readonly pending: number; readonly result: number };

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
  const step = reduceWithdrawn(operation, observed.kind === "job" ? observed.job : undefined, now);
  return step ?? reduceGoing(operation, observed, patience, now);
}

function reduceGoing(operation: Claimed, observed: Seen, patience: Patiences, now: number): Transition {
  if (observed.kind === "absent") {
    return { kind: "fail", ending: explainAbsence(observed.pods, observed.events, operation.claim.uid) };
  }
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
    ending: end.outcome === "complete" ? explainMissingResult(observed) : explainFailure(end.condition, observed),
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

/** Whose Events would tell now why a live Job waits. */
export function questionOf(operation: Claimed, observed: Observation, now: number): Asked | undefined {
  if (observed.kind !== "job" || isTerminal(operation.runState) || jobEnd(observed.job)) return undefined;
  if (operation.claim.phase === "withdrawn") return undefined;
  const obstacle = hindrance(operation, observed);
  return obstacle?.ask && ageOf(obstacle, operation, observed, now) >= obstacle.ask.afterMs ? obstacle.ask : undefined;
}

/** Once FiftyOne says that a worker has begun, containers that wait beside the running ones hinder nobody. */
function hindrance({ runState }: Claimed, seen: SeenJob): Obstacle | undefined {
  const ahead = seen.job.deleting ? undefined : endAhead(seen);
  if (ahead) return ahead;
  const present = seen.pods.filter(({ deleting, gone }) => !deleting && !gone);
  const works = present.some(({ containers }) => containers.some(({ running }) => running));
  // Nor is a Pod that is in no list an obstacle: lists can be empty for a moment, and the Job's own end tells that it is lost.
  const begun = runState === "running" && !seen.job.deleting;
  return begun && (present.length === 0 || works) ? undefined : findObstacle(seen);
}

function reduceLive(operation: Claimed, seen: SeenJob, patience: Patiences, now: number): Transition {
  const obstacle = hindrance(operation, seen);
  if (obstacle === undefined) return goOn(operation, seen.pods, { now, again: undefined });
  const age = ageOf(obstacle, operation, seen, now);
  const known = onRecord(operation.claim, obstacle);
  if (age >= obstacle.ordinaryMs || known) return meet(operation, known ?? obstacle, patience, now);
  const ask = (obstacle.ask?.afterMs ?? 0) - age;
  const again = obstacle.ordinaryMs - age;
  return goOn(operation, seen.pods, { now, again: ask > 0 ? Math.min(again, ask) : again });
}

/** Milliseconds since an obstacle began to count; the Job's own time is in whole seconds, ours is finer. */
function ageOf({ from }: Obstacle, { claim }: Claimed, { job }: SeenJob, now: number): number {
  const began = from === undefined ? [job.createdAt, claim.timeline.created?.toISOString()] : [from];
  const times = began.map((time) => Date.parse(time ?? "")).filter(Number.isFinite);
  return times.length === 0 ? Number.POSITIVE_INFINITY : Math.max(0, now - Math.max(...times));
}

/** The reason that is on record, where what is seen now only says less. */
function onRecord({ phase, reason, message, fault }: Claim, obstacle: Obstacle): Obstacle | undefined {
  if (phase !== "waiting" || reason === null || !obstacle.lessThan.includes(reason)) return undefined;
  if (sameWords(message, wordsOf(obstacle))) return undefined;
  const rows = Object.entries(WAITING).filter(([, row]) => row.reason === reason);
  const [id, row] = rows.find(([, one]) => one.fault === fault) ?? rows[0] ?? [];
  if (id === undefined || row === undefined) return undefined;
  return { ...obstacle, ...row, row: id, message: (message ?? "").replace(` ${FAULTS[row.fault]}`, "") };
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
  const change = enter(operation, "waiting", { at: now, stages: {}, obstacle });
  const since = change?.since === undefined ? operation.claim.since : change.since;
  const rest = limitOf(obstacle.patience, patience) - elapsed(since, now);
  if (rest <= 0) {
    const { row, reason, message, remedy, fault, logs, ask } = obstacle;
    return { kind: "fail", ending: { row, reason, message, remedy, fault, logs, ask } };
  }
  const again = Number.isFinite(rest) ? rest : undefined;
  if (change) return { kind: "change", change, again };
  return again === undefined ? { kind: "rest" } : { kind: "again", ms: again };
}

/** How long an obstacle of this kind may last (ms). */
export function limitOf(patience: Patience, { short, pending }: Patiences): number {
  switch (patience) {
    case "none":
      return 0;
    case "short":
      return short;
    case "long":
      return short * LONG;
    case "pending":
      return pending === 0 ? Number.POSITIVE_INFINITY : pending;
    case "endless":
      return Number.POSITIVE_INFINITY;
  }
}

type Entry = { readonly at: number; readonly stages: Timeline; readonly obstacle?: Obstacle };

/** The change that enters a phase, or undefined when nothing would be different (an unchanged event costs no write). */
function enter({ claim }: Claimed, phase: Phase, { at, stages, obstacle }: Entry): ClaimChange | undefined {
  const news = Object.entries(stages).filter(([name]) => claim.timeline[name as keyof Timeline] === undefined);
  const timeline = news.length === 0 ? {} : { timeline: Object.fromEntries(news) as Timeline };
  const words = obstacle ? wordsOf(obstacle) : NO_WORDS;
  if (claim.phase !== phase || claim.reason !== words.reason)
    return { phase, ...words, since: new Date(at), ...timeline };
  // The same reason goes on, and its time with it; only what is said of it is news.
  if (obstacle && !sameWords(claim.message, words)) return { message: words.message, fault: words.fault, ...timeline };
  return news.length === 0 ? undefined : timeline;
}

type Words = { readonly reason: string | null; readonly message: string | null; readonly fault: Fault | null };
const NO_WORDS: Words = { reason: null, message: null, fault: null };

const wordsOf = ({ reason, message, fault }: Obstacle): Words => ({
  reason,
  message: `${message} ${FAULTS[fault]}`,
  fault,
});

/** Counts and times in what a cluster says change from moment to moment: that alone is not worth a write. */
const sameWords = (known: string | null, { message }: Words): boolean => plain(known) === plain(message);
const plain = (message: string | null): string => (message ?? "").replaceAll(/\d+/g, "#");

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
