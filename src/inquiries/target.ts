// Whose an operation is: how its delegation_target stands to the records of the database. Pure.
import { didYouMean } from "../nearest.ts";
import { isActive, type StoredRecord } from "../orchestrators/mongo-records.ts";

export type TargetFact =
  /** An active orchestrator on Kubernetes: opjob's work. */
  | { readonly kind: "ours" }
  | { readonly kind: "none" }
  | { readonly kind: "unknown"; readonly hint: string }
  | { readonly kind: "elsewhere"; readonly environment: string }
  | { readonly kind: "deactivated"; readonly at: Date | undefined };

export function targetFact(target: string | null, records: readonly StoredRecord[]): TargetFact {
  if (target === null || target === "") return { kind: "none" };
  const named = records.filter((record) => record["instance_id"] === target);
  const ours = named.filter(({ environment }) => environment === "kubernetes");
  if (ours.some(isActive)) return { kind: "ours" };
  const gone = ours.at(-1);
  if (gone) {
    const at: unknown = gone["deactivated_at"];
    return { kind: "deactivated", at: at instanceof Date ? at : undefined };
  }
  const other = named.at(-1) as { environment?: unknown } | undefined;
  if (other) return { kind: "elsewhere", environment: typeof other.environment === "string" ? other.environment : "" };
  const names = records.flatMap(({ instance_id: name }) => (typeof name === "string" ? [name] : []));
  return { kind: "unknown", hint: didYouMean(target, [...new Set(names)], "orchestrators") };
}
