// Which reasons are worth another attempt: those of the cluster's faults that a new Pod, perhaps on another node, need not meet.
// Pure data: rows of the tables of reasons. Whether a worker had begun, and whether anything is left of the budget, others say.
import type { EndedId } from "./ending-reasons.ts";
import type { Verdict } from "./reasons.ts";
import type { WaitingId } from "./waiting-reasons.ts";

/** Nothing of it ever ran, and its place is gone: a new one is all that is needed. */
const TAKEN_AWAY = [
  ...["evicted", "preempted", "preemptedByNode", "drained", "tainted", "nodeGone", "nodeLost", "nodeShutdown"],
  ...["nodeTerminated", "rejected", "disrupted", "podDeleted", "podGone", "jobGone"],
] as const satisfies readonly EndedId[];

/**
 * It waited as long as it may, for something that differs from node to node or from Pod to Pod. Not what only waits its turn or
 * for room: a new Pod would wait for the same, and stand further back.
 */
const STUCK = [
  ...["noPod", "webhookFailed", "podCreateFailed", "notStarted", "mountFailed", "sandboxFailed", "createFailed"],
  ...["registryAway", "registryBusy"],
] as const satisfies readonly WaitingId[];

/** How a worker ends that had begun, besides: by a fault of its node. */
const DIED = ["workerKilled", "containerLost"] as const satisfies readonly EndedId[];

const NEVER_STARTED: ReadonlySet<string> = new Set([...TAKEN_AWAY, ...STUCK]);
const STARTED: ReadonlySet<string> = new Set([...TAKEN_AWAY, ...DIED]);

/** Whether an operation whose worker had (not) begun may be launched again after this. A row's name may stand in both tables. */
export const isRetried = ({ row, fault }: Pick<Verdict, "row" | "fault">, started: boolean): boolean =>
  fault === "cluster" && (started ? STARTED : NEVER_STARTED).has(row);
