// How one container ended, in plain words: exit code, signal, memory, or that it never began. Pure.
import { type Ending, end } from "./ending-reasons.ts";
import { type ContainerView, neverStarted, type PodView } from "./observation.ts";
import { type LogPlace, sentence } from "./reasons.ts";

/** Where a container's last words are; undefined if it never spoke. */
export const logsOf = (pod: PodView | undefined, container: ContainerView | undefined): LogPlace | undefined =>
  pod === undefined || container?.startedAt === undefined
    ? undefined
    : {
        pod: pod.name,
        container: container.name,
        // A container that was started again speaks for itself; what ended it is in the log of the run before.
        previous: container.restarted && container.running,
      };

type Terminated = NonNullable<ContainerView["terminated"]>;

const failed = ({ exitCode, reason }: Terminated): boolean => exitCode !== 0 || reason === "OOMKilled";

/** Of the Pod's own containers that failed the one that explains: memory first, then whichever failed first. */
export function firstFailed({ containers }: PodView): ContainerView | undefined {
  const all = containers
    .filter(({ terminated }) => terminated && failed(terminated))
    .toSorted((a, b) => (a.terminated?.finishedAt ?? "").localeCompare(b.terminated?.finishedAt ?? ""));
  return all.find(({ terminated }) => terminated?.reason === "OOMKilled") ?? all[0];
}

/** The init container because of which the Pod's own containers never began. */
export function failedInit({ initContainers, containers }: PodView): ContainerView | undefined {
  // A sidecar is killed at the end of the Pod, with an exit code that means nothing: a worker that failed explains more.
  if (containers.some(({ terminated }) => terminated !== undefined)) return undefined;
  return initContainers.find(({ sidecar, terminated }) => !sidecar && terminated && failed(terminated));
}

export function initEnd(pod: PodView, container: ContainerView): Ending {
  const { message, logs } = howItEnded(pod, container);
  return end("initFailed", message.replace(/^The container/, "The init container"), logs);
}

/** @param container one that has ended */
export function howItEnded(pod: PodView, container: ContainerView): Ending {
  const { exitCode, reason, message } = container.terminated ?? NOTHING;
  const logs = logsOf(pod, container);
  const named = `The container "${container.name}"`;
  if (reason === "OOMKilled") return outOfMemory(named, exitCode, logs);
  if (container.terminated && neverStarted(container.terminated)) {
    return end("startError", sentence(`${named} could not be started`, message || `exit code ${exitCode}`), undefined);
  }
  if (reason === "ContainerStatusUnknown") {
    return end("containerLost", `${named} was not there any more when its node looked for it.`, logs);
  }
  const signal = signalOf(container);
  const others = othersOf(pod, container);
  const when = "before a result was recorded";
  if (signal === undefined)
    return end("workerFailed", `${named} ended with exit code ${exitCode} ${when}${others}.`, logs);
  const how = `${named} was killed by signal ${signal} (exit code ${exitCode}) ${when}${others}.`;
  return end(OUTSIDE.has(signal) ? "workerKilled" : "workerCrashed", how, logs);
}

const NOTHING = { exitCode: 0, reason: "", message: "" };

/** SIGKILL and SIGTERM come from outside; all others are a program's own. */
const OUTSIDE = new Set([9, 15]);

/** A process of the container may have been killed while its first one lived on, or even ended well. */
function outOfMemory(named: string, exitCode: number, logs: LogPlace | undefined): Ending {
  const what = exitCode === 0 ? "A process of the" : "The";
  const container = named.replace(/^The /, "");
  return end(
    "outOfMemory",
    `${what} ${container} used more memory than its limit and was killed (OOMKilled, exit code ${exitCode}).`,
    logs,
  );
}

/** Shells and runtimes report a signal as 128 + its number. */
export function signalOf({ terminated }: ContainerView): number | undefined {
  if (terminated === undefined) return undefined;
  const { signal, exitCode } = terminated;
  return signal ?? (exitCode > 128 && exitCode < 160 ? exitCode - 128 : undefined);
}

/** How a worker ended that something else had ended, where that is known. */
export function exitNote({ containers }: PodView): string {
  const ended = containers.find(({ terminated }) => terminated !== undefined);
  if (ended?.terminated === undefined) return "";
  return ` The container "${ended.name}" then ended with exit code ${ended.terminated.exitCode}.`;
}

/** Of several containers that failed each is named. */
function othersOf({ containers }: PodView, told: ContainerView): string {
  const others = containers.filter(({ name, terminated }) => name !== told.name && terminated && failed(terminated));
  const names = others.map(({ name, terminated }) => `"${name}" (exit code ${terminated?.exitCode})`);
  return names.length === 0 ? "" : `; then ended ${names.join(", ")}`;
}
