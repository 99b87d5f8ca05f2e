// The two roads: joins the parts of OUT (a queued operation becomes a Job) and BACK (its Job becomes its end). Decides nothing.
import type { Clock } from "./clock.ts";
import { createInquiry } from "./clusters/events.ts";
import type { Pool } from "./clusters/pool.ts";
import { type Config, patienceOf, retryPolicyOf } from "./config.ts";
import type { DeleteJob } from "./deletion.ts";
import { createDismiss } from "./dismiss.ts";
import { createFollower } from "./follow.ts";
import { createJudge } from "./judge.ts";
import { createLastWords } from "./last-words.ts";
import { createSettleLateJob } from "./late-job.ts";
import { createLauncher } from "./launch.ts";
import type { Log } from "./log.ts";
import { createLook } from "./look.ts";
import type { Metrics } from "./metrics.ts";
import type { Fence } from "./operations/fence.ts";
import type { Ration } from "./ration.ts";
import { createRecorder } from "./record.ts";
import { createRetry } from "./retry.ts";
import type { Rooms } from "./rooms.ts";

type Travelling = { readonly config: Config; readonly log: Log; readonly clock: Clock };
type Joined = {
  readonly metrics: Metrics;
  readonly fence: Fence;
  readonly watch: Pool["watch"];
  /** Of deletions. */
  readonly ration: Ration;
  readonly deleteJob: DeleteJob;
};

export function openRoads({ config, log, clock }: Travelling, rooms: Rooms, joined: Joined) {
  const { operations, directory, placer, instance: database } = rooms;
  const { now, random } = clock;
  const road = { ...rooms, ...joined, database, log, now, random, isActive: (id: string) => directory.isActive(id) };
  const recorder = createRecorder({ ...road, runLink: config.runLink });
  const dismiss = createDismiss(road);
  const retryMaxMs = config.retryMaxSeconds * 1_000;
  const launcher = createLauncher({ ...road, placer, recorder, retryMaxMs });
  const inquiry = createInquiry({ now, log });
  const lastWords = createLastWords({
    logTail: { lines: config.logTailLines, bytes: config.logTailBytes },
    secrets: rooms.secrets,
    log,
  });
  const follower = createFollower({
    ...road,
    recorder,
    look: createLook({ ...road, launcher }),
    judge: createJudge({ inquiry, patience: patienceOf(config), now }),
    dismiss,
    retry: createRetry({ ...road, dismiss, policy: retryPolicyOf(config) }),
    lastWords,
  });
  return {
    launcher,
    follower,
    settleLateJob: createSettleLateJob({ operations, dismiss }),
    /** How much is remembered. */
    memories: () => ({ ...inquiry.sizes(), ...lastWords.sizes() }),
  };
}
