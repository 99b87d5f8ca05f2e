// Which replica of opjob leads, as the Lease tells: without one nobody takes what is queued. Reads the Lease as the daemon does, and
// judges by its times, as a person would: nothing is written by what is found here.
import { type Lease, renewedAt } from "../clusters/lease.ts";
import type { Config } from "../config.ts";
import { asOpjobError, type OpjobError } from "../errors.ts";
import { REAL } from "../outside.ts";
import { openOwnLease, usesLease } from "../own-lease.ts";
import type { Surroundings } from "../place.ts";

export type LeaderFact =
  /** No Lease is used, or the one that is lies in a cluster that is not known here. */
  | { readonly kind: "not asked" }
  | { readonly kind: "unknown"; readonly error: OpjobError }
  /** `words`: why nobody leads. */
  | { readonly kind: "nobody"; readonly lease: string; readonly words: string }
  /** `renewed`: how long ago (ms). */
  | { readonly kind: "leads"; readonly lease: string; readonly holder: string; readonly renewed: number | undefined };

export type LeaderOptions = {
  readonly config: Config;
  readonly surroundings: Surroundings;
  /** Fingerprint of this database. */
  readonly instance: string;
  readonly now: number;
};

/** Two machines' clocks may differ so much (ms). */
const CLOCKS = 5_000;

export async function leaderOf({ config, surroundings, instance, now }: LeaderOptions): Promise<LeaderFact> {
  if (!usesLease({ config, surroundings })) return { kind: "not asked" };
  try {
    const onCall = (): void => undefined;
    const { door, lease } = openOwnLease({ config, surroundings, outside: REAL, onCall });
    try {
      return factOf(await door.get(), { lease: `${lease.namespace}/${lease.name}`, instance, now });
    } finally {
      await door.close();
    }
  } catch (error) {
    return { kind: "unknown", error: asOpjobError(error) };
  }
}

type Asked = { readonly lease: string; readonly instance: string; readonly now: number };

export function factOf(found: Lease | undefined, { lease, instance, now }: Asked): LeaderFact {
  const nobody = (words: string): LeaderFact => ({ kind: "nobody", lease, words });
  if (found === undefined) return nobody("It was never taken.");
  if (found.instance !== "" && found.instance !== instance)
    return nobody(`It belongs to another opjob (instance ${found.instance}), which works on another database.`);
  const at = renewedAt(found);
  const renewed = at === undefined ? undefined : Math.max(0, now - at);
  if (found.holder === "") return nobody("The last leader gave it back, and nobody has taken it since.");
  if (renewed !== undefined && renewed > found.durationMs + CLOCKS)
    return nobody(`${found.holder} let it run out: it was last renewed ${Math.round(renewed / 1_000)} s ago.`);
  return { kind: "leads", lease, holder: found.holder, renewed };
}
