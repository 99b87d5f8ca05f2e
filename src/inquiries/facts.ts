// Gathers what there is to know of one operation: its document, its orchestrator, its cluster, its Job and Pods. Reads only,
// and concludes nothing: what could not be looked at is a fact as well.
import type { Cluster } from "../clusters/kubernetes.ts";
import type { Seen } from "../clusters/obstacle.ts";
import { asOpjobError, OpjobError } from "../errors.ts";
import type { Shown } from "../operations/mongo-reads.ts";
import { type Claimed, isClaimed } from "../operations/operation.ts";
import type { Observation, Transition } from "../operations/transition.ts";
import type { Site } from "../place.ts";
import type { Desk } from "./desk.ts";
import { type LeaderFact, leaderOf } from "./leader.ts";
import { type TargetFact, targetFact } from "./target.ts";

export type JobFact =
  /** None is recorded. */
  | { readonly kind: "none" }
  | { readonly kind: "unknown"; readonly error: OpjobError }
  /** `absent`: the API server says that there is none (any more). `transition`: what the daemon makes of it. */
  | { readonly kind: "absent"; readonly transition: Transition }
  | (Seen & { readonly kind: "job"; readonly cluster: Cluster; readonly transition: Transition });

export type Facts = {
  readonly operation: Shown;
  readonly target: TargetFact;
  /** What keeps the orchestrator from launching now, as far as it can be seen from here. */
  readonly fault: OpjobError | undefined;
  readonly reached: Site | undefined;
  readonly job: JobFact;
  readonly leader: LeaderFact;
};

export async function gatherFacts(desk: Desk, operation: Shown): Promise<Facts> {
  const target = targetFact(operation.target, desk.records);
  const { reached, fault } = await reach(desk, operation, target);
  const [job, leader] = await Promise.all([findJob(desk, operation, { reached, fault }), leaderOf(desk)]);
  return { operation, target, reached, fault, job, leader };
}

type Reaching = { readonly reached: Site | undefined; readonly fault: OpjobError | undefined };

async function reach({ placer }: Desk, operation: Shown, target: TargetFact): Promise<Reaching> {
  const id = operation.claim?.orchestrator ?? operation.target;
  if (id === null || id === undefined || (target.kind !== "ours" && target.kind !== "deactivated"))
    return { reached: undefined, fault: undefined };
  try {
    return { reached: await placer.site(id), fault: undefined };
  } catch (error) {
    return { reached: undefined, fault: asOpjobError(error) };
  }
}

async function findJob(desk: Desk, operation: Shown, { reached, fault }: Reaching): Promise<JobFact> {
  const { claim } = operation;
  if (!isClaimed(operation) || claim?.job === undefined || claim.namespace === undefined) return { kind: "none" };
  if (reached === undefined) return { kind: "unknown", error: fault ?? noWay(claim.cluster) };
  const { cluster } = reached;
  // Another cluster would say "there is no such Job", and be right.
  if (cluster.server !== claim.cluster) return { kind: "unknown", error: noWay(claim.cluster, cluster.server) };
  try {
    return await lookUp(desk, operation, cluster);
  } catch (error) {
    return { kind: "unknown", error: asOpjobError(error) };
  }
}

async function lookUp({ judge }: Desk, operation: Claimed, cluster: Cluster): Promise<JobFact> {
  const { namespace = "", job: name = "", uid } = operation.claim;
  const job = await cluster.getJob(namespace, name);
  const there = job !== undefined && (uid === undefined || job.uid === uid);
  const observation: Observation = there
    ? { kind: "job", job, pods: await cluster.podsOf(job) }
    : { kind: "absent", pods: [] };
  const { found, transition } = await judge.judge(operation, { observation, cluster });
  if (found.observation.kind !== "job") return { kind: "absent", transition };
  const { pods, events } = found.observation;
  return { kind: "job", job: found.observation.job, pods, events, cluster, transition };
}

const noWay = (server = "", reached?: string) =>
  new OpjobError(
    "CLUSTER_UNREACHABLE",
    `The Job is on ${server}, which is not reached from here${reached === undefined ? "" : `: the orchestrator leads to ${reached}`}.`,
    { remedy: "Ask where opjob runs: `kubectl exec deploy/opjob -- …`; its service account or kubeconfig is another." },
  );
