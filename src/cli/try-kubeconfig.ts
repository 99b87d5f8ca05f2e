// Tries a kubeconfig on its cluster, by one harmless read: whether the server answers and takes the credential.
import { accessFromText } from "../clusters/kubeconfig.ts";
import { Cluster } from "../clusters/kubernetes.ts";
import type { Config } from "../config.ts";
import { OpjobError } from "../errors.ts";
import type { StoredRecord } from "../orchestrators/mongo-records.ts";
import { parseOrchestrator } from "../orchestrators/orchestrator.ts";

export type Tried = { readonly id: string; readonly server: string; readonly warning: string | undefined };

/** A Job that nobody has. */
const PROBE = "opjob-probe";

/** @throws OpjobError KUBECONFIG_…, CLUSTER_UNAUTHORIZED, CLUSTER_UNREACHABLE */
export async function tryKubeconfig(text: string, record: StoredRecord, config: Config): Promise<Tried> {
  const { id, context, namespace } = parseOrchestrator(record);
  const access = accessFromText(text, "the new value", { context, allowExec: config.allowExecCredentials });
  const timeoutMs = config.kubernetesTimeoutSeconds * 1_000;
  const cluster = new Cluster(access, { timeoutMs, onCall: () => undefined });
  try {
    await cluster.getJob(namespace ?? access.namespace ?? "default", PROBE);
    return { id, server: access.server, warning: undefined };
  } catch (error) {
    // The credential is taken, but may not read Jobs in that namespace: the template may well name another.
    if (error instanceof OpjobError && error.code === "CLUSTER_FORBIDDEN")
      return { id, server: access.server, warning: error.message };
    throw error;
  } finally {
    await cluster.close();
  }
}
