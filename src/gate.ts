// The gate to each cluster for checks: one question at a time, and none for a while to a cluster that did not answer, however many
// orchestrators use it. Launches do not pass here. Knows servers by their addresses only.
import type { Asked } from "./check.ts";
import type { OpjobError } from "./errors.ts";
import { errorFinding } from "./finding.ts";

/** Asks once those before have been answered; while the server is away, its last fault is the answer. */
export type Gate = ((server: string, act: () => Promise<Asked>) => Promise<Asked>) & {
  /** Servers in memory: who is asked, or was away some moments ago. */
  readonly sizes: () => { readonly gates: number };
};

type Queue = {
  tail: Promise<unknown>;
  waiting: number;
  away: { readonly fault: OpjobError; readonly until: number } | undefined;
};

/** How long nobody else asks a cluster that did not answer (ms). */
const AWAY = 20_000;

export function createGate(now: () => number): Gate {
  const gates = new Map<string, Queue>();
  const pass = async (gate: Queue, act: () => Promise<Asked>): Promise<Asked> => {
    if (gate.away && now() < gate.away.until) {
      return { findings: [errorFinding(gate.away.fault)], fault: gate.away.fault, tried: false };
    }
    const asked = await act();
    const isAway = asked.fault?.code === "CLUSTER_UNREACHABLE";
    gate.away = isAway && asked.fault ? { fault: asked.fault, until: now() + AWAY } : undefined;
    return asked;
  };
  /** A server that was away, and that nobody asked since, is not remembered for ever. */
  const forget = (): void => {
    for (const [server, { waiting, away }] of gates)
      if (waiting === 0 && away !== undefined && now() >= away.until) gates.delete(server);
  };
  const ask = async (server: string, act: () => Promise<Asked>): Promise<Asked> => {
    forget();
    const gate: Queue = gates.get(server) ?? { tail: Promise.resolve(), waiting: 0, away: undefined };
    gates.set(server, gate);
    gate.waiting++;
    const passing = gate.tail.then(() => pass(gate, act));
    gate.tail = passing.catch(() => undefined);
    try {
      return await passing;
    } finally {
      gate.waiting--;
      if (gate.waiting === 0 && gate.away === undefined) gates.delete(server);
    }
  };
  return Object.assign(ask, { sizes: () => ({ gates: gates.size }) });
}
