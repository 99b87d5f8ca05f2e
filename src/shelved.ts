// Shelved: an operation that is claimed and not to be launched: somebody archived it, or its orchestrator is not active (any more).
// Says whether a Job of it may be there or come yet: so long it holds its place in the limits. It launches and deletes nothing.
import type { Next } from "./lanes.ts";
import type { Found, Look } from "./look.ts";
import type { Operations } from "./operations/mongo.ts";
import type { Claimed } from "./operations/operation.ts";

export type ShelvedOptions = {
  readonly operations: Pick<Operations, "change">;
  readonly look: Pick<Look, "find">;
  /** Whether an orchestrator takes new work. */
  readonly isActive: (orchestrator: string) => boolean;
  readonly now: () => number;
};

/** `vacant`: no Job of it is there, and none can come. `next`: when that is to be looked at once more. */
export type Shelved = { readonly found: Found; readonly vacant: boolean; readonly next: Next };

/** A creation takes effect within so long, or never: the API server gives up what it could not do in a minute (ms). */
const SURE_AFTER = 90_000;
const REASON = "Shelved";

/** @returns undefined where it is to be launched */
export async function lookAtShelved(options: ShelvedOptions, operation: Claimed): Promise<Shelved | undefined> {
  const { archived, claim } = operation;
  const unsure = claim.unsure === true;
  if (!archived && (!unsure || options.isActive(claim.orchestrator))) return undefined;
  const found = await options.look.find(operation, []);
  if (found.observation.kind !== "absent") return { found, vacant: false, next: undefined };
  const rest = unsure ? await untilSure(options, operation) : 0;
  return { found, vacant: rest <= 0, next: rest > 0 ? { again: rest } : undefined };
}

/** From when it was found to be shelved: until then its creation may have been sent. @returns milliseconds; 0: it is on record that there is none */
async function untilSure({ operations, now }: ShelvedOptions, operation: Claimed): Promise<number> {
  const { archived, claim } = operation;
  if (claim.reason !== REASON) {
    const why = archived ? "it was archived" : `the orchestrator "${claim.orchestrator}" is not active (any more)`;
    const message = `It is not launched: ${why}. Its Job was asked for, and no answer says whether it was made: it is looked for.`;
    await operations.change(operation, { phase: "held", reason: REASON, message, since: new Date(now()) });
    return SURE_AFTER;
  }
  const rest = SURE_AFTER - (now() - (claim.since?.getTime() ?? 0));
  if (rest <= 0) await operations.change(operation, { unsure: false });
  return Math.max(0, rest);
}
