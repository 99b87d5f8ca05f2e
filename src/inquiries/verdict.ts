// The one answer to "why is it not running" and "why did it fail", from the facts. Pure: the same judges as the daemon's,
// so that an answer says what the daemon will do.

import { endAhead } from "../clusters/ending.ts";
import { jobEnd } from "../clusters/observation.ts";
import { findObstacle } from "../clusters/obstacle.ts";
import type { Fault } from "../clusters/reasons.ts";
import type { Obstacle } from "../clusters/waiting-reasons.ts";
import { type Claimed, isClaimed } from "../operations/operation.ts";
import { limitOf, type Patiences } from "../operations/transition.ts";
import type { Facts, JobFact } from "./facts.ts";
import { againVerdict } from "./verdict-again.ts";
import { endedVerdict } from "./verdict-ended.ts";
import { notOurs } from "./verdict-not-ours.ts";
import { untaken, withoutJob } from "./verdict-waiting.ts";

export type Verdict = {
  /** One word for a program. */
  readonly state:
    | "completed"
    | "failed"
    | "failing"
    | "ending"
    | "running"
    | "starting"
    | "waiting"
    | "held"
    | "queued"
    | "untaken"
    | "not taken";
  /** Whether it goes on, or ended well. */
  readonly well: boolean;
  /** One sentence for a person. */
  readonly headline: string;
  /** A code of docs/errors.md. */
  readonly reason?: string;
  readonly message?: string;
  readonly remedy?: string;
  /** Whose fault it is. */
  readonly fault?: Fault;
  /** Since when it stands like this. */
  readonly since?: Date;
  readonly logLines?: string;
};

/** `retryMs`: the longest pause between two tries of a launch. */
export type Judging = { readonly patience: Patiences; readonly retryMs: number; readonly now: number };

type Words = { readonly reason: string; readonly message: string; readonly remedy: string; readonly fault: Fault };

export function judge(facts: Facts, judging: Judging): Verdict {
  const { operation } = facts;
  const ended = endedVerdict(operation);
  if (ended) return ended;
  const claimed = isClaimed(operation) ? operation : undefined;
  const strange = claimed?.claim.job === undefined ? notOurs(facts) : undefined;
  if (strange) return strange;
  if (claimed === undefined) return operation.runState === "running" ? foreign() : untaken(facts, judging);
  return againVerdict(claimed.claim) ?? ofClaimed(claimed, facts, judging);
}

function ofClaimed(claimed: Claimed, facts: Facts, judging: Judging): Verdict {
  const { phase, job } = claimed.claim;
  if (phase === "held" || job === undefined) return withoutJob(facts, claimed.claim, judging);
  return withJob(claimed, facts, judging);
}

const foreign = (): Verdict => ({
  state: "running",
  well: true,
  headline: "It runs, but opjob did not launch it: another program took it from the queue.",
  remedy: "Only one program may launch an orchestrator's operations: see that no other one does.",
});

function withJob(operation: Claimed, { job }: Facts, judging: Judging): Verdict {
  if (job.kind === "none") return goesOn(operation);
  if (job.kind === "unknown") {
    const { code, message, remedy } = job.error;
    return { state: "waiting", well: false, headline: "Its Job cannot be seen now.", reason: code, message, remedy };
  }
  if (job.transition.kind === "fail") {
    const headline = "Its Job has failed or is gone: opjob fails the operation with this reason.";
    return { state: "failing", well: false, headline, ...wordsOf(job.transition.ending) };
  }
  return job.kind === "job" ? withLiveJob(operation, job, judging) : goesOn(operation);
}

function withLiveJob(operation: Claimed, seen: Extract<JobFact, { kind: "job" }>, judging: Judging): Verdict {
  if (jobEnd(seen.job)) {
    const headline = "Its Job has ended, and its worker's result may still arrive.";
    return { state: "ending", well: true, headline, ...sinceOf(operation) };
  }
  // Once a worker has begun, what waits beside it hinders nobody.
  const obstacle = operation.runState === "queued" ? (endAhead(seen) ?? findObstacle(seen)) : undefined;
  return obstacle === undefined ? goesOn(operation) : waiting(operation, obstacle, judging);
}

function waiting(operation: Claimed, obstacle: Obstacle, judging: Judging): Verdict {
  const { claim } = operation;
  const ordinary = claim.phase !== "waiting" && obstacle.ordinaryMs > 0;
  const limit = limitOf(obstacle.patience, judging.patience);
  const headline = ordinary
    ? "Its Job was created and starts."
    : `Its Job waits, ${Number.isFinite(limit) ? `and fails if this lasts ${Math.round(limit / 1_000)} s` : "for as long as it takes"}.`;
  return { state: "waiting", well: ordinary, headline, ...wordsOf(obstacle), ...sinceOf(operation) };
}

const wordsOf = ({ reason, message, remedy, fault }: Words): Words => ({ reason, message, remedy, fault });

function goesOn({ runState, claim }: Claimed): Verdict {
  if (runState === "running") return { state: "running", well: true, headline: "It runs." };
  const headline =
    claim.timeline.started === undefined
      ? "Its Job was created and starts."
      : "Its container runs; the worker has not begun with it yet (FiftyOne takes seconds to start).";
  return { state: "starting", well: true, headline, ...sinceOf({ claim }) };
}

const sinceOf = ({ claim }: Pick<Claimed, "claim">): { since?: Date } => (claim.since ? { since: claim.since } : {});
