// A Job that has not ended, as those see it who give places: how far its Pod has come, and what it needs.
// Pure; knows views only.
import { lacksImage } from "./image-trouble.ts";
import { hasBegun, isScheduled, isUnschedulable, type JobView, newest, type PodView } from "./observation.ts";

/** One (cluster, namespace) as one watch sees it. */
export type Scope = string;

/** A Job that has not ended, and how far its Pod has come. */
export type LiveJob = {
  readonly job: JobView;
  readonly scope: Scope;
  /** Whether a node has taken it; `refused`: none has room for it. */
  readonly node: "taken" | "refused" | "undecided";
  /** Whether its main container has begun. */
  readonly begun: boolean;
  /** An image of it that cannot be pulled now. */
  readonly stuck: string | undefined;
  readonly images: readonly string[];
};

/** @param pods of the Job, also those that are gone */
export const liveJob = (job: JobView, scope: Scope, pods: readonly PodView[]): LiveJob => ({
  job,
  scope,
  ...progressOf(newest(pods.filter(({ gone }) => !gone))),
});

function progressOf(pod: PodView | undefined): Omit<LiveJob, "job" | "scope"> {
  if (pod === undefined) return { node: "undecided", begun: false, stuck: undefined, images: [] };
  const containers = [...pod.initContainers, ...pod.containers];
  return {
    node: isUnschedulable(pod) ? "refused" : isScheduled(pod) ? "taken" : "undecided",
    begun: hasBegun(pod),
    stuck: containers.find(({ waiting }) => waiting !== undefined && lacksImage(waiting.reason))?.image,
    images: containers.map(({ image }) => image),
  };
}
