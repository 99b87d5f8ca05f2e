// Why an operation that is queued has no Job yet, in words: its turn has not come, a fault holds it, or nobody works on it. Pure.
import { WAITING } from "../clusters/waiting-reasons.ts";
import { ERRORS, type ErrorCode } from "../errors.ts";
import type { Told } from "../operations/mongo-reads.ts";
import type { Claim } from "../operations/operation.ts";
import type { Facts } from "./facts.ts";
import type { Judging, Verdict } from "./verdict.ts";

/** An opjob that runs takes an operation and makes its Job in less (ms). */
const USUAL = 10_000;

const DAEMON =
  "See whether `opjob daemon` runs, is ready (`/readyz`) and uses this database; its log says what keeps it from its work.";
const REPLICAS =
  "See that a replica runs (`kubectl get pods`); its `/readyz` and its log say what keeps it from the Lease. A standby takes over by itself once the Lease has run out.";

/** It is in the queue, and was not taken. */
export function untaken(facts: Facts, judging: Judging): Verdict {
  const { operation, fault, leader } = facts;
  const { queuedAt, told } = operation;
  if (leader.kind === "nobody") return leaderless(facts);
  if (told) return inLine(told, facts, judging);
  const well = judging.now - (queuedAt?.getTime() ?? 0) < USUAL && fault === undefined;
  return {
    state: "untaken",
    well,
    headline: "It is queued, and no opjob has taken it yet.",
    ...(fault ? { reason: fault.code, message: fault.message } : {}),
    ...(well ? {} : { remedy: fault ? fault.remedy : DAEMON }),
    ...(queuedAt ? { since: queuedAt } : {}),
  };
}

/** Nobody leads: nothing that is queued is taken, whatever else stands in its way. */
function leaderless({ operation: { queuedAt }, leader }: Facts): Verdict {
  const { lease, words } = leader.kind === "nobody" ? leader : { lease: "", words: "" };
  return {
    state: "untaken",
    well: false,
    headline: "It waits, because no replica of opjob leads.",
    reason: "NoLeader",
    message: `Nobody holds the Lease ${lease}. ${words}`,
    remedy: REPLICAS,
    ...(queuedAt ? { since: queuedAt } : {}),
  };
}

/** What a gate of the queue is opened by; every other reason is a fault's code, or an image that is not there. */
const TURNS: Readonly<Record<string, { readonly headline: string; readonly well: boolean; readonly remedy: string }>> =
  {
    LimitReached: {
      headline: "It waits for its turn: as many run as may.",
      well: true,
      remedy:
        "Wait: it goes when others end. `opjob ops` shows them; `opjob orchestrator update ID --max-in-flight N` or OPJOB_MAX_IN_FLIGHT… raises the limit.",
    },
    ClusterFull: {
      headline: "It waits for its turn: the cluster has no room.",
      well: false,
      remedy:
        "Wait for room, or add nodes; else ask for less in the template. OPJOB_BACKPRESSURE sets when opjob stops.",
    },
    ImagePullFailed: {
      headline: "It waits, because an image that it needs cannot be pulled.",
      well: false,
      remedy: WAITING.imageBackOff.remedy,
    },
  };

/** The breaker is open: the same fault met launch after launch of its orchestrator. */
const BROKEN = {
  headline: "It waits, because launches of its orchestrator meet a fault again and again.",
  well: false,
};
const MENDED = {
  headline: "It waits; the fault that kept its orchestrator seems to be gone, and opjob tries it soon.",
  well: false,
};

function inLine(told: Told, facts: Facts, judging: Judging): Verdict {
  const code = told.reason ?? "INTERNAL";
  const since = told.since ? { since: told.since } : {};
  const said = { state: "queued", reason: code, message: told.message ?? "", ...since } as const;
  const turn = TURNS[code];
  if (turn) return { ...said, ...turn, remedy: turn.remedy.replace(" ID ", ` ${facts.operation.target ?? "ID"} `) };
  const remedy = `${remedyOf(code)} ${nextTry(judging)}`.trim();
  return { ...said, ...(isGone(code, facts) ? MENDED : BROKEN), remedy };
}

const remedyOf = (code: string): string => (code in ERRORS ? ERRORS[code as ErrorCode].remedy : "");

/** It was taken, and has no Job. */
export function withoutJob(facts: Facts, claim: Claim, judging: Judging): Verdict {
  if (facts.leader.kind === "nobody") return leaderless(facts);
  return claim.phase === "held" ? held(facts, claim, judging) : beingMade(claim, judging);
}

/** The message that an operation is held with holds the remedy as well. */
function held(facts: Facts, { reason, message, since }: Claim, judging: Judging): Verdict {
  const code = reason ?? "INTERNAL";
  const remedy = remedyOf(code);
  const text = message ?? "";
  const bare = remedy !== "" && text.endsWith(remedy) ? text.slice(0, -remedy.length).trim() : text;
  return {
    state: "held",
    well: false,
    headline: isGone(code, facts)
      ? "It was held; what held it seems to be gone, and opjob tries again soon."
      : "It is held: its Job cannot be created now, and opjob tries again by itself.",
    reason: code,
    message: bare,
    remedy: `${remedy} ${nextTry(judging)}`.trim(),
    ...(since ? { since } : {}),
  };
}

function beingMade({ timeline }: Claim, { now }: Judging): Verdict {
  const since = timeline.claimed;
  const well = now - (since?.getTime() ?? 0) < USUAL;
  return {
    state: "starting",
    well,
    headline: well ? "opjob has taken it and creates its Job." : "opjob has taken it, but has not created its Job.",
    ...(well ? {} : { remedy: DAEMON }),
    ...(since ? { since } : {}),
  };
}

/** What can be seen from here as well, and is not there (any more). */
const isGone = (code: string, { fault }: Facts): boolean =>
  fault === undefined && /^(ORCHESTRATOR|SECRET|ENCRYPTION|KUBECONFIG)/.test(code);

/** Pauses are spread by a quarter. */
const nextTry = ({ retryMs }: Judging): string =>
  `opjob tries again as soon as the record, its secret or its template changes, else within ${Math.ceil((retryMs * 1.25) / 1_000)} s.`;
