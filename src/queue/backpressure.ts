// Backpressure: while too many Jobs of an orchestrator find no room on its cluster, no more are made; those that wait stay
// in the queue, where no pending timeout ends them. By orchestrator: a lack of GPUs must not stop Jobs that need none.
// Knows counts only. Engages and releases at two thresholds, then opens slowly.
import type { Log } from "../log.ts";
import { type Gate, OPEN, type Verdict } from "./gate.ts";
import { NO_SHARE, type Share } from "./places.ts";

export type BackpressureOptions = {
  /** dry-run: only says what it would do. */
  readonly mode: "off" | "dry-run" | "on";
  /** As many Jobs without room close the gate; as few open it again. */
  readonly engage: number;
  readonly release: number;
  /** How long after the release until as many may wait for room as before (ms). */
  readonly rampMs: number;
  readonly log: Log;
};

type State = { readonly kind: "engaged" } | { readonly kind: "ramp"; readonly since: number };

export function backpressureGate({ mode, engage, release, rampMs, log }: BackpressureOptions): Gate {
  const states = new Map<string, State>();
  const say = (orchestrator: string, msg: string, jobs: number): void =>
    log.warn({ orchestrator, jobs_without_room: jobs, dry_run: mode === "dry-run" }, msg);

  const step = (orchestrator: string, { refused }: Share, now: number): void => {
    const state = states.get(orchestrator);
    if (state?.kind !== "engaged" && refused >= engage) {
      states.set(orchestrator, { kind: "engaged" });
      say(orchestrator, "the cluster has no room: no more Jobs are made for now", refused);
    } else if (state?.kind === "engaged" && refused <= release) {
      states.set(orchestrator, { kind: "ramp", since: now });
      say(orchestrator, "the cluster has room again: Jobs are made again, slowly at first", refused);
    } else if (state?.kind === "ramp" && now - state.since >= rampMs) {
      states.delete(orchestrator);
    }
  };

  return {
    name: "backpressure",
    get size() {
      return states.size;
    },
    update(usage, _, now) {
      if (mode === "off") return;
      for (const orchestrator of new Set([...states.keys(), ...usage.orchestrators.keys()])) {
        step(orchestrator, usage.orchestrators.get(orchestrator) ?? NO_SHARE, now);
      }
    },
    room({ orchestrator }, usage, now): Verdict {
      const state = states.get(orchestrator);
      if (mode !== "on" || state === undefined) return OPEN;
      const { refused, undecided } = usage.orchestrators.get(orchestrator) ?? NO_SHARE;
      const message = `The cluster has no room for more: ${refused} Jobs of orchestrator "${orchestrator}" wait for a node.`;
      const why = { reason: "ClusterFull", message };
      if (state.kind === "engaged") return { room: 0, why };
      // As many as the release left, and more with time, may be without a node; what is not decided yet counts as such.
      const bound = release + Math.max(1, (engage - release) * Math.min(1, (now - state.since) / rampMs));
      return { room: Math.max(0, Math.floor(bound) - refused - undecided), why };
    },
  };
}
