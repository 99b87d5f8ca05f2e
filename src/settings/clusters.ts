// Settings of how clusters are spoken to. Pure.
import { natural, positive, type Settings } from "./formats.ts";

export const CLUSTERS = {
  kubernetesTimeoutSeconds: {
    doc: "Deadline of one call to a cluster's API server (watches have their own).",
    unit: "s",
    format: positive(600),
    default: 30,
    env: "OPJOB_KUBERNETES_TIMEOUT_SECONDS",
  },
  kubernetesRate: {
    doc: "How many calls a second each cluster's API server gets at the most, over all orchestrators on it; 0: no limit. What looks, deletes or follows goes before what creates.",
    unit: "1/s",
    format: natural(10_000),
    default: 50,
    env: "OPJOB_KUBERNETES_RATE",
  },
  kubernetesBurst: {
    doc: "How many calls may go to a cluster at once after a quiet time, before OPJOB_KUBERNETES_RATE counts.",
    format: positive(10_000),
    default: 100,
    env: "OPJOB_KUBERNETES_BURST",
  },
  allowExecCredentials: {
    doc: "Whether a kubeconfig may run a command (`exec`, `auth-provider`) to get its credentials. Whoever can write secrets can then run commands in opjob's Pod.",
    format: "flag",
    default: false,
    env: "OPJOB_ALLOW_EXEC_CREDENTIALS",
  },
} satisfies Settings;
