// Statements to `delegated_ops`, many operations in one, as `batched` sends them. Knows the driver's calls; filters and updates come
// from claim.ts. Whether a write may be sent is asked of `guarded`, or was before.
import { type Collection, type FindOptions, MongoServerError, ObjectId, type UpdateFilter } from "mongodb";
import { type ConditionalWrite, claimedBy, claimWrite, withIds } from "./claim.ts";
import {
  type Claimed,
  FIELD,
  isTerminal,
  type Operation,
  type OperationDocument,
  type Phase,
  PROJECTION,
  parseOperation,
  RECORDED,
} from "./operation.ts";

export type Documents = Collection<OperationDocument>;
export type Claiming = { readonly id: string; readonly targets: readonly string[]; readonly now: Date };
export type Recording = {
  readonly operation: Claimed;
  readonly uid: string | undefined;
  readonly write: ConditionalWrite;
};

/**
 * Our own sub-document need not survive a failover: a claim that is lost is claimed again, with the same attempt and so the
 * same name of the Job; a lost record is adopted. Waiting for the journal would cost each launch several milliseconds.
 */
const QUICK = { writeConcern: { w: 1 } } as const;

type Guard = (write: ConditionalWrite) => ConditionalWrite;

export async function claimAll(
  collection: Documents,
  claims: readonly Claiming[],
  guarded: Guard,
): Promise<(Claimed | undefined)[]> {
  const token = new ObjectId();
  const wanted = claims.map(({ id }) => id);
  const { targets = [], now = new Date(0) } = claims.at(-1) ?? {};
  const { filter, update } = guarded(claimWrite(wanted, targets, { now, token }));
  const found = await (wanted.length === 1 ? claimOne() : claimMany());
  // An operation is claimed once: of two calls for it, the first has it.
  return wanted.map((id, i) => (wanted.indexOf(id) === i ? found.get(id) : undefined));

  async function claimOne(): Promise<Map<string, Claimed>> {
    const options = { ...QUICK, returnDocument: "after", projection: PROJECTION } as const;
    const document = await collection.findOneAndUpdate(filter, update as UpdateFilter<OperationDocument>, options);
    return byId(document === null ? [] : [document]);
  }
  async function claimMany(): Promise<Map<string, Claimed>> {
    const { modifiedCount } = await collection.updateMany(filter, update as UpdateFilter<OperationDocument>, QUICK);
    if (modifiedCount === 0) return new Map();
    return byId(await collection.find(claimedBy(wanted, token), { projection: PROJECTION }).toArray());
  }
}

/** @param options without a read concern: as the primary has them */
export async function readAll(
  collection: Documents,
  wanted: readonly string[],
  options: Pick<FindOptions, "readConcern"> = {},
): Promise<(Operation | undefined)[]> {
  const found = byId(await collection.find(withIds(wanted), { projection: PROJECTION, ...options }).toArray());
  return wanted.map((id) => found.get(id));
}

export type Queued = { readonly count: number; readonly oldest: Date | undefined };

export async function queueOf(collection: Documents, targets: readonly string[]): Promise<Queued> {
  const filter = { run_state: "queued" as const, delegation_target: { $in: [...targets] }, archived: { $ne: true } };
  const count = await collection.countDocuments(filter);
  const oldest = await collection.findOne(filter, { projection: { queued_at: 1 }, sort: { queued_at: 1 } });
  return { count, oldest: oldest?.queued_at ?? undefined };
}

/** How far back is looked: no further than `since`, and no more than `most` that were written to last. */
export type Lately = { readonly targets: readonly string[]; readonly since: Date; readonly most: number };

/** Ids of operations of these targets that have ended, with a claim of ours that does not say so. */
export async function overlookedOf(collection: Documents, { targets, since, most }: Lately): Promise<string[]> {
  const projection = { run_state: 1, [`${FIELD}.orchestrator`]: 1, [`${FIELD}.phase`]: 1 };
  // Read and then chosen from: a filter would look through all of a day for the few that it finds.
  const latest = await collection
    .find({ updated_at: { $gte: since } }, { projection, hint: { updated_at: 1 } })
    .sort({ updated_at: -1 })
    .limit(most)
    .toArray()
    .catch(noIndex);
  const isOverlooked = ({ run_state, opjob }: OperationDocument): boolean =>
    isTerminal(run_state) && targets.includes(opjob?.orchestrator ?? "") && !isRecorded(opjob?.phase);
  return latest.filter(isOverlooked).map(({ _id }) => _id.toHexString());
}

const isRecorded = (phase: Phase | undefined): boolean => phase !== undefined && RECORDED.includes(phase);

/** MongoDB refuses a hint at an index that is not there: FiftyOne has not been here yet. */
function noIndex(error: unknown): OperationDocument[] {
  if (error instanceof MongoServerError && error.code === BAD_VALUE) return [];
  throw error;
}
const BAD_VALUE = 2;

export async function writeOne(collection: Documents, { filter, update }: ConditionalWrite): Promise<boolean> {
  return (await collection.updateOne(filter, update as UpdateFilter<OperationDocument>)).matchedCount === 1;
}

/** Sends compare-and-sets together. true for all: each filter matched; undefined: at least one did not. */
export async function writeAll(
  collection: Documents,
  writes: readonly ConditionalWrite[],
): Promise<(true | undefined)[]> {
  const updates = writes.map(({ filter, update }) => ({
    updateOne: { filter, update: update as UpdateFilter<OperationDocument> },
  }));
  const { matchedCount } = await collection.bulkWrite(updates, { ordered: false, ...QUICK });
  return writes.map(() => (matchedCount === writes.length ? true : undefined));
}

export async function recordAll(collection: Documents, records: readonly Recording[]): Promise<boolean[]> {
  const written = await writeAll(
    collection,
    records.map(({ write }) => write),
  );
  if (written.every((one) => one === true)) return records.map(() => true);
  const operations = await readAll(
    collection,
    records.map(({ operation }) => operation.id),
  );
  return records.map(({ operation, uid }, i) => {
    const now = operations[i];
    return now?.claim?.uid === uid && now?.claim?.attempt === operation.claim.attempt;
  });
}

const byId = (documents: readonly OperationDocument[]): Map<string, Claimed> =>
  new Map(documents.map((document) => [document._id.toHexString(), parseOperation(document) as Claimed]));
