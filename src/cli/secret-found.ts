// What the commands for secrets have in common: the secret of a name, and who names it.
import { OpjobError } from "../errors.ts";
import { didYouMean } from "../nearest.ts";
import type { Registry } from "../orchestrators/mongo-records.ts";
import type { Secrets, StoredSecret } from "../orchestrators/mongo-secrets.ts";
import { normaliseSecretName } from "../orchestrators/orchestrator.ts";
import { usersOf } from "../orchestrators/secret-users.ts";

/** @throws OpjobError SECRET_MISSING with the nearest name */
export async function requireSecret(secrets: Pick<Secrets, "find" | "list">, name: string): Promise<StoredSecret> {
  const found = await secrets.find(name);
  if (found) return found;
  const names = (await secrets.list()).map((secret) => secret.name).filter((known) => known !== "");
  const spelled = normaliseSecretName(name);
  throw new OpjobError("SECRET_MISSING", `There is no secret "${spelled}". ${didYouMean(spelled, names, "secrets")}`, {
    remedy: "`opjob secret list` shows the secrets of this database, `opjob secret set` makes one.",
  });
}

/** instance_ids of the orchestrators that name a secret. */
export const namedBy = async (registry: Pick<Registry, "list">, name: string): Promise<string[]> =>
  usersOf(await registry.list(), name);

/** A new secret's name as FiftyOne spells it. @throws OpjobError INPUT_INVALID */
export function spelledName(name: string): string {
  const spelled = normaliseSecretName(name);
  if (spelled !== "") return spelled;
  throw new OpjobError("INPUT_INVALID", `"${name}" cannot name a secret: use letters, digits and "_".`);
}
