// How a cluster takes a Pod away from its worker, from the Pod's reason and conditions. Pure.
import { ENDED, type EndedId } from "./ending-reasons.ts";
import type { EventView } from "./events.ts";
import { disruption, type PodView } from "./observation.ts";
import { sentence, type Verdict } from "./reasons.ts";

/** By the reason that the kubelet or a controller gave the Pod's status. */
const BY_STATUS: Readonly<Record<string, readonly [EndedId, string]>> = {
  Evicted: ["evicted", "The Pod was evicted from its node"],
  Preempting: ["preemptedByNode", "The Pod had to make room for one of higher priority"],
  NodeLost: ["nodeLost", "The Pod's node was lost"],
  NodeShutdown: ["nodeShutdown", "The Pod's node was shut down"],
  Terminated: ["nodeTerminated", "The Pod's node was shut down"],
  DeadlineExceeded: ["deadline", "The Pod ran longer than its activeDeadlineSeconds allows"],
};

/** By the reason of its condition DisruptionTarget. */
const BY_CONDITION: Readonly<Record<string, readonly [EndedId, string]>> = {
  PreemptionByScheduler: ["preempted", "The scheduler took the Pod away for one of higher priority"],
  DeletionByTaintManager: ["tainted", "The Pod was deleted, for its node got a taint that it does not tolerate"],
  EvictionByEvictionAPI: ["drained", "The Pod was evicted on somebody's request, as in the drain of a node"],
  DeletionByPodGC: ["nodeGone", "The Pod was deleted, for its node is not there any more"],
};

/** By the reason of an Event about a Pod that nobody saw any more. */
const BY_EVENT: Readonly<Record<string, readonly [EndedId, string]>> = {
  Preempted: BY_CONDITION["PreemptionByScheduler"] ?? ["preempted", ""],
  TaintManagerEviction: BY_CONDITION["DeletionByTaintManager"] ?? ["tainted", ""],
  Evicted: BY_STATUS["Evicted"] ?? ["evicted", ""],
  Preempting: BY_STATUS["Preempting"] ?? ["preemptedByNode", ""],
};

/** Reasons with which a kubelet refuses a Pod that the scheduler gave it; such a Pod never ran. */
const REJECTIONS =
  /^(OutOf.+|UnexpectedAdmissionError|Node(Affinity|Name|Ports)|TopologyAffinityError|InvalidNodeInfo|SysctlForbidden|AppArmor|PodOS.+|UnknownReason)$/i;

/** Limits of the Pod's own, not of the node. */
const OWN_LIMIT = /exceed(s|ed) (the total|its local|the limit)/;

export function interruption(pod: PodView): Verdict | undefined {
  return byStatus(pod) ?? byCondition(pod);
}

function byStatus({ reason, message }: PodView): Verdict | undefined {
  const [row, what] = BY_STATUS[reason] ?? [];
  if (reason === "Evicted" && OWN_LIMIT.test(message)) return verdict("diskLimit", "The Pod was evicted", message);
  if (row !== undefined && what !== undefined) return verdict(row, what, message);
  return REJECTIONS.test(reason) ? verdict("rejected", `The node refused the Pod (${reason})`, message) : undefined;
}

function byCondition(pod: PodView): Verdict | undefined {
  const condition = disruption(pod);
  if (condition === undefined) return undefined;
  const [row, what] = BY_CONDITION[condition.reason] ?? ["disrupted", "The Pod was removed by the cluster"];
  return verdict(row, what, condition.message);
}

/** What became of a Pod, by Events that outlive it. */
export function interruptionTold(events: readonly EventView[]): Verdict | undefined {
  const event = events.findLast(({ kind, reason }) => kind === "Pod" && BY_EVENT[reason] !== undefined);
  const [row, what] = BY_EVENT[event?.reason ?? ""] ?? [];
  return row === undefined || what === undefined ? undefined : verdict(row, what, event?.message ?? "");
}

const verdict = (row: EndedId, what: string, detail: string): Verdict => ({
  ...ENDED[row],
  row,
  message: sentence(what, detail),
});
