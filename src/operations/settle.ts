// Settling: operations as no failover can take them back any more. Knows read concerns; nothing of what follows from what is read.
import type { Collection } from "mongodb";
import { withIds } from "./claim.ts";
import type { Operation, OperationDocument } from "./operation.ts";
import { readAll } from "./statements.ts";

/** By a server alone, or one that does not know linearizable reads: there is nothing to wait for. */
const NO_MAJORITY = new Set<unknown>([72, 123, 303]);

/**
 * One linearizable read is for all: it waits until a majority has whatever was written before it, to the very primary of now. What
 * another one before it said may be gone, so that they are read after it, as a majority has them. @throws where none answers in time
 */
export async function settle(
  collection: Collection<OperationDocument>,
  wanted: readonly string[],
): Promise<(Operation | undefined)[]> {
  const options = { projection: { _id: 1 }, readConcern: { level: "linearizable" }, maxTimeMS: 5_000 } as const;
  try {
    await collection.findOne(withIds(wanted.slice(0, 1)), options);
  } catch (error) {
    if (!NO_MAJORITY.has((error as { readonly code?: unknown }).code)) throw error;
    return readAll(collection, wanted);
  }
  return readAll(collection, wanted, { readConcern: { level: "majority" } });
}
