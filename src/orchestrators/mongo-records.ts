// The door to orchestrators' records for commands: reads all of them, of every environment, and writes single ones.
// Every change states what it was made from: a record that somebody else changed meanwhile is left as it is.
import type { Collection, Document, Filter, ObjectId, UpdateFilter } from "mongodb";
import type { RecordUpdate } from "./record.ts";

export type Registry = ReturnType<typeof openRegistry>;
export type StoredRecord = Document & { readonly _id: ObjectId };

export function openRegistry(collection: Collection<Document>) {
  const read = async (filter: Filter<Document>): Promise<StoredRecord[]> =>
    (await collection.find(filter, { sort: { updated_at: 1, _id: 1 } }).toArray()) as StoredRecord[];

  return {
    /** All of them, the newest last. */
    list: (): Promise<StoredRecord[]> => read({}),

    /** Those of this name, the one that counts last: FiftyOne keeps no two apart by an index. */
    async named(id: string): Promise<StoredRecord[]> {
      const found = await read({ instance_id: id });
      const active = (record: StoredRecord): number => (isActive(record) ? 1 : 0);
      return found.toSorted((a, b) => active(a) - active(b));
    },

    /** false: there is a record of that name by now. */
    async insert({ instance_id, ...rest }: Document): Promise<boolean> {
      const { upsertedCount } = await collection.updateOne({ instance_id }, { $setOnInsert: rest }, { upsert: true });
      return upsertedCount === 1;
    },

    /** false: the record has changed meanwhile, or is gone. */
    async update({ filter, update }: RecordUpdate): Promise<boolean> {
      return (await collection.updateOne(filter, update as UpdateFilter<Document>)).matchedCount === 1;
    },

    /** FiftyOne takes a record for deactivated as soon as the field is there, whatever it holds. */
    async setActive({ _id }: StoredRecord, active: boolean, now: Date): Promise<void> {
      const mark = active ? { $unset: { deactivated_at: "" as const } } : { $set: { deactivated_at: now } };
      const { $set, ...rest } = { $set: {}, ...mark };
      await collection.updateOne({ _id }, { ...rest, $set: { ...$set, updated_at: now } });
    },

    async remove({ _id }: StoredRecord): Promise<boolean> {
      return (await collection.deleteOne({ _id })).deletedCount === 1;
    },
  };
}

export const isActive = (record: Document): boolean => record["deactivated_at"] === undefined;
