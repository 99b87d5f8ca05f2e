// The Lease of this opjob: whether one is used, where it lies, and the door to it, as the settings and the surroundings want it.
// The same for the daemon that holds it and for commands that tell who does; knows nothing of what holding it means.
import type { ConnectionOptions } from "./clusters/connection.ts";
import { type LeaseDoor, type LeaseName, openLease } from "./clusters/lease.ts";
import { Traffic, UNLIMITED } from "./clusters/traffic.ts";
import type { Config } from "./config.ts";
import type { Outside } from "./outside.ts";
import type { Surroundings } from "./place.ts";

export type OwnLease = { readonly config: Config; readonly surroundings: Surroundings };
export type ToOwnLease = OwnLease & {
  readonly outside: Pick<Outside, "ownAccess" | "connect" | "clock">;
  readonly onCall: ConnectionOptions["onCall"];
};

/** An answer of the Lease's API server is worth nothing when the next renewal is due (ms). */
const ANSWERS_WITHIN = 4_000;

export const usesLease = ({ config, surroundings }: OwnLease): boolean =>
  config.leadership === "lease" || (config.leadership === "auto" && surroundings.inCluster);

/** @throws OpjobError KUBECONFIG_… where no cluster is known to hold it */
export function openOwnLease(given: ToOwnLease): { readonly door: LeaseDoor; readonly lease: LeaseName } {
  const { config, surroundings, outside, onCall } = given;
  const access = outside.ownAccess(surroundings.inCluster, surroundings.serviceAccountNamespace, {
    context: undefined,
    allowExec: config.allowExecCredentials,
  });
  // What operations do to a cluster must not keep its Lease waiting.
  const traffic = new Traffic(access.server, UNLIMITED);
  const speaker = outside.connect(access, { timeoutMs: ANSWERS_WITHIN, traffic, onCall });
  const lease = { namespace: config.leaseNamespace || access.namespace || "default", name: config.leaseName };
  return { door: openLease(speaker, access.server, lease, outside.clock), lease };
}
