// The parts of a Pod's status: statuses of its containers, conditions and phase, from the states of the containers. Pure.
import type { Condition, Container, ContainerState, ContainerStatus, Pod, PodStatus } from "./objects.ts";
import { timestamp, withCondition } from "./objects.ts";

export const isSidecar = ({ restartPolicy }: Container): boolean => restartPolicy === "Always";

/** A container that has not begun. */
export function newStatus({ name, image }: Container, reason: string): ContainerStatus {
  const state = { waiting: { reason } };
  return { name, image, imageID: "", ready: false, started: false, restartCount: 0, state, lastState: {} };
}

/** A container's status in a new state; a run that ended before becomes its last state. */
export function inState(status: ContainerStatus, state: ContainerState): ContainerStatus {
  const running = state.running !== undefined;
  const ended =
    status.state.terminated && !state.terminated ? { terminated: status.state.terminated } : status.lastState;
  return { ...status, state, lastState: ended, ready: running, started: running };
}

export type Containers = {
  readonly init: readonly ContainerStatus[];
  readonly main: readonly ContainerStatus[];
  /** Whether the main containers may start. */
  readonly initialized: boolean;
};
/** How a Pod ended; without it the Pod lives. */
export type Ending = Pick<PodStatus, "phase"> & { readonly reason?: string; readonly message?: string };

/** A Pod's status of now. */
export function statusOf(pod: Pod, containers: Containers, ending: Ending | undefined, now: number): PodStatus {
  const { init, main } = containers;
  const begun = main.some(({ state, lastState }) => state.running ?? state.terminated ?? lastState.terminated);
  const phase = ending?.phase ?? (begun ? "Running" : "Pending");
  const time = pod.status.startTime ?? timestamp(now);
  return {
    ...pod.status,
    ...(ending?.reason && { reason: ending.reason }),
    ...(ending?.message && { message: ending.message }),
    phase,
    conditions: conditionsOf(pod, containers, phase, now),
    hostIP: "127.0.0.1",
    hostIPs: [{ ip: "127.0.0.1" }],
    podIP: "127.0.0.1",
    podIPs: [{ ip: "127.0.0.1" }],
    startTime: time,
    ...(init.length > 0 && { initContainerStatuses: init }),
    containerStatuses: main,
  };
}

function conditionsOf(
  pod: Pod,
  { main, initialized }: Containers,
  phase: PodStatus["phase"],
  now: number,
): Condition[] {
  const over = phase === "Succeeded" || phase === "Failed";
  const waiting = main.filter(({ ready }) => !ready).map(({ name }) => name);
  const ended = phase === "Succeeded" ? "PodCompleted" : "PodFailed";
  const unready = over
    ? { reason: ended }
    : { reason: "ContainersNotReady", message: `containers with unready status: [${waiting.join(" ")}]` };
  const ready = waiting.length === 0 && !over ? yes : { status: "False" as const, ...unready };
  const whenInitialized = { ...yes, ...(phase === "Succeeded" && { reason: "PodCompleted" }) };
  const uninitialized = { status: "False" as const, reason: "ContainersNotInitialized" };
  const conditions: Condition[] = [
    { type: "PodReadyToStartContainers", status: over ? "False" : "True" },
    { type: "Initialized", ...(initialized ? whenInitialized : uninitialized) },
    { type: "Ready", ...ready },
    { type: "ContainersReady", ...ready },
  ];
  return conditions.reduce<Condition[]>(
    (all, condition) => withCondition(all, { ...condition, lastProbeTime: null }, now),
    [...(pod.status.conditions ?? [])],
  );
}

const yes = { status: "True" } as const;

/** How a Pod ends whose containers have all ended: well, if each main container ended with 0. */
export function endingOf(main: readonly ContainerStatus[]): Ending {
  const well = main.every(({ state }) => state.terminated?.exitCode === 0);
  return { phase: well ? "Succeeded" : "Failed" };
}
