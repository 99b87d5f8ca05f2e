// A plan: everything that will happen in one simulation, as plain data. The same plan plays the same way; what is left out of
// it does not happen, so that a failing one can be made smaller. Pure.
import type { Fates } from "./kubernetes/cluster.ts";

/** What is special about an operation's document: most of these are nobody's to touch. */
export type Oddity =
  | "no-target"
  | "unknown-target"
  | "other-environment"
  | "archived"
  | "scheduled"
  | "running"
  | "no-date";

export type OperationPlan = {
  /** Milliseconds since the beginning; below 0: it is never queued. */
  readonly at: number;
  readonly orchestrator: number;
  readonly oddity: Oddity | undefined;
  /** Its operator may run twice. */
  readonly rerun?: boolean;
  /** By how manieth of its Jobs that is; the last one is for all that come after. */
  readonly fates: readonly Fates[];
};

/** Operators by their URIs: one that runs once at the most, and one that may run twice. */
const OPERATORS = { once: "@team/echo", again: "@team/sum" } as const;
export const RERUN_OPERATORS: readonly string[] = [OPERATORS.again];
export const operatorOf = ({ rerun }: Pick<OperationPlan, "rerun"> = {}): string =>
  rerun ? OPERATORS.again : OPERATORS.once;

export type OrchestratorPlan = {
  readonly cluster: number;
  readonly namespace: string;
  /** Number of the image that its template names; absent: 1. */
  readonly image?: number;
  /** Seconds after which the template's Jobs are tidied up when they have finished; undefined: never. */
  readonly ttl: number | undefined;
};

export type ActKind =
  | "fail"
  | "delete"
  | "archive"
  | "requeue"
  | "schedule"
  | "promote"
  | "delete-job"
  | "delete-job-foreground"
  | "delete-pod"
  | "replace-job"
  | "impostor"
  | "lost-worker"
  | "unblock"
  | "deactivate"
  | "reactivate";

/**
 * Just after a daemon has sent its how manieth call, of a verb if one is given, and before that is done; or so long after that (ms).
 */
export type Moment = { readonly call: number; readonly verb?: string; readonly afterMs?: number };

/** Something that a person does to an operation, to its Job, or to its orchestrator. */
export type Act = {
  /** Milliseconds since the beginning, or the daemons' how manieth call: people are quick, and do not know what is under way. */
  readonly at: number | Moment;
  readonly kind: ActKind;
  readonly operation: number;
};

export type Kill = {
  /** At which call of the life it dies, of a verb if one is given: the first is 1. */
  readonly call: number;
  readonly verb?: string;
  /** Before the call is sent, or after it was done and before its answer came. */
  readonly side: "before" | "after";
  readonly downMs: number;
};

/** `frozen`: its own clock stands still, too, as that of a machine that is suspended. */
export type Pause = { readonly at: number | Moment; readonly ms: number; readonly frozen?: boolean };
/** A stop in order, as by SIGTERM. */
export type Stop = { readonly at: number; readonly downMs: number };

export type DaemonPlan = {
  readonly startAt: number;
  /** How far its clock is off (ms). */
  readonly skewMs: number;
  /** How fast its clock goes; absent: as true time does. */
  readonly rate?: number;
  /** The first one counts for the first life that has so many calls, and so on. */
  readonly kills: readonly Kill[];
  readonly pauses: readonly Pause[];
  readonly stops: readonly Stop[];
};

export type TroubleKind =
  | "slow"
  | "unreachable"
  | "lost-replies"
  | "late"
  | "not-primary"
  | "throttled"
  | "broken"
  | "overloaded"
  | "forbidden"
  | "empty-list";

/** Numbers of services that are no orchestrator's cluster. */
export const DATABASE_SERVICE = -1;
export const LEASE_SERVICE = -2;

/** A time in which calls meet trouble. */
export type Trouble = {
  readonly from: number;
  readonly ms: number;
  /** The database, the cluster of the Lease, or the cluster of that number. */
  readonly service: number;
  /** Of one daemon, or of all. */
  readonly daemon: number | undefined;
  readonly kind: TroubleKind;
  readonly probability: number;
};

/** A single call that meets trouble: the how manieth of all daemons', of a verb. */
export type Mishap = {
  readonly at: { readonly call: number; readonly verb: string };
  readonly kind: TroubleKind;
};

/** A fault that all launches of an orchestrator meet; of images: of all that need the same one. May outlast the horizon. */
export type Storm = {
  readonly from: number;
  readonly ms: number;
  readonly orchestrator: number;
  readonly kind: "quota" | "forbidden" | "secret" | "image";
};

export type HintTrouble = {
  readonly from: number;
  readonly ms: number;
  readonly kind: "dropped" | "doubled" | "late";
  /** Of change streams, or of watches, which may be doubled or late but are never dropped. */
  readonly of: "streams" | "watches";
};

export type Incident = {
  readonly at: number | Moment;
  readonly kind:
    | "cut-streams"
    | "cut-watches"
    | "silence-watches"
    | "forget-oplog"
    | "forget-versions"
    | "failover"
    | "partition"
    | "delete-lease";
  readonly ms: number;
};

export type Plan = {
  readonly seed: number;
  /** After it nothing bad happens any more, and everything has to come to rest. */
  readonly horizonMs: number;
  /** How many may be in flight at once; 0 or absent: no limit. */
  readonly limit?: number;
  /** Whether the daemons agree by a Lease on the one that leads. */
  readonly lease?: boolean;
  /** How long at the most what makes or deletes a Job waits for its turn before it is sent; absent: not at all. */
  readonly turnMs?: number;
  readonly clusterSkewMs: readonly number[];
  readonly orchestrators: readonly OrchestratorPlan[];
  readonly operations: readonly OperationPlan[];
  readonly daemons: readonly DaemonPlan[];
  readonly acts: readonly Act[];
  readonly storms?: readonly Storm[];
  readonly troubles: readonly Trouble[];
  readonly mishaps?: readonly Mishap[];
  readonly hints: readonly HintTrouble[];
  readonly incidents: readonly Incident[];
};
