// One step of one operation: which of the two roads it is on, by what is true now. The lanes call it with an id.
import { type JobView, jobEnd } from "./clusters/observation.ts";
import type { Observed } from "./clusters/observed.ts";
import type { Followed, Follower } from "./follow.ts";
import type { Next } from "./lanes.ts";
import type { SettleLateJob } from "./late-job.ts";
import type { Launcher } from "./launch.ts";
import type { Metrics } from "./metrics.ts";
import type { Operations } from "./operations/mongo.ts";
import { type Claimed, isMadeFor, type Operation } from "./operations/operation.ts";
import type { Queue } from "./queue/queue.ts";
import { imagesOf } from "./templates/stamp.ts";

export type StepOptions = {
  readonly operations: Pick<Operations, "claim" | "change">;
  readonly observed: Pick<Observed, "find">;
  readonly queue: Queue;
  readonly launcher: Launcher;
  readonly follower: Follower;
  readonly settleLateJob: SettleLateJob;
  readonly metrics: Metrics;
  readonly now: () => number;
};

export function createStep(options: StepOptions) {
  const { operations, observed, queue, launcher, follower, settleLateJob, metrics, now } = options;
  const claim = async (id: string, targets: readonly string[]): Promise<Claimed | undefined> => {
    const at = now();
    const claimed = targets.length === 0 ? undefined : await operations.claim(id, targets, new Date(at));
    if (claimed?.queuedAt)
      metrics.stages.observe({ stage: "claimed" }, Math.max(0, at - claimed.queuedAt.getTime()) / 1_000);
    return claimed;
  };
  const launch = async (claimed: Claimed): Promise<Next> => {
    queue.begins(claimed);
    const { launched, recorded, vacant, fault, next } = await launcher
      .launch(claimed)
      .finally(() => queue.begun(claimed.id));
    if (fault) return queue.putOff(claimed, fault, vacant) ? undefined : next;
    if (launched) queue.launched(claimed, imagesOf(launched.job.manifest));
    else if (vacant) queue.over(claimed);
    if (launched && !recorded) return settleLateJob(launched.created, launched.cluster);
    // A Job that was found again may have come to where no further event of it tells anything.
    return launched?.outcome === "adopted" ? { again: 0 } : next;
  };
  /** One that is claimed, and has no Job yet. */
  const goOn = async (claimed: Claimed): Promise<Next> => {
    const ms = queue.admits(claimed);
    if (ms === 0) return launch(claimed);
    const why = queue.holds(claimed);
    if (why !== undefined && why.reason !== claimed.claim.reason) {
      const { reason, message } = why;
      await operations.change(claimed, { phase: "held", reason, message, since: new Date(now()) });
    }
    return ms === undefined ? undefined : { again: ms };
  };

  /** One that is not claimed as it is queued now: it is claimed if it may go, else it waits in line. */
  const goOrWait = async (id: string, granted: boolean, { operation, next }: Unclaimed): Promise<Next> => {
    // Its turn came while it was read: it goes in the order of the turns, by the hint that came with it.
    if (!granted && queue.isGranted(id)) return next;
    const inFlight = observed.find(id).some(({ job }) => isItsNext(operation, job));
    if (!queue.isClaimable(operation, inFlight)) return next;
    const claimed = await claim(id, queue.claimable(id, inFlight));
    if (claimed) return launch(claimed);
    queue.release(id);
    return next ?? { again: LOOK_AGAIN };
  };

  return async (id: string): Promise<Next> => {
    const granted = queue.isGranted(id);
    // The way of most hints of new work: one compare-and-set that reads and claims at once.
    const fresh = observed.find(id).length === 0 ? await claim(id, queue.claimable(id)) : undefined;
    if (fresh) return launch(fresh);
    const followed = await follower.follow(id);
    if (followed.kind === "unclaimed") return goOrWait(id, granted, followed);
    if (followed.kind === "launch") return goOn(followed.claimed);
    queue.settle(id, followed.holder);
    return followed.next;
  };
}

/** A failover took back the claim that this Job was made for: it lives, and the next claim finds it again. */
const isItsNext = ({ claim, queuedAt }: Operation, job: JobView): boolean =>
  job.attempt === (claim?.attempt ?? 0) + 1 && jobEnd(job) === undefined && !job.deleting && isMadeFor(job, queuedAt);

type Unclaimed = Extract<Followed, { kind: "unclaimed" }>;

/** How long until an operation is looked at again that could not be claimed as it was just read (ms). */
const LOOK_AGAIN = 100;
