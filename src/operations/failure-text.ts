// The words that a person reads in FiftyOne's App when an operation failed. Pure.
// FiftyOne's App takes an error with the word "expired" for its own automatic termination: it is never written here.
import { FAULTS, type Fault, withStop } from "../clusters/reasons.ts";

export type FailureFacts = {
  /** What did not work, as one or two sentences. */
  readonly message: string;
  readonly remedy: string;
  readonly reason: string;
  readonly fault: Fault;
  /** "namespace/name"; undefined where no Job was ever made. */
  readonly job: string | undefined;
  readonly log: { readonly container: string; readonly lines: string } | undefined;
};

/** The longest text that is written; Errors in the App are read by people, and documents have bounds. */
const LONGEST = 8_000;

export function failureText({ message, remedy, reason, fault, job, log }: FailureFacts): string {
  const where = job === undefined ? "No Kubernetes Job could be launched" : `Kubernetes Job ${job} failed`;
  const head = `${where}: ${reason}. ${withStop(message)} ${FAULTS[fault]}\nWhat to do: ${remedy}`;
  const title = log && log.lines !== "" ? `\nLast log lines of container "${log.container}":\n` : "";
  const text = (head + title).slice(0, LONGEST);
  return avoidExpired(title === "" ? text : text + cropStart(log?.lines ?? "", LONGEST - text.length));
}

/** What a worker said last tells most. */
const cropStart = (lines: string, room: number): string =>
  lines.length <= room ? lines : room < 2 ? "" : `…${lines.slice(1 - room)}`;

const avoidExpired = (text: string): string => text.replaceAll(/expired/gi, "run out");

/** Cuts known secrets out of a text that others wrote, like a worker's log. */
export function hideSecrets(text: string, secrets: readonly string[]): string {
  return secrets
    .filter((secret) => secret.length >= 6)
    .reduce((kept, secret) => kept.replaceAll(secret, "[hidden]"), text);
}

/** The last lines, whole, within so many bytes (characters, for simplicity, count as bytes). */
export function lastLines(text: string, lines: number, bytes: number): string {
  const kept = text.trimEnd().split("\n").slice(-lines);
  while (kept.length > 1 && kept.join("\n").length > bytes) kept.shift();
  return kept.join("\n").slice(-bytes);
}
