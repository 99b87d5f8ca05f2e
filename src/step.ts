// One step of one operation: which of the two roads it is on, by what is true now. The lanes call it with an id.
import type { Observed } from "./clusters/observed.ts";
import type { Follower } from "./follow.ts";
import type { Next } from "./lanes.ts";
import type { Claimed, Launcher } from "./launch.ts";
import type { Metrics } from "./metrics.ts";
import type { Operations } from "./operations/mongo.ts";

export type StepOptions = {
  readonly operations: Pick<Operations, "claim">;
  readonly observed: Pick<Observed, "find">;
  /** instance_ids of the active orchestrators. */
  readonly targets: () => readonly string[];
  readonly launcher: Launcher;
  readonly follower: Follower;
  readonly metrics: Metrics;
  readonly now: () => number;
};

export function createStep({ operations, observed, targets, launcher, follower, metrics, now }: StepOptions) {
  const claim = async (id: string): Promise<Claimed | undefined> => {
    const at = now();
    const claimed = await operations.claim(id, targets(), new Date(at));
    if (claimed?.queuedAt)
      metrics.stages.observe({ stage: "claimed" }, Math.max(0, at - claimed.queuedAt.getTime()) / 1_000);
    return claimed;
  };
  const launch = async (claimed: Claimed): Promise<Next> => {
    const { launched, recorded, next } = await launcher.launch(claimed);
    if (launched && !recorded) return follower.settle(claimed.id, launched.created, launched.cluster);
    // A Job that was found again may have come to where no further event of it tells anything.
    return launched?.outcome === "adopted" ? { again: 0 } : next;
  };

  return async (id: string): Promise<Next> => {
    // The way of most hints of new work: one compare-and-set that reads and claims at once.
    const fresh = observed.find(id).length === 0 ? await claim(id) : undefined;
    if (fresh) return launch(fresh);
    const followed = await follower.follow(id);
    if (followed.kind === "launch") return launch(followed.claimed);
    const again = followed.kind === "unclaimed" ? await claim(id) : undefined;
    return again ? launch(again) : followed.next;
  };
}
