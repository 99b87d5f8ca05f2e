// What a reason is: one word, whose fault it is, what to do about it, how long it may last. The table's rows are in
// waiting-reasons.ts and ending-reasons.ts. Pure; knows no states: which row a state belongs to is said by obstacle.ts and ending.ts.

/**
 * Whose fault it is. `operation`: the operator or its worker; `template`: the Job template or the orchestrator's settings;
 * `cluster`: the infrastructure, so that trying again can help.
 */
export type Fault = "operation" | "template" | "cluster";

/** Said to the person who reads it. */
export const FAULTS: Readonly<Record<Fault, string>> = {
  operation: "The cause lies in the operation itself.",
  template: "The cause lies in the Job template or the orchestrator's settings, not in the operation.",
  cluster: "The cause lies in the cluster, not in the operation: it is not your fault.",
};

/**
 * How long it may last: not at all; the image grace; six times as long, for what often passes by itself within minutes;
 * the pending timeout; as long as it likes, for what only waits its turn.
 */
export type Patience = "none" | "short" | "long" | "pending" | "endless";

/** `long` in image graces: 3 minutes where the image grace is 30 seconds. */
export const LONG = 6;

export type Row = { readonly reason: string; readonly fault: Fault; readonly remedy: string };
export type WaitingRow = Row & { readonly patience: Patience };

/** A row with what was seen, as one sentence or two. */
export type Verdict = Row & { readonly row: string; readonly message: string };

/** What a container's log is asked for by. */
export type LogPlace = {
  readonly pod: string;
  readonly container: string;
  /** Of the run before the present one. */
  readonly previous: boolean;
};

/** Whose Events may tell more: the uid, the name where that is not known, or why Pods of this Job were refused. */
export type Asked = { readonly uid: string } | { readonly name: string } | { readonly refusedTo: string };

/** A text that others wrote, as the first of several sentences. */
export const withStop = (text: string): string => text.replace(/[^.!?…]$/, "$&.");

/** `what: detail`, or `what.` where there is no detail; one full stop at the end. */
export const sentence = (what: string, detail: string): string =>
  detail.trim() === "" ? `${what}.` : `${what}: ${detail.trim().replace(/\.*$/, "")}.`;
