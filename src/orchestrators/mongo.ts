// The door to orchestrators' records and to FiftyOne's secrets. Reads only; decrypts nothing.
import type { Collection, Document } from "mongodb";
import { normaliseSecretName } from "./orchestrator.ts";
import { tokenText } from "./token-text.ts";

export type Records = ReturnType<typeof openRecords>;
export type SecretFields = { readonly key: string; readonly value: string };

export function openRecords(orchestrators: Collection<Document>, secrets: Collection<Document>, fields: SecretFields) {
  return {
    /** Every record on Kubernetes, also deactivated ones: Jobs that they launched are still followed. */
    all: (): Promise<Document[]> =>
      orchestrators
        .find(
          { environment: "kubernetes" },
          { projection: { available_operators: 0 }, sort: { updated_at: 1, _id: 1 } },
        )
        .toArray(),

    /** The Fernet token of a secret, by its name as FiftyOne spells it; undefined: there is no such secret. */
    async token(name: string): Promise<string | undefined> {
      const names = [...new Set([name, normaliseSecretName(name)])];
      const found = await secrets
        .find({ [fields.key]: { $in: names } }, { projection: { [fields.key]: 1, [fields.value]: 1 } })
        .toArray();
      const exact = found.find((document) => document[fields.key] === name) ?? found[0];
      return exact && tokenText(exact[fields.value]);
    },
  };
}

export type OperatorLists = ReturnType<typeof openOperatorLists>;
export type Reported = { readonly operators: readonly string[]; readonly updatedAt: Date | undefined };

/** The operators that orchestrators' environments have reported. They are long, and wanted by refreshes only. */
export function openOperatorLists(orchestrators: Collection<Document>) {
  const active = { environment: "kubernetes", deactivated_at: { $exists: false } };
  return {
    /** Active orchestrators whose list is empty, as it is after their registration: name and record. */
    async missing(): Promise<{ readonly id: string; readonly record: string }[]> {
      const filter = { ...active, available_operators: [] };
      const found = await orchestrators.find(filter, { projection: { instance_id: 1 } }).toArray();
      return found.flatMap(({ instance_id: id, _id }) => (typeof id === "string" ? [{ id, record: String(_id) }] : []));
    },

    /** What the record of an active orchestrator says now. */
    async of(id: string): Promise<Reported> {
      const projection = { available_operators: 1, updated_at: 1 };
      const found = await orchestrators.findOne(
        { ...active, instance_id: id },
        { projection, sort: { updated_at: -1 } },
      );
      const operators: unknown = found?.["available_operators"];
      return {
        operators: Array.isArray(operators) ? operators.filter((operator) => typeof operator === "string") : [],
        updatedAt: found?.["updated_at"] instanceof Date ? found["updated_at"] : undefined,
      };
    },
  };
}
