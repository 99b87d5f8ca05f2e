// A delegated operation as opjob reads it, and the sub-document that opjob keeps on it.
// Pure. Knows FiftyOne's field names; nothing of clusters or templates.
import type { ObjectId } from "mongodb";
import { type JobView, queueingOf } from "../clusters/observation.ts";
import type { Fault } from "../clusters/reasons.ts";

export const RUN_STATES = ["scheduled", "queued", "running", "processing", "completed", "failed"] as const;
export type RunState = (typeof RUN_STATES)[number];

/** Where an operation stands on our side. FiftyOne's run_state is the workers' and stays theirs. */
export type Phase =
  | "queued" // not claimed yet: it waits in line
  | "claimed"
  | "held"
  | "created"
  | "waiting"
  | "withdrawn" // its Job is taken back, to be launched again as a new attempt
  | "running"
  | "finished"
  | "failed"
  | "done";

export const STAGES = ["seen", "claimed", "created", "scheduled", "started", "finished", "written"] as const;
export type Stage = (typeof STAGES)[number];
export type Timeline = Partial<Record<Stage, Date>>;

/** Our record says that it has ended. */
export const RECORDED: readonly Phase[] = ["done", "failed"];

/** Name of our sub-document. Unknown fields survive every write of FiftyOne's, and a rerun does not copy them. */
export const FIELD = "opjob";

/** An attempt that was given up for the next one, and why. */
export type Earlier = Pick<Claim, "attempt" | "reason" | "message" | "fault" | "job" | "uid"> & {
  readonly created: Date | null;
  readonly ended: Date;
};

/** Our sub-document. It belongs to one (operation, queued_at): an operation that is queued again is claimed again. */
export type Claim = {
  readonly queued_at: Date | null;
  readonly attempt: number;
  /** Of the write that claimed it. */
  readonly token?: ObjectId;
  /** Of the leadership under which it was last written; absent where no Lease is used. */
  readonly epoch?: number;
  readonly orchestrator: string;
  readonly phase: Phase;
  /** Why it does not go on, or why it ended: one CamelCase word, and a sentence for a person. */
  readonly reason: string | null;
  readonly message: string | null;
  /** Whose fault that is; null or missing where there is no reason, or nobody's to tell yet. */
  readonly fault?: Fault | null;
  /** When `reason` began; grace periods count from here, also over a restart. */
  readonly since: Date | null;
  readonly cluster?: string;
  readonly namespace?: string;
  readonly job?: string;
  readonly uid?: string;
  /** The creation of its Job was sent, and no answer says what became of it: a Job may exist. */
  readonly unsure?: boolean;
  /** Its Job had ended when it was recorded. If the operation is still queued, that Job was made for an earlier claim, which was lost. */
  readonly stale?: boolean;
  /** The run state in which its Job was taken back; where it has changed since, a worker came first. */
  readonly withdrawn?: RunState;
  /** It is not launched again before. */
  readonly notBefore?: Date;
  /** The attempts before this one, since it was queued; no more than the budget for retries. */
  readonly earlier?: readonly Earlier[];
  readonly timeline: Timeline;
};

export type Operation = {
  readonly id: string;
  readonly operator: string;
  readonly target: string | null;
  readonly runState: RunState;
  readonly queuedAt: Date | null;
  /** When it was completed or failed; an operation that is queued again keeps the time of its earlier end. */
  readonly endedAt: Date | null;
  readonly archived: boolean;
  /** The error that a worker or opjob recorded; a person's "fail" leaves none. */
  readonly error: string | null;
  readonly parentId: ObjectId | null;
  /** Higher goes first; 0 where the document has none, as in open-source FiftyOne. */
  readonly priority: number;
  readonly claim: Claim | undefined;
};

export type Claimed = Operation & { readonly claim: Claim };

/** What is read of a document; contexts and results can be large. */
export const PROJECTION = {
  operator: 1,
  delegation_target: 1,
  run_state: 1,
  queued_at: 1,
  failed_at: 1,
  completed_at: 1,
  archived: 1,
  "result.error": 1,
  parent_id: 1,
  priority: 1,
  [FIELD]: 1,
} as const;

export type OperationDocument = {
  _id: ObjectId;
  operator?: string;
  delegation_target?: string | null;
  run_state: RunState;
  queued_at?: Date | null;
  failed_at?: Date | null;
  completed_at?: Date | null;
  updated_at?: Date | null;
  archived?: boolean;
  result?: { error?: string | null } | null;
  parent_id?: ObjectId | null;
  priority?: unknown;
  opjob?: Claim;
};

export function parseOperation(document: OperationDocument): Operation {
  return {
    id: document._id.toHexString(),
    operator: document.operator ?? "",
    target: document.delegation_target ?? null,
    runState: document.run_state,
    queuedAt: document.queued_at ?? null,
    endedAt: endOf(document),
    archived: document.archived === true,
    error: document.result?.error ?? null,
    parentId: document.parent_id ?? null,
    priority: typeof document.priority === "number" ? document.priority : 0,
    claim: claimOf(document),
  };
}

const endOf = ({ run_state, completed_at, failed_at }: OperationDocument): Date | null =>
  (run_state === "completed" ? completed_at : failed_at) ?? null;

/** One that only waits in line is told why in the same sub-document, and is not claimed by it. */
const claimOf = ({ opjob }: OperationDocument): Claim | undefined => (opjob?.attempt === undefined ? undefined : opjob);

export const isTerminal = (state: RunState): boolean => state === "completed" || state === "failed";

/**
 * Whether a Job may live for an operation even if none is seen: then it holds its place among those in flight. Also one
 * that has a result: its Job ends a little later, and may not have been seen yet.
 */
export function mayHaveJob(operation: Operation): boolean {
  const { claim } = operation;
  if (claim === undefined || !isClaimed(operation)) return false;
  return MAY_HAVE_JOB[claim.phase] ?? claim.unsure === true;
}

/** A claim that is no more than that may come from a daemon that died when it had just created the Job. */
const MAY_HAVE_JOB: Record<Phase, boolean | undefined> = {
  queued: false,
  claimed: true,
  held: undefined,
  created: true,
  waiting: true,
  withdrawn: true,
  running: true,
  finished: false,
  failed: false,
  done: false,
};

/** Whether our claim is for the operation as it is queued now, and not for an earlier time that it was queued. */
export function isClaimed(operation: Operation): operation is Claimed {
  return operation.claim !== undefined && operation.claim.queued_at?.getTime() === operation.queuedAt?.getTime();
}

/** Whether a Job is of the operation's present attempt, by its marks; the same attempt may have had one before. */
export const isOfAttempt = (
  job: Pick<JobView, "operation" | "attempt" | "database">,
  { id, claim }: Claimed,
  database: string,
): boolean => job.operation === id && job.attempt === claim.attempt && job.database === database;

/**
 * Whether a Job was made for what was queued at that time. The worker of one that was made for an earlier queueing may be at work
 * on that, and then serves no other. Two such Jobs have the same attempt where a failover took back the claim between them.
 */
export const isMadeFor = ({ queueing }: Pick<JobView, "queueing">, queuedAt: Date | null): boolean =>
  queueing === undefined || queueing === queueingOf(queuedAt);
