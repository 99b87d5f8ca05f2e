// Plays the demo: shows the operations while they run, does what a person does to some of them, and judges how they ended.
import { setTimeout as sleep } from "node:timers/promises";
import { type Collection, type Db, type Document, ObjectId } from "mongodb";
import type { CastOperation } from "./cast.ts";
import { type Row, rowOf } from "./table.ts";

export type Played = {
  readonly operation: CastOperation;
  readonly id: string;
  readonly document: Document | null;
  readonly row: Row;
};
export type Entry = { readonly operation: CastOperation; readonly id: string };
export type PlayOptions = {
  readonly db: Db;
  readonly entries: readonly Entry[];
  readonly draw: (rows: readonly Row[]) => void;
  readonly interrupted: () => boolean;
  readonly deadlineMs: number;
};

const ENDS = ["completed", "failed", "deleted"];

/** Shows the operations until all of ours have ended, the deadline has passed, or a person has enough. */
export async function play({ db, entries, draw, interrupted, deadlineMs }: PlayOptions): Promise<Played[]> {
  const operations = db.collection("delegated_ops");
  const end = Date.now() + deadlineMs;
  for (;;) {
    const played = await look(operations, entries);
    draw(played.map(({ row }) => row));
    await Promise.all(entries.map(({ operation, id }) => actAsPerson(operations, operation, id)));
    const open = played.filter(({ operation, row }) => operation.target !== null && !ENDS.includes(row.state));
    if (open.length === 0 || Date.now() > end || interrupted()) return played;
    await sleep(150);
  }
}

export const asExpected = ({ operation, row }: Played): boolean => row.state === operation.ends;

async function look(operations: Collection, entries: readonly Entry[]): Promise<Played[]> {
  const ids = entries.map(({ id }) => new ObjectId(id));
  const found = await operations.find({ _id: { $in: ids } }).toArray();
  const byId = new Map<string, Document>(found.map((document) => [document._id.toHexString(), document]));
  return entries.map((entry) => {
    const document = byId.get(entry.id) ?? null;
    return { ...entry, document, row: rowOf(entry.operation.label, entry.operation.target, document) };
  });
}

/** A person presses "Mark as failed", or deletes the operation, once it runs. */
async function actAsPerson(operations: Collection, { person }: CastOperation, id: string): Promise<void> {
  const running = { _id: new ObjectId(id), run_state: "running", "status.progress": { $gt: 0 } };
  const now = new Date();
  if (person === "delete") await operations.deleteOne(running);
  if (person === "fail") {
    const failed = { run_state: "failed", failed_at: now, updated_at: now, result: null };
    await operations.updateOne(running, { $set: failed });
  }
}
