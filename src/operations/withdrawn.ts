// What follows for an operation whose Job is being taken back for the next attempt. Pure; a part of the reducer.
import type { Ending } from "../clusters/ending-reasons.ts";
import type { Row } from "../clusters/reasons.ts";
import type { Claimed } from "./operation.ts";

/** A Pod that is not gone by then is on a node that is lost, or nobody lets it go (ms). */
const LONGEST = 300_000;
const LOOK_AGAIN = 1_000;

/** How that may end badly; no state of a cluster's. */
export const WITHDRAWN = {
  overtaken: {
    reason: "StartedTooLate",
    fault: "cluster",
    remedy:
      "Run the operation again. It happens where a Pod waited almost as long as it may: OPJOB_PENDING_TIMEOUT_SECONDS and OPJOB_IMAGE_GRACE_SECONDS say how long.",
  },
  stranded: {
    reason: "PodStranded",
    fault: "cluster",
    remedy:
      "Look at the Pod's node: it is lost, or a finalizer holds the Pod. Delete the Pod or the node, then run the operation again.",
  },
} as const satisfies Record<string, Row>;

/** A worker began in the very moment in which its Job was taken back. */
export const explainOvertaken = (): Ending => ({
  ...WITHDRAWN.overtaken,
  row: "overtaken",
  message:
    "Its worker began in the moment in which opjob took back its Job, which could not start for too long; it ended with the Job, and an operation that has begun is not run twice.",
  logs: undefined,
});

/** @param why its Job was to be taken back */
export const explainStranded = (why: string): Ending => ({
  ...WITHDRAWN.stranded,
  row: "stranded",
  message: `${why} It was to be launched again, but its Pod does not go, and two of them at once must not be.`.trim(),
  logs: undefined,
});

type Step =
  /** Its Job is being taken back: whoever does that looks how far it is. */
  | { readonly kind: "withdraw" }
  | { readonly kind: "fail"; readonly ending: Ending }
  | { readonly kind: "again"; readonly ms: number };

/** @param job undefined: it is gone. @returns undefined: it is not taken back; or a worker came first, and its Job is there */
export function reduceWithdrawn(
  { runState, claim }: Claimed,
  job: { readonly deleting: boolean } | undefined,
  now: number,
): Step | undefined {
  if (claim.phase !== "withdrawn") return undefined;
  if (runState === claim.withdrawn) {
    const late = claim.since !== null && now - claim.since.getTime() > LONGEST;
    return late ? { kind: "fail", ending: explainStranded(claim.message ?? "") } : { kind: "withdraw" };
  }
  if (job === undefined) return { kind: "fail", ending: explainOvertaken() };
  return job.deleting ? { kind: "again", ms: LOOK_AGAIN } : undefined;
}
