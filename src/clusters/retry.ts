// Which outcomes of a call are tried again at once, and after what pause. Pure.
// Every call may be sent twice: reads by nature, a delete by its uid, a create because its Job's name is deterministic, so
// that "already exists" is the answer that was lost. What is tried here is over in moments; what lasts is the roads' matter.
import { type Answer, isAlreadyThere, isPreconditionFailure } from "./answers.ts";

/** Four tries in all: after about two seconds a fault is no hiccup, and others wait for the place. */
const PAUSES = [100, 400, 1_500];

/**
 * Milliseconds until the next try; undefined: the outcome stands.
 * @param answer undefined: there was none, the connection broke
 * @param tries so far
 */
export function pauseAfter(answer: Answer | undefined, tries: number, random = Math.random): number | undefined {
  const pause = PAUSES[tries - 1];
  if (pause === undefined || (answer !== undefined && !mayPass(answer))) return undefined;
  return pause * (0.5 + random());
}

function mayPass(answer: Answer): boolean {
  switch (answer.status) {
    case 409:
      // A quota's count, for one, is a write that others come before.
      return !isAlreadyThere(answer) && !isPreconditionFailure(answer);
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
      return true;
    default:
      return false;
  }
}
