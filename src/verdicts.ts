// What was found of each orchestrator: told once until it changes, shown as a metric, and due to be looked at again when
// something of it changed, sooner or later if it was faulty, seldom if it was not. Knows no cluster and no template.
import { type Finding, isErrorCode } from "./finding.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";

export type VerdictsOptions = {
  readonly metrics: Pick<Metrics, "orchestratorHealthy" | "orchestratorFindings">;
  readonly log: Log;
  readonly now: () => number;
  /** In [0, 1); default: the system's. */
  readonly random?: () => number;
};

export type Verdicts = {
  /** Whether a cluster must be asked (again) about an orchestrator that now looks so. */
  due(orchestrator: string, fingerprint: string): boolean;
  /** Records and tells what was found. */
  record(orchestrator: string, fingerprint: string, findings: readonly Finding[]): void;
  /** Forgets all other orchestrators. */
  retain(orchestrators: readonly string[]): void;
  readonly size: number;
};

type Verdict = {
  readonly fingerprint: string;
  readonly told: ReadonlySet<string>;
  readonly next: number;
  readonly faults: number;
};

/** Pauses between two looks at what did not change (ms). A permission that is given is noticed within the first. */
const AGAIN = { faulty: 30_000, sound: 600_000 };

export function createVerdicts({ metrics, log, now, random = Math.random }: VerdictsOptions): Verdicts {
  const verdicts = new Map<string, Verdict>();
  return {
    get size() {
      return verdicts.size;
    },
    due(id, fingerprint) {
      const known = verdicts.get(id);
      return known?.fingerprint !== fingerprint || now() >= known.next;
    },
    record(id, fingerprint, findings) {
      const known = verdicts.get(id);
      const faulty = findings.some(({ severity }) => severity === "error");
      const faults = faulty ? (known?.fingerprint === fingerprint ? known.faults : 0) + 1 : 0;
      const pause = faulty ? Math.min(AGAIN.sound, AGAIN.faulty * 2 ** (faults - 1)) : AGAIN.sound;
      // Spread, so that many who were checked together are not checked together for ever.
      const next = now() + pause * (0.75 + random() / 2);
      verdicts.set(id, { fingerprint, told: new Set(findings.map(keyOf)), next, faults });
      tell(log, id, findings, known);
      show(metrics, id, findings);
    },
    retain(orchestrators) {
      for (const id of verdicts.keys()) {
        if (orchestrators.includes(id)) continue;
        verdicts.delete(id);
        metrics.orchestratorHealthy.remove({ orchestrator: id });
        for (const severity of SEVERITIES) metrics.orchestratorFindings.remove({ orchestrator: id, severity });
      }
    },
  };
}

const SEVERITIES = ["error", "warning", "hint"] as const;

const keyOf = ({ severity, code, message }: Finding): string => `${severity} ${code} ${message}`;

function tell(log: Log, orchestrator: string, findings: readonly Finding[], known: Verdict | undefined): void {
  for (const finding of findings) if (!known?.told.has(keyOf(finding))) tellOne(log, orchestrator, finding);
  const faulty = findings.some(({ severity }) => severity === "error");
  if (!faulty && known !== undefined && known.faults > 0) log.info({ orchestrator }, "orchestrator is in order again");
}

function tellOne(log: Log, orchestrator: string, { severity, step, code, message, remedy, line }: Finding): void {
  const fields = { orchestrator, step, code, ...(line !== undefined && { line }), [severity]: message, remedy };
  if (severity === "hint") log.debug(fields, "orchestrator has a hint");
  else if (severity === "warning") log.warn(fields, "orchestrator has a warning");
  else log.error(fields, isErrorCode(code) ? "orchestrator cannot launch" : "orchestrator is faulty");
}

function show(
  { orchestratorHealthy, orchestratorFindings }: VerdictsOptions["metrics"],
  orchestrator: string,
  findings: readonly Finding[],
) {
  for (const severity of SEVERITIES) {
    const count = findings.filter((finding) => finding.severity === severity).length;
    orchestratorFindings.set({ orchestrator, severity }, count);
    if (severity === "error") orchestratorHealthy.set({ orchestrator }, count === 0 ? 1 : 0);
  }
}
