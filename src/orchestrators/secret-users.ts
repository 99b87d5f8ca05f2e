// Which orchestrators name a secret. Pure. Also those of other environments, whose fields are not known: each of their
// texts may be a name.
import { isDocument, normaliseSecretName } from "./orchestrator.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Whether a record names a secret, in whatever field and spelling. */
export function namesSecret(record: Fields, name: string): boolean {
  const wanted = normaliseSecretName(name);
  return textsOf(record["secrets"]).some((text) => text !== "" && normaliseSecretName(text) === wanted);
}

/** instance_ids of the records that name a secret. */
export const usersOf = (records: readonly Fields[], name: string): string[] =>
  records.filter((record) => namesSecret(record, name)).map((record) => String(record["instance_id"]));

function textsOf(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return isDocument(value) ? Object.values(value).flatMap(textsOf) : [];
}
