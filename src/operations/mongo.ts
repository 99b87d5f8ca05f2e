// The door to `delegated_ops`: every read and write of operations. One statement each; filters come from claim.ts.
import type { UpdateFilter } from "mongodb";
import { type Clock, systemClock } from "../clock.ts";
import type { Verdict } from "../clusters/reasons.ts";
import { among, BATCH } from "./among.ts";
import { batched } from "./batch.ts";
import {
  type ClaimChange,
  type ConditionalWrite,
  changeWrite,
  childErrorWrite,
  createdWrite,
  type Failure,
  failureWrite,
  fenced,
  passOverWrite,
  type RecordedJob,
  retakeWrite,
  takeoverWrite,
} from "./claim.ts";
import { type Fence, NO_FENCE } from "./fence.ts";
import { type InLine, type Line, type LineDocument, linePipeline, type Note, noteWrite, parseLine } from "./line.ts";
import { type Claimed, FIELD, type Operation, type OperationDocument, parseOperation, RECORDED } from "./operation.ts";
import { type Relaunch, relaunchWrite, restoreWrite, withdrawWrite } from "./retry.ts";
import { settle } from "./settle.ts";
import {
  type Claiming,
  claimAll,
  type Documents,
  type Lately,
  overlookedOf,
  type Queued,
  queueOf,
  readAll,
  recordAll,
  writeAll,
  writeOne,
} from "./statements.ts";

export type Operations = ReturnType<typeof openOperations>;

/** Many calls at once go out as one: a launch costs the database little even while a backlog drains. */
const together = (clock: Clock) => ({ largest: 64, width: 1, pace: { ms: PACE, clock } });
/** Short beside the call to a cluster that follows: nobody who drains a backlog notices it (ms). */
const PACE = 12;

/** @param fence what every write is held by */
export function openOperations(collection: Documents, fence: Fence = NO_FENCE, clock: Clock = systemClock) {
  return { ...readsOf(collection, clock), ...writesOf(collection, fence, clock) };
}

function readsOf(collection: Documents, clock: Clock) {
  const read = batched((wanted: readonly string[]) => readAll(collection, wanted), together(clock));
  const settled = batched((wanted: readonly string[]) => settle(collection, wanted), together(clock));

  return {
    /** The operation as it is now, from the primary; undefined: it does not exist. */
    read: (id: string): Promise<Operation | undefined> => read(id),

    /**
     * The operation as no failover can take it back any more: a primary that was cut off answers reads for some seconds, also with
     * a failure that never came to be. @throws where no majority answers now
     */
    settled: (id: string): Promise<Operation | undefined> => settled(id),

    /** Who waits for a claim: of each target that has any, how many, and the first of them. Uses the index run_state_1. */
    async lines(targets: readonly string[], length: number): Promise<Line[]> {
      const found = await collection.aggregate<LineDocument>(linePipeline(targets, length)).toArray();
      return found.filter(({ _id }) => typeof _id === "string").map(parseLine);
    },

    /** Operations that we claimed and that have not ended, without what a claim does not need. Uses the index run_state_1. */
    async *claimed(): AsyncIterable<Operation> {
      const filter = {
        run_state: { $in: ["queued" as const, "running" as const] },
        [`${FIELD}.attempt`]: { $exists: true },
      };
      const projection = { run_state: 1, queued_at: 1, [FIELD]: 1 };
      for await (const document of collection.find(filter, { projection })) yield parseOperation(document);
    },

    /** The latest epoch by which anything in hand was written; 0: none. Uses the index run_state_1. */
    async latestEpoch(): Promise<number> {
      const path = `${FIELD}.epoch`;
      const filter = { run_state: { $in: ["queued" as const, "running" as const] }, [path]: { $exists: true } };
      const found = await collection.findOne(filter, { projection: { [path]: 1 }, sort: { [path]: -1 } });
      return found?.[FIELD]?.epoch ?? 0;
    },

    /** How many queued operations of the targets there are, and since when the oldest waits. */
    queue: (targets: readonly string[]): Promise<Queued> => queueOf(collection, targets),

    /** Which of these ids are of operations that have ended or do not exist. */
    async ended(candidates: readonly string[]): Promise<string[]> {
      const alive = new Set(await among(collection, candidates, { run_state: { $in: ["queued", "running"] } }));
      return candidates.filter((id) => !alive.has(id));
    },

    /** Which of these ids are of operations that have ended in a Job of ours without its having been recorded. */
    unrecorded: (candidates: readonly string[]): Promise<string[]> =>
      among(collection, candidates, {
        run_state: { $in: ["completed", "failed"] },
        [`${FIELD}.phase`]: { $exists: true, $nin: RECORDED },
      }),

    /** The same of those that were written to last, whatever became of their Jobs. Uses the index updated_at_1; without it nobody is asked. */
    overlooked: (lately: Lately): Promise<string[]> => overlookedOf(collection, lately),
  };
}

function writesOf(collection: Documents, fence: Fence, clock: Clock) {
  /** A write belongs to the leadership under which it was judged, however long it waits to be sent. */
  const guarded = (write: ConditionalWrite): ConditionalWrite => {
    fence.require();
    return fenced(write, fence.epoch());
  };
  /** Sends one compare-and-set; false: what its filter states does not hold any more. */
  const write = async (one: ConditionalWrite): Promise<boolean> => {
    fence.require();
    return writeOne(collection, one);
  };
  /** Nothing is sent once leadership is lost, whatever was judged before. */
  const sending =
    <In, Out>(send: (documents: Documents, inputs: readonly In[]) => Promise<Out[]>) =>
    (inputs: readonly In[]): Promise<Out[]> => {
      fence.require();
      return send(collection, inputs);
    };

  const claim = batched((claims: readonly Claiming[]) => claimAll(collection, claims, guarded), together(clock));
  const change = batched(sending(writeAll), together(clock));
  const record = batched(sending(recordAll), together(clock));

  return {
    /** Claims a queued operation of one of the targets; undefined: there is nothing to claim (any more). */
    claim: (id: string, targets: readonly string[], now: Date): Promise<Claimed | undefined> =>
      claim({ id, targets, now }),

    /** Changes our sub-document, if it still is this claim; else it changes nothing. */
    change: async (operation: Claimed, fields: ClaimChange): Promise<void> => {
      await change(guarded(changeWrite(operation, fields)));
    },

    /** Records the created Job; false: the operation has ended or was queued anew meanwhile. */
    recordCreated: async (operation: Claimed, fields: ClaimChange, runLink: string | undefined): Promise<boolean> =>
      record({ operation, uid: fields.uid, write: guarded(createdWrite(operation, fields, runLink)) }),

    /** Goes on to the next attempt: this one's name is another queueing's Job's; false: it is not any more as it was judged. */
    passOver: (operation: Claimed): Promise<boolean> => write(guarded(passOverWrite(operation))),

    /** Takes up an operation that runs in a Job of ours without a claim for this queueing; false: it is not so any more. */
    retake: (operation: Operation, job: RecordedJob | undefined, now: Date): Promise<boolean> =>
      write(guarded(retakeWrite(operation, job, now))),

    /** Says that its Job is taken back, to be launched again; false: it is not any more as it was judged. */
    withdraw: (operation: Claimed, why: Verdict, now: Date): Promise<boolean> =>
      write(guarded(withdrawWrite(operation, why, now))),

    /** Says that its Job is not taken back after all. */
    restore: (operation: Claimed, now: Date): Promise<boolean> => write(guarded(restoreWrite(operation, now))),

    /** Begins the next attempt, whose Job is still to be made; false: a worker came first. */
    relaunch: (operation: Claimed, when: Relaunch, now: Date): Promise<boolean> =>
      write(guarded(relaunchWrite(operation, when, now))),

    /** Fails the operation if it still is as it was judged; false: something else came first, look again. */
    async fail(operation: Claimed, failure: Failure, now: Date): Promise<boolean> {
      const written = await write(guarded(failureWrite(operation, failure, now)));
      if (written && operation.parentId) await write(childErrorWrite(operation.parentId, operation.id, failure.text));
      return written;
    },

    /** Takes over what is in hand: what a leader before this epoch still writes to it is refused. Uses the index run_state_1. */
    async takeOver(epoch: number): Promise<void> {
      fence.require();
      const { filter, update } = takeoverWrite(epoch);
      await collection.updateMany(filter, update as UpdateFilter<OperationDocument>);
    },

    /** Tells those who wait why, each only if it still waits. */
    async note(notes: readonly (readonly [InLine, Note])[], now: Date): Promise<void> {
      for (let i = 0; i < notes.length; i += BATCH) {
        const writes = notes.slice(i, i + BATCH).map(([waiting, note]) => guarded(noteWrite(waiting, note, now)));
        await sending(writeAll)(writes);
      }
    },
  };
}
