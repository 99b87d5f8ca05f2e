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
