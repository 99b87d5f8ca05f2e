// Gathers what there is to know of one operation: its document, its orchestrator, its cluster, its Job and Pods. Reads only,
// and concludes nothing: what could not be looked at is a fact as well.
import type { Cluster } from "../clusters/kubernetes.ts";
import type { JobView, PodView } from "../clusters/observation.ts";
import { asOpjobError, OpjobError } from "../errors.ts";
import type { Shown } from "../operations/mongo-reads.ts";
import { isClaimed } from "../operations/operation.ts";
import type { Reached } from "../place.ts";
import type { Desk } from "./desk.ts";
import { type TargetFact, targetFact } from "./target.ts";

export type JobFact =
  /** None is recorded. */
  | { readonly kind: "none" }
  /** The API server says that there is none (any more). */
  | { readonly kind: "absent" }
  | { readonly kind: "unknown"; readonly error: OpjobError }
  | { readonly kind: "job"; readonly job: JobView; readonly pods: readonly PodView[]; readonly cluster: Cluster };

export type Facts = {
  readonly operation: Shown;
  readonly target: TargetFact;
  /** What keeps the orchestrator from launching now, as far as it can be seen from here. */
  readonly fault: OpjobError | undefined;
  readonly reached: Reached | undefined;
  readonly job: JobFact;
};

export async function gatherFacts(desk: Desk, operation: Shown): Promise<Facts> {
  const target = targetFact(operation.target, desk.records);
  const { reached, fault } = await reach(desk, operation, target);
  return { operation, target, reached, fault, job: await findJob(operation, { reached, fault }) };
}

type Reaching = { readonly reached: Reached | undefined; readonly fault: OpjobError | undefined };

async function reach({ placer }: Desk, operation: Shown, target: TargetFact): Promise<Reaching> {
  const id = operation.claim?.orchestrator ?? operation.target;
  if (id === null || id === undefined || (target.kind !== "ours" && target.kind !== "deactivated"))
    return { reached: undefined, fault: undefined };
  try {
    return { reached: await placer.reach(id), fault: undefined };
  } catch (error) {
    return { reached: undefined, fault: asOpjobError(error) };
  }
}

async function findJob(operation: Shown, { reached, fault }: Reaching): Promise<JobFact> {
  const { claim } = operation;
  if (claim?.job === undefined || claim.namespace === undefined || !isClaimed(operation)) return { kind: "none" };
  if (reached === undefined) return { kind: "unknown", error: fault ?? noWay(claim.cluster) };
  const { cluster } = reached;
  // Another cluster would say "there is no such Job", and be right.
  if (cluster.server !== claim.cluster) return { kind: "unknown", error: noWay(claim.cluster, cluster.server) };
  const { namespace, job: name, uid } = claim;
  return lookUp(cluster, { namespace, name, uid });
}

type Place = { readonly namespace: string; readonly name: string; readonly uid: string | undefined };

async function lookUp(cluster: Cluster, { namespace, name, uid }: Place): Promise<JobFact> {
  try {
    const job = await cluster.getJob(namespace, name);
    if (job === undefined || (uid !== undefined && job.uid !== uid)) return { kind: "absent" };
    return { kind: "job", job, pods: await cluster.podsOf(job), cluster };
  } catch (error) {
    return { kind: "unknown", error: asOpjobError(error) };
  }
}

const noWay = (server = "", reached?: string) =>
  new OpjobError(
    "CLUSTER_UNREACHABLE",
    `The Job is on ${server}, which is not reached from here${reached === undefined ? "" : `: the orchestrator leads to ${reached}`}.`,
    { remedy: "Ask where opjob runs: `kubectl exec deploy/opjob -- …`; its service account or kubeconfig is another." },
  );
