// Every write to an operation, as a filter that states what must still hold and an update that only sets.
// Pure: builds filters and updates, sends nothing. It never names a run state that only a worker may set.
import { ObjectId } from "mongodb";
import type { Fault } from "../clusters/reasons.ts";
import {
  type Claim,
  type Claimed,
  FIELD,
  type Operation,
  type Phase,
  type RunState,
  type Timeline,
} from "./operation.ts";

type Document = Readonly<Record<string, unknown>>;
export type ConditionalWrite = { readonly filter: Document; readonly update: Document | Document[] };

/** An operation without the field is as one with null; a missing value would equal that of a missing claim. */
const QUEUED_AT = { $ifNull: ["$queued_at", null] };

/** Queued, of one of our orchestrators, not archived, and not yet claimed since it was queued (contract: never steal). */
export function unclaimed(targets: readonly string[]): Document {
  return {
    run_state: "queued",
    delegation_target: { $in: targets },
    archived: { $ne: true },
    $expr: { $ne: [`$${FIELD}.queued_at`, QUEUED_AT] },
  };
}

/** What says that a claim is from this very write, and no earlier one. */
export type ClaimToken = ObjectId;

/**
 * Claims operations: a compare-and-set of our own sub-document, keyed on (_id, queued_at). run_state stays `queued`,
 * for a worker runs nothing else. The update is a pipeline, so that it reads queued_at and counts the attempt by itself.
 */
export function claimWrite(
  ids: readonly string[],
  targets: readonly string[],
  { now, token }: { readonly now: Date; readonly token: ClaimToken },
): ConditionalWrite {
  const claim = {
    queued_at: QUEUED_AT,
    attempt: { $add: [{ $ifNull: [`$${FIELD}.attempt`, 0] }, 1] },
    token,
    orchestrator: "$delegation_target",
    phase: "claimed" satisfies Phase,
    reason: null,
    message: null,
    since: null,
    timeline: { seen: now, claimed: now },
  };
  return {
    filter: { ...withIds(ids), ...unclaimed(targets) },
    // $mergeObjects: a plain object would be merged into the sub-document of an earlier attempt.
    update: [{ $set: { [FIELD]: { $mergeObjects: [claim] } } }],
  };
}

/** The write as the leader of an epoch may make it: refused where a later one wrote; undefined: without a Lease, as it is. */
export function fenced({ filter, update }: ConditionalWrite, epoch: number | undefined): ConditionalWrite {
  if (epoch === undefined) return { filter, update };
  const stamp = { [`${FIELD}.epoch`]: epoch };
  const stamped = (set: Document): Document =>
    FIELD in set ? { ...set, [FIELD]: { ...(set[FIELD] as Document), epoch } } : { ...set, ...stamp };
  return {
    filter: { ...filter, [`${FIELD}.epoch`]: { $not: { $gt: epoch } } },
    update: Array.isArray(update)
      ? [...update, { $set: stamp }]
      : { ...update, $set: stamped((update as Document)["$set"] as Document) },
  };
}

/** Takes over every operation in hand: what an earlier leader still writes to one is refused from now on. */
export function takeoverWrite(epoch: number): ConditionalWrite {
  return {
    filter: {
      run_state: { $in: ["queued", "running"] satisfies RunState[] },
      [`${FIELD}.attempt`]: { $exists: true },
      [`${FIELD}.epoch`]: { $not: { $gte: epoch } },
    },
    update: { $set: { [`${FIELD}.epoch`]: epoch } },
  };
}

/** Those of the operations that the write with this token claimed. */
export const claimedBy = (ids: readonly string[], token: ClaimToken): Document => ({
  ...withIds(ids),
  [`${FIELD}.token`]: token,
});

export const withIds = (ids: readonly string[]): Document => ({ _id: { $in: ids.map((id) => new ObjectId(id)) } });

/** What may be changed on our sub-document; `timeline` entries are added one by one. */
export type ClaimChange = Partial<Omit<Claim, "timeline" | "queued_at" | "attempt" | "orchestrator">> & {
  readonly timeline?: Timeline;
};

/** A Job of ours, as far as it is recorded. */
export type RecordedJob = Pick<Claim, "attempt" | "cluster" | "namespace" | "job" | "uid">;

/**
 * Takes up an operation that runs in a Job of ours although no claim of ours is for this queueing: it was queued again, and a
 * worker of the earlier Job was quicker than we; or a failover took the claim back. Never one that only somebody else can run.
 * @param job undefined: the one of the earlier claim
 */
export function retakeWrite({ id, claim, queuedAt, target }: Operation, job: RecordedJob | undefined, now: Date) {
  const fields = { queued_at: queuedAt, phase: "created", reason: null, message: null, since: now, ...job } as const;
  const known = claim ?? { orchestrator: target ?? "", timeline: { seen: now, claimed: now } };
  const write: ConditionalWrite = {
    filter: {
      _id: new ObjectId(id),
      run_state: { $in: ["running"] satisfies RunState[] },
      delegation_target: known.orchestrator,
      queued_at: queuedAt,
      ...(claim
        ? { [`${FIELD}.queued_at`]: claim.queued_at, [`${FIELD}.attempt`]: claim.attempt }
        : { [`${FIELD}.attempt`]: { $exists: false } }),
    },
    update: { $set: { [FIELD]: { ...known, ...fields } } },
  };
  return write;
}

/**
 * Passes over the name of this attempt: a Job has it that was made for an earlier queueing, whose claim a failover took back.
 * Refused once a worker has begun, which may be that Job's, or once a Job of the claim's own is recorded.
 */
export function passOverWrite(operation: Claimed): ConditionalWrite {
  const { unsure: _, epoch: __, ...kept } = operation.claim;
  return {
    filter: {
      ...sameClaim(operation),
      run_state: "queued" satisfies RunState,
      [`${FIELD}.uid`]: { $exists: false },
    },
    update: { $set: { [FIELD]: { ...kept, attempt: kept.attempt + 1 } } },
  };
}

/** Changes our sub-document as long as it still is this claim, whatever the run state: it is nobody else's. */
export function changeWrite(operation: Claimed, change: ClaimChange): ConditionalWrite {
  return { filter: { ...sameClaim(operation) }, update: { $set: claimFields(change) } };
}

/** Records the created Job and, with it, the link that FiftyOne's App shows; refused once the operation has ended. */
export function createdWrite(operation: Claimed, change: ClaimChange, runLink: string | undefined): ConditionalWrite {
  return {
    filter: { ...sameClaim(operation), run_state: { $in: ["queued", "running"] satisfies RunState[] } },
    update: { $set: { ...claimFields(change), ...(runLink === undefined ? {} : { run_link: runLink }) } },
  };
}

export type Failure = { readonly reason: string; readonly fault: Fault; readonly text: string };

/**
 * Fails an operation in FiftyOne's own shape (the App shows result.error), if it still is in the state in which it was
 * judged: a worker that came first wins. `failed` is the only run state that opjob ever writes.
 */
export function failureWrite(operation: Claimed, failure: Failure, now: Date): ConditionalWrite {
  const uid = operation.claim.uid;
  return {
    filter: {
      ...sameClaim(operation),
      run_state: operation.runState,
      ...(uid === undefined ? {} : { [`${FIELD}.uid`]: uid }),
    },
    update: {
      $set: {
        run_state: "failed" satisfies RunState,
        failed_at: now,
        updated_at: now,
        result: {
          result: null,
          executor: null,
          error: failure.text,
          error_message: failure.text,
          delegated: false,
          validation_ctx: null,
        },
        ...claimFields({
          phase: "failed",
          reason: failure.reason,
          fault: failure.fault,
          message: failure.text.split("\n", 1)[0] ?? "",
          since: now,
          timeline: { written: now },
        }),
      },
    },
  };
}

/** Tells a pipeline's parent why its child failed, where the parent keeps such a list. */
export function childErrorWrite(parentId: ObjectId, childId: string, text: string): ConditionalWrite {
  return {
    filter: { _id: parentId, pipeline_run_info: { $type: "object" } },
    update: { $set: { [`pipeline_run_info.child_errors.${childId}`]: text } },
  };
}

/** Still ours, and not queued anew: then nothing that was judged before holds, whether it is claimed again yet or not. */
export function sameClaim({ id, claim }: Claimed): Document {
  return {
    _id: new ObjectId(id),
    queued_at: claim.queued_at,
    [`${FIELD}.queued_at`]: claim.queued_at,
    [`${FIELD}.attempt`]: claim.attempt,
  };
}

function claimFields({ timeline, ...change }: ClaimChange): Document {
  const fields = Object.entries(change).map(([name, value]) => [`${FIELD}.${name}`, value]);
  const stages = Object.entries(timeline ?? {}).map(([stage, at]) => [`${FIELD}.timeline.${stage}`, at]);
  return Object.fromEntries([...fields, ...stages]);
}
