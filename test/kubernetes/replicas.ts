// Replicas that agree by a Lease on a real API server, and how long nobody launches when the one that leads ends.
// Knows how they are started and what they say; expects nothing of them.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ObjectId } from "mongodb";
import { type DaemonProcess, startDaemonProcess } from "./daemons.ts";
import { seen } from "./seen.ts";
import { NAMESPACE, type Setting } from "./stage.ts";

export type Replicas = AsyncDisposable & {
  /** Leader and standby, both ready and at work; whoever is missing is started. */
  readonly pair: () => Promise<readonly [leader: DaemonProcess, standby: DaemonProcess]>;
  /** Milliseconds from each end of a leader to the next launch, by the standby; one after the other. */
  readonly handovers: (signal: NodeJS.Signals, count: number) => Promise<number[]>;
};

export const leads = (replica: DaemonProcess): boolean =>
  replica.said("leads from now on").length > replica.said("leads no more").length;

/** @param target an orchestrator that can launch */
export async function openReplicas(setting: Setting, target: string): Promise<Replicas> {
  const KUBECONFIG = join(setting.plane.directory, "opjob.kubeconfig");
  await writeFile(KUBECONFIG, setting.plane.kubeconfig("opjob"));
  let replicas: DaemonProcess[] = [];
  const operations = setting.db.collection("delegated_ops");

  const start = async (): Promise<void> => {
    const environment = { KUBECONFIG, OPJOB_LEADERSHIP: "lease", OPJOB_LEASE_NAMESPACE: NAMESPACE };
    const replica = startDaemonProcess(setting, environment);
    replicas.push(replica);
    await seen("it is ready", () => replica.said("first scan done").length > 0, 60_000);
  };
  /** Resolves when the operation's Job was created. */
  const launchOf = ([_id]: readonly ObjectId[]): Promise<unknown> =>
    seen("it is launched", async () => _id && (await operations.findOne({ _id }))?.["opjob"]?.uid, 60_000);
  const pair = async (): Promise<readonly [DaemonProcess, DaemonProcess]> => {
    while (replicas.length < 2) await start();
    const leader = await seen("one leads", () => replicas.find(leads), 60_000);
    const standby = replicas.find((replica) => replica !== leader);
    if (standby === undefined) throw new Error("there is no standby");
    // It launches something, so that it is known to be at work.
    await launchOf(await setting.queue(target));
    return [leader, standby];
  };
  return {
    pair,
    handovers: async (signal, count) => {
      const times: number[] = [];
      for (let i = 0; i < count; i++) {
        const [leader, standby] = await pair();
        const begun = performance.now();
        leader.signal(signal);
        await leader.exited;
        await launchOf(await setting.queue(target));
        times.push(performance.now() - begun);
        if (!leads(standby)) throw new Error("somebody else launched it");
        replicas = replicas.filter((replica) => replica !== leader);
      }
      return times;
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(replicas.map((replica) => replica[Symbol.asyncDispose]()));
    },
  };
}

export const showTimes = (times: readonly number[]): string => {
  const sorted = times.toSorted((a, b) => a - b).map(Math.round);
  return `median ${sorted[Math.floor(sorted.length / 2)]} ms, longest ${sorted.at(-1)} ms (${sorted.join(", ")})`;
};
