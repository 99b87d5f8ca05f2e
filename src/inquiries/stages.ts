// How long an operation spent in each stage, from FiftyOne's own times and opjob's timeline. Pure.
import { newest, type PodView } from "../clusters/observation.ts";
import type { Shown } from "../operations/mongo-reads.ts";
import { isClaimed, isTerminal } from "../operations/operation.ts";

export type Stage = keyof typeof STAGE_WORDS;

export type StageRow = {
  readonly stage: Stage;
  readonly at: Date;
  /** Since the stage before it (ms). The cluster tells whole seconds only. */
  readonly took: number | undefined;
};

export const STAGE_WORDS = {
  scheduled: "scheduled by FiftyOne",
  queued: "queued",
  claimed: "taken by opjob",
  created: "Job created",
  placed: "node found",
  started: "container started",
  running: "worker began",
  ended: "result recorded",
  finished: "Job ended",
  written: "recorded by opjob",
} as const;

/** The stages that were reached, in the order in which an operation goes through them. */
export function stagesOf(operation: Shown, pods: readonly PodView[]): StageRow[] {
  const times = { ...timesOf(operation), ...seenOf(operation, pods) };
  // opjob's own failure is the result: one row for both.
  if (same(times.ended, times.written)) times.ended = undefined;
  const { finished, ended } = times;
  // A Job that failed ended before its failure was recorded; one that went well ended after its worker's result.
  const first = finished && ended && finished.getTime() + CLUSTER_CLOCK <= ended.getTime();
  const end: Stage[] = first ? ["finished", "ended"] : ["ended", "finished"];
  const rows: { stage: Stage; at: Date }[] = [];
  for (const stage of [...START, ...end, "written" as const]) {
    const at = times[stage];
    if (at) rows.push({ stage, at });
  }
  return rows.map(({ stage, at }, i) => {
    const before = rows[i - 1]?.at;
    return { stage, at, took: before === undefined ? undefined : Math.max(0, at.getTime() - before.getTime()) };
  });
}

/** The cluster tells whole seconds, cut off (ms). */
const CLUSTER_CLOCK = 1_000;

const START: readonly Stage[] = ["scheduled", "queued", "claimed", "created", "placed", "started", "running"];

type Times = Record<Stage, Date | null | undefined>;

function timesOf(operation: Shown): Times {
  const { scheduledAt, queuedAt, startedAt, endedAt, runState } = operation;
  const timeline = isClaimed(operation) ? operation.claim.timeline : {};
  const worked = runState !== "queued" && runState !== "scheduled" ? startedAt : null;
  return {
    scheduled: scheduledAt,
    queued: queuedAt,
    claimed: timeline.claimed,
    created: timeline.created,
    placed: timeline.scheduled,
    started: timeline.started,
    running: since(worked, queuedAt),
    ended: since(isTerminal(runState) ? endedAt : null, queuedAt),
    finished: timeline.finished,
    written: timeline.written,
  };
}

/** What the Pods show by now, and opjob's timeline not yet. */
function seenOf({ claim }: Shown, pods: readonly PodView[]): Partial<Times> {
  const pod = newest(pods);
  if (claim === undefined || pod === undefined) return {};
  const placed = pod.conditions.find(({ type, status }) => type === "PodScheduled" && status === "True")?.at;
  const started = pod.containers.map(({ startedAt }) => startedAt).find((at) => at !== undefined);
  return {
    ...(placed !== undefined && claim.timeline.scheduled === undefined ? { placed: new Date(placed) } : {}),
    ...(started !== undefined && claim.timeline.started === undefined ? { started: new Date(started) } : {}),
  };
}

const same = (a: Date | null | undefined, b: Date | null | undefined): boolean =>
  a instanceof Date && b instanceof Date && a.getTime() === b.getTime();

/** An operation that is queued again keeps the times of its earlier run. */
const since = (at: Date | null, queuedAt: Date | null): Date | null =>
  at !== null && queuedAt !== null && at < queuedAt ? null : at;
