// Limits: how many operations may be in flight at once, over all, for a cluster, for an orchestrator. 0 means no limit.
// Pure: what is in flight is given.
import { type Gate, OPEN, type Verdict } from "./gate.ts";
import { NO_SHARE } from "./places.ts";

export type Limits = {
  readonly total: number;
  readonly cluster: number;
  /** The orchestrator's own limit, else the one for all orchestrators. */
  readonly orchestrator: (id: string) => number;
};

/** @returns a gate that lets as many go as every limit leaves room for */
export const limitsGate = (limits: Limits): Gate => ({
  name: "limit",
  room({ orchestrator, cluster }, usage): Verdict {
    const own = (usage.orchestrators.get(orchestrator) ?? NO_SHARE).inFlight;
    const there = cluster === undefined ? 0 : (usage.clusters.get(cluster) ?? 0);
    const verdicts = [
      within(limits.orchestrator(orchestrator), own, `of orchestrator "${orchestrator}"`),
      within(limits.cluster, there, `on the cluster ${cluster}`),
      within(limits.total, usage.total, "over all orchestrators"),
    ];
    return verdicts.reduce((least, verdict) => (verdict.room < least.room ? verdict : least), OPEN);
  },
});

function within(limit: number, inFlight: number, whose: string): Verdict {
  if (limit === 0) return OPEN;
  const message = `As many operations are in flight as may be ${whose}: ${limit}.`;
  return { room: Math.max(0, limit - inFlight), why: { reason: "LimitReached", message } };
}
