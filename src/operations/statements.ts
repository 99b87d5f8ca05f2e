// Statements to `delegated_ops`, many operations in one, as `batched` sends them. Knows the driver's calls; filters and updates come
// from claim.ts. Whether a write may be sent is asked of `guarded`, or was before.
import { type Collection, type FindOptions, ObjectId, type UpdateFilter } from "mongodb";
import { type ConditionalWrite, claimedBy, claimWrite, withIds } from "./claim.ts";
import { type Claim, type Operation, type OperationDocument, PROJECTION, parseOperation } from "./operation.ts";

export type Claimed = Operation & { claim: Claim };
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
