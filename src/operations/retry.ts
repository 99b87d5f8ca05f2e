// Another attempt: whether an operation may be launched again instead of being failed, and the three writes of that way.
// Pure: builds filters and updates, sends nothing. Whether the old Job is gone is not known here.
import { ObjectId } from "mongodb";
import { hasBegun, type PodView } from "../clusters/observation.ts";
import type { Verdict } from "../clusters/reasons.ts";
import { isRetried } from "../clusters/retried.ts";
import { type ConditionalWrite, sameClaim } from "./claim.ts";
import { type Claim, type Claimed, type Earlier, FIELD, isTerminal, type Phase, type RunState } from "./operation.ts";

export type RetryPolicy = {
  /** How often an operation is launched again at the most. */
  readonly budget: number;
  /** Operators that may run twice. */
  readonly rerun: readonly string[];
  /** Before the first time, and at the most (ms). */
  readonly pause: { readonly first: number; readonly longest: number };
};

/**
 * Whether an operation that is to fail may be launched again instead. A worker begins by setting `running`, and runs nothing if
 * it cannot: while the operation is `queued` nothing of it was run. A container that has started may be about to do so.
 */
export function mayRetry(operation: Claimed, verdict: Pick<Verdict, "row" | "fault">, policy: RetryPolicy): boolean {
  const { runState, archived, claim } = operation;
  const spent = (claim.earlier?.length ?? 0) >= policy.budget;
  if (spent || archived || isTerminal(runState) || !isSure(claim)) return false;
  const started = hasStarted(operation);
  return isStale(operation) || ((!started || mayRunTwice(operation, policy)) && isRetried(verdict, started));
}

const hasStarted = ({ runState, claim }: Claimed): boolean =>
  runState === "running" || claim.timeline.started !== undefined;

/** Whether it is launched again although a container of its Job has started. */
export const mayRunTwice = (operation: Claimed, { rerun }: RetryPolicy): boolean =>
  rerun.includes(operation.operator) || isStale(operation);

/**
 * Its Job had ended before this claim was on record, and nothing took the operation: a failover took back the claim that the Job
 * was made for, or even the operation, which its worker did not find and somebody wrote again.
 */
const isStale = ({ runState, claim }: Claimed): boolean => runState === "queued" && claim.stale === true;

/**
 * Without a record of its Job nobody could tell whether it is gone; where a creation was in doubt, a second Job may come late.
 * One that was given up to be taken back before would only be taken back once more.
 */
const isSure = ({ job, uid, unsure, withdrawn: given }: Claim): boolean =>
  job !== undefined && uid !== undefined && unsure !== true && given === undefined;

/** Whether a Pod's worker has begun, or is about to. */
export const worked = (pods: readonly PodView[]): boolean => pods.some(hasBegun);

/** Whether a Pod can still run something: it is there, and its end is not on record. */
export const canRun = (pods: readonly PodView[]): boolean =>
  pods.some(({ gone, phase }) => !gone && phase !== "Failed" && phase !== "Succeeded");

/** Milliseconds until an operation is launched again that was launched so often. @param random in [0, 1) */
export const pauseBefore = (earlier: number, { first, longest }: RetryPolicy["pause"], random: number): number =>
  Math.min(longest, first * 2 ** earlier) * (0.75 + random / 2);

/** The attempts before the last one may have ended otherwise. */
export function withEarlier(message: string, { earlier = [] }: Claim): string {
  const before = earlier.map(({ reason }) => reason ?? "").join(", ");
  return earlier.length === 0 ? message : `${message} It was attempt ${earlier.length + 1}; before: ${before}.`;
}

/** Begins: its Job is to be taken back. Refused if it is not any more as it was judged, above all if a worker came first. */
export function withdrawWrite(operation: Claimed, { reason, message, fault }: Verdict, now: Date): ConditionalWrite {
  const fields = { phase: "withdrawn" satisfies Phase, withdrawn: operation.runState, reason, message, fault };
  return {
    filter: { ...judged(operation, operation.runState), [`${FIELD}.phase`]: operation.claim.phase },
    update: { $set: { ...paths(fields), [`${FIELD}.since`]: now } },
  };
}

/** Goes back: a worker has begun after all, or its Job cannot be taken back. Then it is judged as it stands. */
export function restoreWrite(operation: Claimed, now: Date): ConditionalWrite {
  const fields = { phase: "created" satisfies Phase, reason: null, message: null, fault: null, since: now };
  return { filter: withdrawn(operation), update: { $set: paths(fields) } };
}

/** When it is launched again, and why it takes so long. */
export type Relaunch = { readonly at: Date; readonly message: string };

/**
 * The next attempt begins: only now, that no Pod of the one before can run any more. Refused if a worker came first. An operation
 * that a worker had begun is set back to `queued`, as FiftyOne itself does it (contract: a worker runs nothing else).
 */
export function relaunchWrite(operation: Claimed, { at, message }: Relaunch, now: Date): ConditionalWrite {
  const { attempt, token, orchestrator, reason, fault = null, timeline, earlier = [] } = operation.claim;
  const again = operation.claim.withdrawn === "running";
  const claim = {
    queued_at: again ? now : operation.claim.queued_at,
    attempt: attempt + 1,
    ...(token && { token }),
    orchestrator,
    phase: "held" satisfies Phase,
    reason,
    message,
    fault,
    since: now,
    notBefore: at,
    earlier: [...earlier, earlierOf(operation.claim, now)],
    timeline: { seen: timeline.seen ?? now, claimed: now },
  };
  const requeued = { run_state: "queued" satisfies RunState, queued_at: now, updated_at: now };
  return { filter: withdrawn(operation), update: { $set: { ...(again ? requeued : {}), [FIELD]: claim } } };
}

function earlierOf({ attempt, reason, message, fault = null, job, uid, timeline }: Claim, now: Date): Earlier {
  const made = { ...(job === undefined ? {} : { job }), ...(uid === undefined ? {} : { uid }) };
  return { attempt, reason, message, fault, ...made, created: timeline.created ?? null, ended: now };
}

const withdrawn = (operation: Claimed): ConditionalWrite["filter"] => ({
  ...judged(operation, operation.claim.withdrawn),
  [`${FIELD}.phase`]: "withdrawn" satisfies Phase,
});

/** Still this attempt, in this state, with this Job. */
const judged = (operation: Claimed, state: RunState | undefined): ConditionalWrite["filter"] => ({
  ...sameClaim(operation),
  _id: new ObjectId(operation.id),
  run_state: state,
  [`${FIELD}.uid`]: operation.claim.uid,
});

const paths = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [`${FIELD}.${name}`, value]));
