// The way of an operation from its document to its container, as far as it has come: one line a station. Pure.
import { type ContainerView, jobEnd, newest, type PodView } from "../clusters/observation.ts";
import type { Told } from "../operations/mongo-reads.ts";
import { type Claim, isClaimed, isTerminal } from "../operations/operation.ts";
import type { Facts, JobFact } from "./facts.ts";
import type { LeaderFact } from "./leader.ts";

export type Station = { readonly at: string; readonly is: string; readonly stands: string };

export function wayOf(facts: Facts): Station[] {
  const { operation, target } = facts;
  const { id, operator, runState, archived } = operation;
  const claim = isClaimed(operation) ? operation.claim : undefined;
  return [
    { at: "operation", is: `${operator} ${id}`, stands: archived ? `${runState}, archived` : runState },
    { at: "orchestrator", is: claim?.orchestrator ?? operation.target ?? "(none)", stands: TARGETS[target.kind] },
    ...(isTerminal(runState) ? [] : leaderStation(facts.leader)),
    ...(operation.told ? [lineStation(operation.told)] : []),
    ...claimStations(claim),
    ...clusterStations(claim, facts),
    ...jobStations(claim, facts.job),
  ];
}

function leaderStation(leader: LeaderFact): Station[] {
  switch (leader.kind) {
    case "not asked":
      return [];
    case "unknown":
      return [{ at: "opjob", is: "(not known who leads)", stands: leader.error.code }];
    case "nobody":
      return [{ at: "opjob", is: `Lease ${leader.lease}`, stands: "nobody leads" }];
    case "leads":
      return [{ at: "opjob", is: leader.holder.replace(/_[0-9a-f-]{36}$/, ""), stands: "leads" }];
  }
}

function claimStations(claim: Claim | undefined): Station[] {
  if (claim === undefined) return [];
  const { attempt: nth, phase, earlier = [] } = claim;
  const before = earlier.map(({ attempt, reason, job, ended }) => ({
    at: "earlier",
    is: `attempt ${attempt}${job === undefined ? "" : `, Job ${job}`}`,
    stands: `${reason ?? ""} at ${ended.toISOString()}`,
  }));
  return [...before, { at: "claim", is: `attempt ${nth}`, stands: phase }];
}

const lineStation = ({ place, reason }: Told): Station => ({
  at: "line",
  is: place === undefined ? "(no place told yet)" : place === 1 ? "the next one" : `number ${place}`,
  stands: reason ?? "",
});

function clusterStations(claim: Claim | undefined, { reached, fault, job }: Facts): Station[] {
  const server = claim?.cluster ?? reached?.cluster.server;
  if (server === undefined) return fault ? [{ at: "cluster", is: "(not known)", stands: fault.code }] : [];
  return [{ at: "cluster", is: server, stands: clusterStands(job) }];
}

function jobStations(claim: Claim | undefined, job: JobFact): Station[] {
  if (claim?.job === undefined) return [];
  const station = { at: "Job", is: `${claim.namespace ?? ""}/${claim.job}`, stands: jobStands(job) };
  return [station, ...(job.kind === "job" ? podStations(job.pods) : [])];
}

const TARGETS = {
  ours: "active",
  none: "no target",
  unknown: "unknown",
  elsewhere: "not on Kubernetes",
  deactivated: "deactivated",
} as const;

const clusterStands = (job: JobFact): string =>
  job.kind === "unknown" ? job.error.code : job.kind === "none" ? "" : "answers";

function jobStands(job: JobFact): string {
  if (job.kind === "none" || job.kind === "unknown") return "not seen";
  if (job.kind === "absent") return "gone";
  const end = jobEnd(job.job);
  if (end) return end.outcome === "complete" ? "complete" : `failed: ${end.condition.reason}`;
  if (job.job.deleting) return "being deleted";
  return job.job.suspended ? "suspended" : "live";
}

function podStations(pods: readonly PodView[]): Station[] {
  const pod = newest(pods);
  if (pod === undefined) return [{ at: "Pod", is: "(none)", stands: "" }];
  const state = [pod.phase, pod.reason, pod.deleting ? "being deleted" : ""].filter((word) => word !== "").join(", ");
  const containers = [...pod.initContainers, ...pod.containers].map((container) => ({
    at: "container",
    is: `${container.name} (${container.image})`,
    stands: containerStands(container),
  }));
  return [{ at: "Pod", is: pod.name, stands: state }, ...containers];
}

function containerStands({ waiting, terminated, startedAt }: ContainerView): string {
  if (waiting && terminated === undefined) return `waits: ${waiting.reason || "not started"}`;
  if (terminated) return `ended: ${terminated.reason || "Completed"}, exit code ${terminated.exitCode}`;
  return startedAt === undefined ? "not started" : "runs";
}
