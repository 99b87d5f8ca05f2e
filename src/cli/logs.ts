// `opjob logs OPERATION`: what the containers of an operation's Job wrote, straight from the cluster. Changes nothing.
import { setTimeout as sleep } from "node:timers/promises";
import { Command } from "commander";
import { type ContainerView, jobEnd, newest, type PodView } from "../clusters/observation.ts";
import { OpjobError } from "../errors.ts";
import type { Desk } from "../inquiries/desk.ts";
import { gatherFacts, type JobFact } from "../inquiries/facts.ts";
import { operationNamed } from "../inquiries/operation-named.ts";
import { didYouMean } from "../nearest.ts";
import { isTerminal } from "../operations/operation.ts";
import { withDesk } from "./desk.ts";
import type { Host } from "./host.ts";

type Options = { readonly follow?: boolean; readonly container?: string; readonly tail?: string };
type Live = Extract<JobFact, { kind: "job" }>;

export const logsCommand = (host: Host): Command =>
  new Command("logs")
    .description("Shows the log of an operation's worker, from the cluster.")
    .argument("<operation>", "its id, or the first digits")
    .option("-f, --follow", "wait for it to start, and go on until it ends")
    .option("--container <name>", "of the Pod; by default its first")
    .option("--tail <count>", "only the last lines")
    .action((id: string, options: Options) => showLogs(host, id, options));

/** How often it is looked whether the worker has started (ms). */
const PACE = 1_000;

async function showLogs(host: Host, id: string, options: Options): Promise<void> {
  const tailLines = tailOf(options);
  const stop = new AbortController();
  void host.stopped.then(() => stop.abort());
  await withDesk(host, async (desk) => {
    const found = await startedContainer(desk, id, {
      options,
      signal: stop.signal,
      say: (line) => host.stderr.write(line),
    });
    if (found === undefined) return;
    const { job, pod, container } = found;
    const query = { container, follow: options.follow === true, ...(tailLines === undefined ? {} : { tailLines }) };
    try {
      const log = await job.cluster.openLog(pod.namespace, pod.name, query, stop.signal);
      if (log === undefined) throw gone(id);
      for await (const chunk of log) host.stdout.write(chunk as Buffer);
    } catch (error) {
      if (!stop.signal.aborted) throw error;
    }
  });
}

type Waiting = { readonly options: Options; readonly signal: AbortSignal; readonly say: (line: string) => void };
type Found = { readonly job: Live; readonly pod: PodView; readonly container: string };

/** The container whose log is wanted; waits for its start if it is to be followed. undefined: the person stopped it. */
async function startedContainer(desk: Desk, id: string, { options, signal, say }: Waiting): Promise<Found | undefined> {
  const { id: whole } = await operationNamed(desk, id);
  for (let looks = 0; !signal.aborted; looks++) {
    const found = await look(desk, whole, options);
    if (found) return found;
    if (!options.follow) throw notStarted(whole);
    if (looks === 0) say("waiting for the worker to start …\n");
    await sleep(PACE, undefined, { signal }).catch(() => undefined);
  }
  return undefined;
}

/** undefined: it has not started yet. @throws OpjobError when it never will, or cannot be seen */
async function look(desk: Desk, id: string, options: Options): Promise<Found | undefined> {
  const { operation, job } = await gatherFacts(desk, await operationNamed(desk, id));
  if (job.kind === "unknown") throw job.error;
  if (job.kind === "job") {
    const pod = newest(job.pods);
    const container = pod && containerOf(pod, options.container);
    if (pod && container?.startedAt !== undefined) return { job, pod, container: container.name };
    if (jobEnd(job.job)) throw gone(id);
  }
  if (job.kind === "absent" || isTerminal(operation.runState)) throw gone(id);
  return undefined;
}

/** @throws OpjobError INPUT_INVALID with the nearest name */
function containerOf({ containers, initContainers }: PodView, wanted: string | undefined): ContainerView | undefined {
  if (wanted === undefined) return containers[0];
  const all = [...containers, ...initContainers];
  const found = all.find(({ name }) => name === wanted);
  if (found || all.length === 0) return found;
  const names = all.map(({ name }) => name);
  throw new OpjobError(
    "INPUT_INVALID",
    `There is no container "${wanted}". ${didYouMean(wanted, names, "containers")}`,
  );
}

const gone = (id: string) =>
  new OpjobError("OPERATION_UNKNOWN", `There is no log of operation ${id} in the cluster (any more).`, {
    remedy: `\`opjob explain ${id}\` shows what was kept of it; ttlSecondsAfterFinished in the template says how long Jobs stay.`,
  });

const notStarted = (id: string) =>
  new OpjobError("OPERATION_UNKNOWN", `The worker of operation ${id} has not started: there is no log yet.`, {
    remedy: `\`opjob explain ${id}\` tells why; --follow waits for it.`,
  });

function tailOf({ tail }: Options): number | undefined {
  if (tail === undefined) return undefined;
  const lines = Number(tail);
  if (Number.isInteger(lines) && lines >= 0) return lines;
  throw new OpjobError("INPUT_INVALID", "--tail must be a whole number.");
}
