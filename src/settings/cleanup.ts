// Settings of what is tidied up: finished Jobs that Kubernetes does not remove by itself, and Jobs whose operation is gone. Pure.
import { DAY, natural, positive, type Settings } from "./formats.ts";

export const CLEANUP = {
  cleanup: {
    doc: "Whether finished Jobs are deleted whose template sets no `ttlSecondsAfterFinished`, so that Kubernetes would keep them for ever. `dry-run` only logs and counts them.",
    format: ["on", "dry-run", "off"],
    default: "on",
    env: "OPJOB_CLEANUP",
  },
  cleanupAfterSeconds: {
    doc: "How long they are kept after their end.",
    unit: "s",
    format: natural(365 * DAY),
    default: 7 * DAY,
    env: "OPJOB_CLEANUP_AFTER_SECONDS",
  },
  cleanupMost: {
    doc: "How many Jobs may be deleted in half a minute because they are finished, or because their operation does not exist any more: a database that lost its operations must not cost all Jobs at once.",
    format: positive(10_000),
    default: 100,
    env: "OPJOB_CLEANUP_MOST",
  },
} satisfies Settings;
