// Warm: makes every orchestrator ready before anybody waits for it. Connections and watches are open at the first launch, Jobs
// from before a restart are seen, and faults are told before a user meets them. Nothing waits for the checks: they go on beside
// the roads, one at a time for each cluster, and a cluster that is away is not asked by every orchestrator that uses it.
import { createHash } from "node:crypto";
import { askCluster, type Examined, examine } from "./check.ts";
import type { Clock } from "./clock.ts";
import type { Cluster } from "./clusters/kubernetes.ts";
import { RIGHTS } from "./clusters/rights.ts";
import { databaseError } from "./database.ts";
import { createGate } from "./gate.ts";
import { Lanes } from "./lanes.ts";
import type { Placer } from "./place.ts";
import { createVerdicts, type VerdictsOptions } from "./verdicts.ts";

export type WarmOptions = {
  readonly orchestrators: () => readonly string[];
  readonly isActive: (orchestrator: string) => boolean;
  readonly placer: Placer;
  readonly watch: (cluster: Cluster, namespace: string) => void;
  readonly retain: (keys: ReadonlySet<string>) => Promise<void>;
  /** Whether the logs of Pods are read, and the right to them is needed. */
  readonly readsLogs: boolean;
  /** Default: the system's. */
  readonly clock?: Clock;
} & VerdictsOptions;

export type Warm = {
  /** Opens what launches need and has every orchestrator checked soon; never throws. */
  run(): Promise<void>;
  /** Begins no further check and tells nothing more. */
  close(): void;
  sizes(): { readonly checks: number; readonly verdicts: number; readonly gates: number };
};

/** Whatever made us look may also have work to launch, and comes in bursts (ms). */
const LAUNCHES_FIRST = 500;

/** So many orchestrators are looked at together. */
const CHECKS = 4;

export function createWarm(options: WarmOptions): Warm {
  const { orchestrators, isActive, placer, watch, retain, readsLogs, log } = options;
  const verdicts = createVerdicts(options);
  const ask = createGate(options.now);
  const rights = RIGHTS.filter(({ subresource }) => readsLogs || subresource !== "log");
  let closed = false;

  const check = async (id: string): Promise<undefined> => {
    const examined = await examine(id, placer);
    const { site, job } = examined;
    if (site && job) watch(site.cluster, job.namespace);
    const fingerprint = fingerprintOf(examined);
    if (closed || !isActive(id) || !verdicts.due(id, fingerprint)) return;
    const asked = await ask(site?.cluster.server ?? "", () => askCluster(examined, rights));
    if (!closed && isActive(id)) verdicts.record(id, fingerprint, [...examined.findings, ...asked.findings]);
  };
  const checks = new Lanes({
    work: check,
    concurrency: CHECKS,
    ...(options.clock && { clock: options.clock }),
    onError: (id, thrown) => {
      const { code, message } = databaseError(thrown);
      if (!closed) log.warn({ orchestrator: id, code, error: message }, "orchestrator could not be checked now");
    },
  });
  const open = async (id: string): Promise<void> => {
    try {
      const { cluster, namespace } = await placer.site(id);
      watch(cluster, namespace);
    } catch {
      // The check says why.
    }
  };
  return {
    async run() {
      const ids = orchestrators();
      await Promise.all(ids.map(open));
      await retain(placer.retain(ids));
      verdicts.retain(ids.filter(isActive));
      for (const id of ids) checks.hint(id, LAUNCHES_FIRST);
    },
    sizes: () => ({ checks: checks.size, verdicts: verdicts.size, ...ask.sizes() }),
    close() {
      closed = true;
      // What is in hand ends with the connections that are closed after this.
      void checks.close();
    },
  };
}

/** Changes whenever something changed of which the cluster's verdict depends. */
function fingerprintOf({ site, recipe, findings }: Examined): string {
  const facts = [
    site?.cluster.key,
    site?.namespace,
    site?.orchestrator,
    recipe?.source.version,
    recipe?.worker,
    findings,
  ];
  return createHash("sha256").update(JSON.stringify(facts)).digest("hex");
}
