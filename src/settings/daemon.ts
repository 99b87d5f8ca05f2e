// Settings of the daemon itself: its port, its end, its log. Pure.
import { natural, positive, type Settings, text } from "./formats.ts";

export const DAEMON = {
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
