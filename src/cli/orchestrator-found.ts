// The record of an orchestrator that a person names.
import { OpjobError } from "../errors.ts";
import { didYouMean } from "../nearest.ts";
import type { Registry, StoredRecord } from "../orchestrators/mongo-records.ts";

/** The record that counts of those with this name. @throws OpjobError ORCHESTRATOR_UNKNOWN with the nearest name */
export async function requireRecord(registry: Pick<Registry, "named" | "list">, id: string): Promise<StoredRecord> {
  const found = (await registry.named(id)).at(-1);
  if (found) return found;
  const names = (await registry.list()).flatMap(({ instance_id: name }) => (typeof name === "string" ? [name] : []));
  throw new OpjobError(
    "ORCHESTRATOR_UNKNOWN",
    `There is no orchestrator "${id}". ${didYouMean(id, [...new Set(names)], "orchestrators")}`,
  );
}

/** As `requireRecord`; records of other environments are not opjob's to change. @throws OpjobError also ORCHESTRATOR_INVALID */
export async function requireOwnRecord(registry: Pick<Registry, "named" | "list">, id: string): Promise<StoredRecord> {
  const record = await requireRecord(registry, id);
  const { environment } = record as { environment?: unknown };
  if (environment === "kubernetes") return record;
  const where = typeof environment === "string" ? `on ${environment}` : "without an environment";
  throw new OpjobError("ORCHESTRATOR_INVALID", `"${id}" is an orchestrator ${where}: opjob does not change it.`, {
    remedy: "Change it where it was made.",
  });
}
