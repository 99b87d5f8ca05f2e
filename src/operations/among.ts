// Among: which of many ids are of operations that are so and so. Knows how many may be asked for at once; not why.
import type { Collection, Filter } from "mongodb";
import { withIds } from "./claim.ts";
import type { OperationDocument } from "./operation.ts";

/** How many ids are asked for at once; keeps the query far below MongoDB's limit of 16 MB. */
export const BATCH = 1_000;

export async function among(
  collection: Collection<OperationDocument>,
  ids: readonly string[],
  filter: Filter<OperationDocument>,
): Promise<string[]> {
  const found: string[] = [];
  for (let i = 0; i < ids.length; i += BATCH) {
    const wanted = { ...filter, ...withIds(ids.slice(i, i + BATCH)) };
    for await (const { _id } of collection.find(wanted, { projection: { _id: 1 } })) found.push(_id.toHexString());
  }
  return found;
}
