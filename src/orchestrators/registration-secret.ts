// Under which name an orchestrator's kubeconfig is kept, and what must be written for that, in FiftyOne's way: a value makes
// a secret named after the orchestrator, a name is taken as it is. Plans only; works through what it is given.
import { OpjobError } from "../errors.ts";
import { didYouMean } from "../nearest.ts";
import { openToken, sealToken } from "./keys.ts";
import type { StoredRecord } from "./mongo-records.ts";
import type { StoredSecret } from "./mongo-secrets.ts";
import { normaliseSecretName } from "./orchestrator.ts";
import type { Declaration, Registering } from "./registration.ts";
import { requireFittingKey } from "./secret-key-check.ts";
import { namesSecret } from "./secret-users.ts";

export type SecretWrite =
  | { readonly kind: "none" }
  | { readonly kind: "insert"; readonly name: string; readonly token: string }
  | { readonly kind: "replace"; readonly secret: StoredSecret; readonly token: string };

/** The name that FiftyOne gives to the secret of a kubeconfig that is handed to it at registration. */
export const secretNameFor = (id: string): string => `KUBE_CONFIG_${normaliseSecretName(id)}`;

/** Under which name the kubeconfig stands, and what must be written for that. */
export async function secretOf(
  parts: Registering,
  { id, kubeconfig }: Declaration,
  record: StoredRecord | undefined,
): Promise<{ name: string | undefined; write: SecretWrite }> {
  if (kubeconfig === undefined || kubeconfig.kind === "none") return { name: undefined, write: { kind: "none" } };
  if (kubeconfig.kind === "secret") return { name: await existing(parts, kubeconfig.name), write: { kind: "none" } };
  const name = secretNameFor(id);
  const { secrets, registry, now } = parts;
  const keys = await parts.keys.read();
  const token = sealToken(keys, kubeconfig.text, now().getTime());
  const stored = await secrets.find(name);
  if (stored === undefined) {
    requireFittingKey(keys, await secrets.list());
    return { name, write: { kind: "insert", name, token } };
  }
  const users = (await registry.list()).filter((other) => namesSecret(other, name) && other["instance_id"] !== id);
  const mine = record !== undefined && namesSecret(record, name) && users.length === 0;
  if (sameValue(() => openToken(keys, stored.token, name).bytes.toString("utf8") === kubeconfig.text, mine))
    return { name, write: { kind: "none" } };
  if (mine) return { name, write: { kind: "replace", secret: stored, token } };
  throw new OpjobError("SECRET_EXISTS", `There is a secret "${name}" already, with another value.`);
}

/** A secret that no key opens is replaced by whoever alone uses it; for all others it is an error. */
function sameValue(compare: () => boolean, replaceable: boolean): boolean {
  try {
    return compare();
  } catch (error) {
    if (replaceable && error instanceof OpjobError && error.code === "SECRET_UNREADABLE") return false;
    throw error;
  }
}

async function existing({ secrets, checks }: Registering, name: string): Promise<string> {
  const found = await secrets.find(name);
  if (found) return found.name;
  if (checks === undefined) return name; // a variable of the daemon may have that name
  const names = (await secrets.list()).map((secret) => secret.name);
  throw new OpjobError("SECRET_MISSING", `There is no secret "${name}". ${didYouMean(name, names, "secrets")}`);
}
