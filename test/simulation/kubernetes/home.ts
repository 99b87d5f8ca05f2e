// The cluster of the Lease: an API server that keeps Leases, and no more. Knows nothing of who leads.
import type { Access } from "../../../src/clusters/kubeconfig.ts";
import { accessFromText } from "../../../src/clusters/kubeconfig.ts";
import { Api } from "./api.ts";
import type { Served } from "./speaker.ts";
import { KubeStore } from "./store.ts";

export const HOME = "http://home";
const NAMESPACE = "fiftyone";

type HomeOptions = Pick<Served, "watches" | "onSend" | "onCall"> & { readonly now: () => number };

export function leaseHome({ now, ...served }: HomeOptions): Served {
  const store = new KubeStore("home", now);
  return { store, api: new Api(store, new Set([NAMESPACE]), () => undefined), ...served };
}

/** As a service account has it. */
export const accessToHome = (): Access =>
  accessFromText(
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "c", cluster: { server: HOME, "insecure-skip-tls-verify": true } }],
      users: [{ name: "u", user: { token: "simulated" } }],
      contexts: [{ name: "x", context: { cluster: "c", user: "u", namespace: NAMESPACE } }],
      "current-context": "x",
    }),
    "the simulation",
    { context: undefined, allowExec: false },
  );
