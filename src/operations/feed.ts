// Hints about operations: which ids to look at, from change streams or polling. A hint never carries a state.
import type { ChangeStreamDocument, Collection, Document, MongoClient, ObjectId } from "mongodb";
import { followChanges } from "../changes.ts";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Operations } from "./mongo.ts";

export type FeedOptions = {
  readonly client: MongoClient;
  readonly collection: Collection<Document>;
  readonly operations: Pick<Operations, "ended">;
  /** Looks at who waits: without change streams nothing tells of them. */
  readonly look: () => Promise<void>;
  /** Ids of operations with a Job that still lives: without change streams their end is asked for. */
  readonly live: () => readonly string[];
  readonly hint: (id: string) => void;
  /** Hints everything that there is to do; called at the start and after every gap. */
  readonly scan: () => Promise<void>;
  readonly onState: (state: "following" | "cut") => void;
  readonly mode: "auto" | "stream" | "poll";
  readonly pollMs: number;
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Default: the system's. */
  readonly clock?: Clock;
};

/**
 * Only what can mean work: the server drops the progress updates of running operations, and our own writes, before they
 * are sent. Events are stripped to the id; contexts and results of operations can be large.
 */
const PIPELINE: Document[] = [
  {
    $match: {
      $or: [
        {
          operationType: "insert",
          "fullDocument.run_state": "queued",
          "fullDocument.delegation_target": { $type: "string" },
        },
        { operationType: { $in: ["replace", "delete"] } },
        { operationType: "update", "updateDescription.updatedFields.run_state": { $exists: true } },
        { operationType: "update", "updateDescription.updatedFields.queued_at": { $exists: true } },
        { operationType: "update", "updateDescription.updatedFields.archived": { $exists: true } },
        { operationType: "update", "updateDescription.updatedFields.delegation_target": { $exists: true } },
      ],
    },
  },
  { $project: { operationType: 1, documentKey: 1, ns: 1 } },
];

export function followOperations(options: FeedOptions): Promise<void> {
  const { operations, hint, look, live } = options;
  return followChanges({
    ...options,
    pipeline: PIPELINE,
    onChange: (event) => {
      const id = idOf(event);
      if (id !== undefined) hint(id);
    },
    poll: async () => {
      await look();
      for (const id of await operations.ended(live())) hint(id);
    },
  });
}

function idOf(event: ChangeStreamDocument): string | undefined {
  if (!("documentKey" in event)) return undefined;
  return (event.documentKey as { _id?: ObjectId } | undefined)?._id?.toString();
}
