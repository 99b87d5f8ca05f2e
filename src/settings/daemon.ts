// Settings of the daemon itself: its port, its end, its log. Pure.
import { natural, positive, type Settings, text } from "./formats.ts";

export const DAEMON = {
  leadership: {
    doc: "Whether replicas agree on one that leads by a Kubernetes Lease: `lease`, `off` (there must be no second replica), or `auto`: a Lease where opjob runs in a cluster. The Lease lies in that cluster, or in that of the default kubeconfig.",
    format: ["auto", "lease", "off"],
    default: "auto" as "auto" | "lease" | "off",
    env: "OPJOB_LEADERSHIP",
  },
  leaseName: {
    doc: "Name of that Lease. Each opjob in a namespace needs one of its own.",
    format: text,
    default: "opjob",
    env: "OPJOB_LEASE_NAME",
  },
  leaseNamespace: {
    doc: "Namespace of that Lease. Empty: that of opjob's Pod, or of the kubeconfig.",
    format: text,
    default: "",
    env: "OPJOB_LEASE_NAMESPACE",
  },
  httpHost: {
    doc: "Address on which /healthz, /readyz and /metrics are served.",
    format: text,
    default: "0.0.0.0",
    env: "OPJOB_HTTP_HOST",
  },
  httpPort: {
    doc: "Port of /healthz, /readyz and /metrics; 0: any free one.",
    format: natural(65_535),
    default: 8080,
    env: "OPJOB_HTTP_PORT",
  },
  stopTimeoutSeconds: {
    doc: "How long a stop (SIGTERM) may take until the process ends all the same.",
    unit: "s",
    format: positive(600),
    default: 20,
    env: "OPJOB_STOP_TIMEOUT_SECONDS",
  },
  logLevel: {
    doc: "Least level of what is logged.",
    format: ["trace", "debug", "info", "warn", "error", "fatal"],
    default: "info" as "trace" | "debug" | "info" | "warn" | "error" | "fatal",
    env: "OPJOB_LOG_LEVEL",
  },
} satisfies Settings;
