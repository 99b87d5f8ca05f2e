// The door to `delegated_ops` for those who only look: people's commands. One statement each; it writes nothing.
import { type Collection, type Document, type Filter, ObjectId } from "mongodb";
import {
  type Claim,
  FIELD,
  type Operation,
  type OperationDocument,
  type Phase,
  PROJECTION,
  parseOperation,
  type RunState,
} from "./operation.ts";

/** An operation with what a person wants to see of it beside what opjob judges by. */
export type Shown = Operation & {
  readonly label: string;
  readonly startedAt: Date | null;
  readonly scheduledAt: Date | null;
  readonly updatedAt: Date | null;
  /** 0 to 1. */
  readonly progress: number | null;
  readonly progressLabel: string | null;
  readonly runLink: string | null;
  readonly dataset: string | null;
  /** What one that waits in line was told. */
  readonly told: Told | undefined;
};

/** `place`: which in its orchestrator's line it is; 1 is the next. */
export type Told = Pick<Claim, "reason" | "message" | "since"> & { readonly place: number | undefined };

export type Wanted = {
  readonly states: readonly RunState[];
  readonly target: string | undefined;
  readonly limit: number;
  /** By the time of queueing, or by that of their end. */
  readonly order: "oldest" | "newest";
};

export type TargetCount = {
  readonly target: string | null;
  readonly state: RunState;
  readonly archived: boolean;
  /** Of our claim for this time that they are queued; null: not taken. */
  readonly phase: Phase | null;
  readonly count: number;
  /** When the oldest was queued. */
  readonly oldest: Date | null;
};

export type Reads = ReturnType<typeof openReads>;

const SHOWN = {
  ...PROJECTION,
  label: 1,
  started_at: 1,
  scheduled_at: 1,
  updated_at: 1,
  status: 1,
  run_link: 1,
  "context.request_params.dataset_name": 1,
} as const;

/** A claim of an earlier time says nothing of now. */
const CLAIMED_NOW = { $and: [`$${FIELD}.phase`, { $eq: [`$${FIELD}.queued_at`, { $ifNull: ["$queued_at", null] }] }] };

/** States in which an operation still waits or runs. */
export const OPEN: readonly RunState[] = ["scheduled", "queued", "running", "processing"];

export function openReads(collection: Collection<OperationDocument>) {
  const shown = async (
    filter: Filter<OperationDocument>,
    sort: Record<string, 1 | -1>,
    limit: number,
  ): Promise<Shown[]> =>
    (await collection.find(filter, { projection: SHOWN, sort, limit }).toArray()).map(viewOperation);

  return {
    read: async (id: string): Promise<Shown | undefined> => (await shown({ _id: new ObjectId(id) }, { _id: 1 }, 1))[0],

    /** Ids that begin with these hexadecimal digits, at most so many. Uses the index of _id. */
    async beginning(prefix: string, limit: number): Promise<string[]> {
      const range = { $gte: new ObjectId(prefix.padEnd(24, "0")), $lte: new ObjectId(prefix.padEnd(24, "f")) };
      const found = await collection.find({ _id: range }, { projection: { _id: 1 }, limit }).toArray();
      return found.map(({ _id }) => _id.toHexString());
    },

    async list({ states, target, limit, order }: Wanted): Promise<Shown[]> {
      if (limit < 1) return []; // to MongoDB, 0 means without limit
      const filter: Filter<OperationDocument> = {
        run_state: { $in: [...states] },
        ...(target === undefined ? {} : { delegation_target: target }),
      };
      return shown(filter, order === "oldest" ? { queued_at: 1, _id: 1 } : { updated_at: -1, _id: -1 }, limit);
    },

    /** Operations that have not ended, by target, state and phase. Uses the index run_state_1. */
    async counts(): Promise<TargetCount[]> {
      const groups = await collection
        .aggregate<Document>([
          { $match: { run_state: { $in: [...OPEN] } } },
          {
            $group: {
              _id: {
                target: "$delegation_target",
                state: "$run_state",
                archived: { $eq: ["$archived", true] },
                phase: { $cond: [CLAIMED_NOW, `$${FIELD}.phase`, null] },
              },
              count: { $sum: 1 },
              oldest: { $min: "$queued_at" },
            },
          },
        ])
        .toArray();
      return groups.map(({ _id, count, oldest }) => ({ ..._id, target: _id.target ?? null, count, oldest }));
    },

    /** How many operations of a target have not ended. */
    open: (target: string): Promise<number> =>
      collection.countDocuments({ run_state: { $in: [...OPEN] }, delegation_target: target }),
  };
}

type More = {
  readonly label?: string | null;
  readonly started_at?: Date | null;
  readonly scheduled_at?: Date | null;
  readonly updated_at?: Date | null;
  readonly status?: { readonly progress?: number | null; readonly label?: string | null } | null;
  readonly run_link?: string | null;
  readonly context?: { readonly request_params?: { readonly dataset_name?: string | null } };
};

function viewOperation(document: OperationDocument & More): Shown {
  const { progress, label } = document.status ?? {};
  return {
    ...parseOperation(document),
    label: document.label ?? "",
    startedAt: orNull(document.started_at),
    scheduledAt: orNull(document.scheduled_at),
    updatedAt: orNull(document.updated_at),
    progress: orNull(progress),
    progressLabel: orNull(label),
    runLink: orNull(document.run_link),
    dataset: orNull(document.context?.request_params?.dataset_name),
    told: toldOf(document),
  };
}

/** A claim of this time has another phase, and what was told to an earlier time in line is overwritten by it. */
function toldOf({ run_state, opjob }: OperationDocument): Told | undefined {
  if (run_state !== "queued" || opjob?.phase !== "queued") return undefined;
  const { reason, message, since, place } = opjob as Claim & { readonly place?: unknown };
  return { reason, message, since, place: typeof place === "number" ? place : undefined };
}

const orNull = <T>(value: T | null | undefined): T | null => value ?? null;
