// What to say of an operation that is being launched again, because the cluster could not run its Job. Pure.
import type { Claim } from "../operations/operation.ts";
import type { Verdict } from "./verdict.ts";

/** undefined: it is not on that way. */
export function againVerdict(claim: Claim): Verdict | undefined {
  if (claim.phase === "withdrawn") return { state: "waiting", headline: TAKEN_BACK, ...wordsOf(claim) };
  const { phase, reason, notBefore, earlier = [] } = claim;
  if (phase !== "held" || notBefore === undefined || earlier.at(-1)?.reason !== reason) return undefined;
  const headline = `The cluster could not run its Job; it is made again as attempt ${claim.attempt} at ${notBefore.toISOString()}.`;
  return { state: "held", headline, ...wordsOf(claim) };
}

const TAKEN_BACK =
  "The cluster could not run its Job: it is taken back, and made again as a new attempt once it is gone.";

const wordsOf = ({ reason, message, fault, since }: Claim): Omit<Verdict, "state" | "headline"> => ({
  well: true,
  reason: reason ?? "",
  message: message ?? "",
  ...(fault ? { fault } : {}),
  ...(since ? { since } : {}),
});
