// The one node: what it offers, which Pods it has room for, and why it refuses one, in the scheduler's words. Pure.
import type { Container, Pod, Toleration } from "./objects.ts";
import { quantityOf } from "./quantity.ts";

export type Taint = { readonly key: string; readonly value?: string; readonly effect: string };
export type Capacity = Readonly<Record<string, string>>;
export type NodeOptions = {
  readonly name?: string;
  /** `cpu`, `memory`, `pods` and extended resources such as `nvidia.com/gpu`. */
  readonly capacity?: Capacity;
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: readonly Taint[];
  /** Takes any nodeSelector, ignores taints and has plenty of each resource that `capacity` does not name. */
  readonly acceptAll?: boolean;
};

export const PLENTY: Capacity = { cpu: "1000", memory: "4Ti", "ephemeral-storage": "4Ti", pods: "10000" };

type Amounts = Readonly<Record<string, number>>;

/** What a Pod takes of a node. An init container runs alone, a sidecar beside all others. */
export function requestsOf({ spec }: Pod): Amounts {
  const init = spec.initContainers ?? [];
  const sidecars = init.filter(({ restartPolicy }) => restartPolicy === "Always");
  const total: Record<string, number> = { pods: 1 };
  for (const container of [...spec.containers, ...sidecars]) {
    for (const [name, amount] of requests(container)) total[name] = (total[name] ?? 0) + amount;
  }
  for (const container of init) {
    for (const [name, amount] of requests(container)) total[name] = Math.max(total[name] ?? 0, amount);
  }
  return total;
}

const requests = ({ resources }: Container): [string, number][] =>
  Object.entries(resources?.requests ?? {}).map(([name, quantity]) => [name, quantityOf(quantity)]);

/** A refusal; `lasting` if no Pod that ends could help. */
export type NodeRefusal = { readonly why: string; readonly lasting: boolean };

/** Why the node refuses a Pod; empty if it takes it. @param used what its Pods take already */
export function refusalsOf(pod: Pod, node: NodeOptions, used: Amounts): NodeRefusal[] {
  const misfit = node.acceptAll ? undefined : misfitOf(pod, node);
  if (misfit) return [{ why: misfit, lasting: true }];
  const capacity: Capacity = { ...PLENTY, ...node.capacity };
  const all = (name: string) => quantityOf(capacity[name] ?? (node.acceptAll ? "1E" : "0"));
  return Object.entries(requestsOf(pod))
    .filter(([name, amount]) => amount > all(name) - (used[name] ?? 0))
    .map(([name, amount]) => ({
      why: name === "pods" ? "Too many pods" : `Insufficient ${name}`,
      lasting: amount > all(name),
    }))
    .sort((a, b) => (a.why < b.why ? -1 : 1));
}

function misfitOf(pod: Pod, { labels = {}, taints = [] }: NodeOptions): string | undefined {
  const selects = Object.entries(pod.spec.nodeSelector ?? {}).every(([key, value]) => labels[key] === value);
  if (!selects) return "node(s) didn't match Pod's node affinity/selector";
  const taint = taints.find((one) => one.effect !== "PreferNoSchedule" && !tolerates(pod, one));
  return taint && "node(s) had untolerated taint(s)";
}

const tolerates = ({ spec }: Pod, taint: Taint): boolean =>
  (spec.tolerations ?? []).some((toleration) => matchesTaint(toleration, taint));

function matchesTaint({ key, operator = "Equal", value = "", effect }: Toleration, taint: Taint): boolean {
  if (effect && effect !== taint.effect) return false;
  if (!key) return operator === "Exists";
  return key === taint.key && (operator === "Exists" || value === (taint.value ?? ""));
}

/** The scheduler's sentence for a Pod that fits nowhere. */
export function unschedulable(refusals: readonly NodeRefusal[]): string {
  const list = refusals.map(({ why }) => `1 ${why}`).join(", ");
  const helpless = refusals.some(({ lasting }) => lasting);
  const why = helpless
    ? "1 Preemption is not helpful for scheduling"
    : "1 No preemption victims found for incoming pod";
  return `0/1 nodes are available: ${list}. preemption: 0/1 nodes are available: ${why}.`;
}
