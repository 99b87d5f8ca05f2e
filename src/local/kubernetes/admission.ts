// What the server's admission asks of a new Pod beyond its own fields: that its service account is there. Reads the store.
import type { Core } from "./core.ts";
import type { Pod } from "./objects.ts";
import { PODS, SERVICE_ACCOUNTS } from "./resources.ts";
import { forbidden } from "./status.ts";

/** The Pod with its service account. @throws ApiFailure 403 if there is no such account */
export function admitPod({ store }: Core, pod: Pod): Pod {
  const { namespace = "", name, generateName } = pod.metadata;
  const account = pod.spec.serviceAccountName ?? "default";
  if (!store.get(SERVICE_ACCOUNTS, namespace, account)) {
    const why = `error looking up service account ${namespace}/${account}: serviceaccount "${account}" not found`;
    throw forbidden(PODS, generateName ?? name, why);
  }
  return { ...pod, spec: { ...pod.spec, serviceAccountName: account, serviceAccount: account } };
}
