// An orchestrator's record as commands show it: in one form, whatever shape it is stored in; a record that makes no sense
// keeps its error.
import { asOpjobError } from "../errors.ts";
import { isActive, type StoredRecord } from "../orchestrators/mongo-records.ts";
import type { RecordChange } from "../orchestrators/record.ts";
import { fieldsOf } from "../orchestrators/registration.ts";

export type OrchestratorView = {
  readonly id: string;
  readonly environment: string;
  readonly active: boolean;
  readonly fields: RecordChange;
  readonly operators: readonly string[];
  readonly createdAt: Date | undefined;
  readonly updatedAt: Date | undefined;
  readonly deactivatedAt: Date | undefined;
  /** Why opjob cannot use it. */
  readonly fault: string | undefined;
};

export function viewRecord(record: StoredRecord): OrchestratorView {
  const date = (field: string): Date | undefined => (record[field] instanceof Date ? record[field] : undefined);
  const text = (field: string): string => (typeof record[field] === "string" ? record[field] : "");
  const operators: unknown = record["available_operators"];
  return {
    id: text("instance_id"),
    environment: text("environment"),
    active: isActive(record),
    ...readable(record),
    operators: Array.isArray(operators) ? operators.filter((operator) => typeof operator === "string") : [],
    createdAt: date("created_at"),
    updatedAt: date("updated_at"),
    deactivatedAt: date("deactivated_at"),
  };
}

function readable(record: StoredRecord): Pick<OrchestratorView, "fields" | "fault"> {
  try {
    return { fields: fieldsOf(record), fault: undefined };
  } catch (error) {
    return { fields: {}, fault: asOpjobError(error).message };
  }
}
