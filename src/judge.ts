// Judge: what follows for an operation from what was found of its Job, and, before it fails, whether that still holds.
// Works through the cluster client that found it; it changes nothing.
import type { Ending } from "./clusters/ending-reasons.ts";
import type { Inquiry } from "./clusters/events.ts";
import type { Cluster } from "./clusters/kubernetes.ts";
import { jobEnd, type PodView } from "./clusters/observation.ts";
import { type Found, podsOf } from "./look.ts";
import type { Claimed } from "./operations/operation.ts";
import { type Observation, type Patiences, questionOf, reduce, type Transition } from "./operations/transition.ts";

export type JudgeOptions = {
  readonly inquiry: Inquiry;
  readonly patience: Patiences;
  readonly now: () => number;
};
export type Judged = { readonly found: Found; readonly transition: Transition };

/** An ending may ask for the Events of the Job, and then for those of the Pod that these name. */
const QUESTIONS = 2;

export function createJudge({ inquiry, patience, now }: JudgeOptions) {
  const follows = (operation: Claimed, observation: Observation): Transition =>
    reduce(operation, observation, patience, now());

  /** The ending that holds, in the best words to be had. */
  const settle = async (operation: Claimed, found: Told, cluster: Cluster): Promise<Ending | undefined> => {
    let seen = found;
    let verdict = follows(operation, seen);
    const namespace = seen.kind === "job" ? seen.job.namespace : (operation.claim.namespace ?? "");
    for (let asked = 0; asked < QUESTIONS && verdict.kind === "fail" && verdict.ending.ask; asked++) {
      const { events } = await inquiry.ask(cluster, namespace, verdict.ending.ask, true);
      if (events === undefined) break;
      seen = { ...seen, events: [...(seen.events ?? []), ...events] };
      verdict = follows(operation, seen);
    }
    return verdict.kind === "fail" ? verdict.ending : undefined;
  };

  return {
    /** Events are asked for only where nothing else tells why an operation waits. */
    async judge(operation: Claimed, found: Found): Promise<Judged> {
      const { observation, cluster } = found;
      const about = questionOf(operation, observation, now());
      if (about === undefined || cluster === undefined || observation.kind !== "job") {
        return { found, transition: follows(operation, observation) };
      }
      const { events, again } = await inquiry.ask(cluster, observation.job.namespace, about);
      const told = { ...observation, events };
      const transition = follows(operation, told);
      // No hint comes with an Event: as long as it may tell more, it is asked for again.
      const open = questionOf(operation, told, now()) !== undefined;
      return { found: { ...found, observation: told }, transition: open ? sooner(transition, again) : transition };
    },

    /**
     * Judges once more by the API server's own present answer, before an operation is failed: a watch may lag.
     * undefined: the failure does not hold (any more).
     */
    async confirm(operation: Claimed, { observation, cluster }: Found, ending: Ending): Promise<Ending | undefined> {
      if (observation.kind === "unknown") return undefined;
      // An absent Job was looked for by its name a moment ago: nothing else gives this answer.
      if (observation.kind === "absent") return cluster ? settle(operation, observation, cluster) : ending;
      if (cluster === undefined) return undefined;
      const { job } = observation;
      const live = await cluster.getJob(job.namespace, job.name);
      // An ended Job may have been tidied up since; one that was alive and is gone is judged anew.
      if (live === undefined || live.uid !== job.uid) return jobEnd(job) ? ending : undefined;
      const pods = together(observation.pods, await podsOf(cluster, live));
      return settle(operation, { ...observation, job: live, pods }, cluster);
    },
  };
}

export type Judge = ReturnType<typeof createJudge>;

type Told = Exclude<Observation, { kind: "unknown" }>;

/** What is there now, and what is known of Pods that were there before. */
function together(known: readonly PodView[], live: readonly PodView[]): PodView[] {
  const present = new Set(live.map(({ uid }) => uid));
  const before = known.filter(({ uid }) => !present.has(uid)).map((pod) => ({ ...pod, deleting: true, gone: true }));
  return [...before, ...live];
}

function sooner(transition: Transition, ms: number): Transition {
  switch (transition.kind) {
    case "rest":
      return { kind: "again", ms };
    case "again":
      return { kind: "again", ms: Math.min(ms, transition.ms) };
    case "change":
      return { ...transition, again: Math.min(ms, transition.again ?? ms) };
    case "fail":
    case "withdraw":
    case "delete":
      return transition;
  }
}
