// The line: queued operations that nobody has claimed yet, in the order in which they may go, and what they are told.
// Pure: builds queries and updates, sends nothing. FiftyOne makes no index for this order, so one query serves all targets.
import type { ObjectId } from "mongodb";
import { type ConditionalWrite, unclaimed, withIds } from "./claim.ts";
import { FIELD, type Phase } from "./operation.ts";

/** An operation that waits, and by what it is placed: priority, then age, then id. */
export type Waiting = {
  readonly id: string;
  readonly priority: number;
  /** Milliseconds since 1970; 0 where the document has no `queued_at`. */
  readonly queuedAt: number;
};

/** Why an operation waits, and which in the line it is (1: the next). */
export type Note = {
  readonly target: string;
  readonly reason: string;
  readonly message: string;
  readonly place: number;
};

/** One who waits, with what it was last told. */
export type InLine = Waiting & {
  readonly told: { readonly reason: string; readonly place: number } | undefined;
};

/** The line of one target: how many wait, and the first of them, in order. */
export type Line = { readonly target: string; readonly count: number; readonly first: readonly InLine[] };

/** Who goes first of two: negative, the first one. */
export const inOrder = (a: Waiting, b: Waiting): number =>
  b.priority - a.priority || a.queuedAt - b.queuedAt || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);

/** The lines of the targets, in one pass over the queued operations; of each the first `length`. */
export const linePipeline = (targets: readonly string[], length: number) => [
  { $match: unclaimed(targets) },
  {
    $project: {
      delegation_target: 1,
      queued_at: { $ifNull: ["$queued_at", new Date(0)] },
      priority: { $cond: [{ $isNumber: "$priority" }, "$priority", 0] },
      reason: `$${FIELD}.reason`,
      place: `$${FIELD}.place`,
    },
  },
  {
    $group: {
      _id: "$delegation_target",
      count: { $sum: 1 },
      first: {
        $topN: {
          n: length,
          sortBy: { priority: -1, queued_at: 1, _id: 1 },
          output: { id: "$_id", priority: "$priority", queuedAt: "$queued_at", reason: "$reason", place: "$place" },
        },
      },
    },
  },
];

export type LineDocument = {
  readonly _id: string;
  readonly count: number;
  readonly first: readonly {
    readonly id: ObjectId;
    readonly priority: number;
    readonly queuedAt: Date;
    readonly reason?: string | null;
    readonly place?: number;
  }[];
};

export const parseLine = ({ _id, count, first }: LineDocument): Line => ({
  target: _id,
  count,
  first: first.map(({ id, priority, queuedAt, reason, place }) => ({
    id: id.toHexString(),
    priority: Number(priority),
    queuedAt: queuedAt.getTime(),
    told: typeof reason === "string" && typeof place === "number" ? { reason, place } : undefined,
  })),
});

/** Tells one who waits why; refused as soon as it does not wait in this line any more. `since` is when its reason began. */
export function noteWrite({ id, told }: InLine, note: Note, now: Date): ConditionalWrite {
  const { target, reason, message, place } = note;
  const since = told?.reason === reason ? {} : { since: now };
  const fields = { phase: "queued" satisfies Phase, reason, message, place, ...since };
  return {
    filter: { ...withIds([id]), ...unclaimed([target]) },
    update: { $set: Object.fromEntries(Object.entries(fields).map(([name, value]) => [`${FIELD}.${name}`, value])) },
  };
}
