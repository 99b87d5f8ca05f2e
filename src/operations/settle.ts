// Settling: waits until what was read before can not be taken back any more. Knows read concerns; nothing of what was read.
import type { Collection } from "mongodb";
import { withIds } from "./claim.ts";
import type { OperationDocument } from "./operation.ts";

/** By a server alone, or one that does not know linearizable reads: there is nothing to wait for. */
const NO_MAJORITY = new Set<unknown>([72, 123, 303]);

/** One read is for all: it waits until a majority has whatever was written before it. @throws where none answers in time */
export async function settle(collection: Collection<OperationDocument>, wanted: readonly string[]): Promise<true[]> {
  const options = { projection: { _id: 1 }, readConcern: { level: "linearizable" }, maxTimeMS: 5_000 } as const;
  try {
    await collection.findOne(withIds(wanted.slice(0, 1)), options);
  } catch (error) {
    if (!NO_MAJORITY.has((error as { readonly code?: unknown }).code)) throw error;
  }
  return wanted.map(() => true);
}
