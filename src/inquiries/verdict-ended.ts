// How an operation ended, in words: by its worker, by opjob, or by a person. Pure.
import type { Shown } from "../operations/mongo-reads.ts";
import { type Claim, isClaimed } from "../operations/operation.ts";
import type { Verdict } from "./verdict.ts";

/** undefined: it has not ended. */
export function endedVerdict(operation: Shown): Verdict | undefined {
  const since = operation.endedAt ? { since: operation.endedAt } : {};
  if (operation.runState === "completed")
    return { state: "completed", well: true, headline: "It was completed.", ...since };
  if (operation.runState !== "failed") return undefined;
  return { state: "failed", well: false, ...since, ...failureOf(operation) };
}

function failureOf(
  operation: Shown,
): Pick<Verdict, "headline" | "reason" | "message" | "remedy" | "fault" | "logLines"> {
  const { error } = operation;
  if (isClaimed(operation) && operation.claim.phase === "failed") return byOpjob(operation.claim, error ?? "");
  if (error === null) {
    return {
      headline: "A person or another program set it to failed, without a reason.",
      remedy: "Run it again in FiftyOne if that was not meant.",
    };
  }
  const lines = error.trim().split("\n");
  // Python ends a traceback with what went wrong.
  const message = lines[0]?.startsWith("Traceback") ? (lines.at(-1) ?? "") : (lines[0] ?? "");
  return {
    headline: "Its worker ran it and recorded an error: the operator failed, not the cluster.",
    reason: "WorkerError",
    message,
    remedy: "The App's Errors tab shows the whole error; correct what it names and run the operation again.",
    ...(lines.length > 1 ? { logLines: error.trim() } : {}),
  };
}

/** opjob's own text: what happened, what to do, and the last log lines. */
function byOpjob({ reason, message, fault }: Claim, error: string) {
  const remedy = /^What to do: (.*)$/m.exec(error)?.[1];
  const log = error.indexOf("\nLast log lines");
  return {
    headline: "opjob failed it: no worker could or did record a result.",
    reason: reason ?? "",
    message: (message ?? "").replace(/^(Kubernetes Job \S+ failed|No Kubernetes Job could be launched): \w+\. /, ""),
    ...(fault ? { fault } : {}),
    ...(remedy === undefined ? {} : { remedy }),
    ...(log < 0 ? {} : { logLines: error.slice(log + 1).trimEnd() }),
  };
}
