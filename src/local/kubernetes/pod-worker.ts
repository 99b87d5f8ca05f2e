// The life of one Pod on the node: init containers, sidecars, containers, restarts, end. It writes the Pod's status and asks
// the runtime to start and signal containers; it knows nothing of scheduling or Jobs.
import { deferred } from "./clock.ts";
import type { Core } from "./core.ts";
import type { Variables } from "./environment.ts";
import type { Images } from "./images.ts";
import type { Logs } from "./logs.ts";
import { type Container, type ContainerState, type ContainerStatus, type Pod, timestamp } from "./objects.ts";
import { type Ending, endingOf, inState, isSidecar, newStatus, statusOf } from "./pod-status.ts";
import { type Preparing, prepare } from "./preparation.ts";
import { PODS } from "./resources.ts";
import { type Ended, type Running, type Runtime, StartFailure } from "./runtime.ts";

export type KubeletTiming = {
  /** From the binding to the start of the first container, in ms. */
  readonly startMs: number;
  /** Between two tries to pull an image, in ms. */
  readonly pullRetryMs: number;
  /** Between two looks for a missing Secret or ConfigMap, in ms. */
  readonly configRetryMs: number;
  /** The wait before the second restart of a container, in ms; doubled each time, 30 times as long at most. */
  readonly restartBackoffMs: number;
};
export type NodeParts = {
  readonly core: Core;
  readonly runtime: Runtime;
  readonly images: Images;
  readonly logs: Logs;
  readonly timing: KubeletTiming;
};

export class PodWorker {
  readonly #parts: NodeParts;
  readonly #pod: Pod;
  readonly #statuses = new Map<string, ContainerStatus>();
  readonly #running = new Map<string, Running>();
  readonly #sidecars: Promise<unknown>[] = [];
  readonly #stop = new AbortController();
  #cancelKill: () => void = () => undefined;
  #ending: Ending | undefined;
  #initialized = false;
  #killed = false;

  constructor(parts: NodeParts, pod: Pod) {
    this.#parts = parts;
    this.#pod = pod;
    const { initContainers = [], containers } = pod.spec;
    this.#initialized = initContainers.length === 0;
    const reason = this.#initialized ? "ContainerCreating" : "PodInitializing";
    for (const container of [...initContainers, ...containers])
      this.#statuses.set(container.name, newStatus(container, reason));
  }

  /** Resolves when all containers are gone and the Pod's last status is written. */
  async run(): Promise<void> {
    const { spec } = this.#pod;
    const { clock } = this.#parts.core;
    const { activeDeadlineSeconds: deadline } = spec;
    const message = "Pod was active on the node longer than the specified deadline";
    const late: Ending = { phase: "Failed", reason: "DeadlineExceeded", message };
    const grace = spec.terminationGracePeriodSeconds ?? 30;
    const cancelDeadline =
      deadline === undefined ? undefined : clock.after(deadline * 1_000, () => this.stop(grace, late));
    this.#publish();
    await clock.sleep(this.#parts.timing.startMs, this.#stop.signal);
    if (await this.#initialize()) {
      this.#initialized = true;
      await Promise.all(spec.containers.map((container) => this.#supervise(container, spec.restartPolicy ?? "Always")));
    }
    await this.#endSidecars(grace);
    cancelDeadline?.();
    this.#cancelKill();
    this.#ending ??= endingOf(this.#statusesOf(spec.containers));
    this.#publish();
  }

  /** Begins the end: SIGTERM now, SIGKILL after the grace. Called again, only a shorter grace counts. @param grace seconds */
  stop(grace: number, ending?: Ending): void {
    this.#ending ??= ending;
    const first = !this.#stop.signal.aborted;
    this.#stop.abort();
    this.#cancelKill();
    if (grace <= 0) this.#kill();
    else this.#cancelKill = this.#parts.core.clock.after(grace * 1_000, () => this.#kill());
    const mains = new Set(this.#pod.spec.containers.map(({ name }) => name));
    if (!first || grace <= 0) return;
    for (const [name, running] of this.#running) if (mains.has(name) || !this.#initialized) running.signal("SIGTERM");
  }

  /** Sends a signal to one container, or to all. */
  signal(signal: NodeJS.Signals, container?: string): void {
    for (const [name, running] of this.#running) if (name === (container ?? name)) running.signal(signal);
  }

  /** The grace is over, also for a container that is just being started. */
  #kill(): void {
    this.#killed = true;
    this.signal("SIGKILL");
  }

  /** @returns whether the main containers may start */
  async #initialize(): Promise<boolean> {
    for (const container of this.#pod.spec.initContainers ?? []) {
      if (this.#stop.signal.aborted) return false;
      if (isSidecar(container)) {
        const started = deferred<void>();
        const supervised = this.#supervise(container, "Always", () => started.resolve(undefined));
        this.#sidecars.push(supervised);
        await Promise.race([started.promise, supervised]);
      } else {
        const policy = this.#pod.spec.restartPolicy === "Never" ? "Never" : "OnFailure";
        const ended = await this.#supervise(container, policy);
        if (ended?.exitCode !== 0) return false;
      }
    }
    return !this.#stop.signal.aborted;
  }

  /** Runs a container until it needs no further restart. @returns its last end; undefined if it never began */
  async #supervise(container: Container, policy: string, onStart?: () => void): Promise<Ended | undefined> {
    for (let restarts = 0; ; restarts++) {
      const env = await prepare(this.#parts, this.#pod, container, this.#view(container));
      if (!env) return undefined;
      const ended = await this.#runOnce(container, env, onStart);
      const again = policy === "Always" || (policy === "OnFailure" && ended.exitCode !== 0);
      if (!again || this.#stop.signal.aborted) return ended;
      if (!(await this.#backOff(container, restarts))) return ended;
      const status = this.#statuses.get(container.name);
      if (status) this.#statuses.set(container.name, { ...status, restartCount: status.restartCount + 1 });
    }
  }

  /** The wait before a restart; the first comes at once. @returns false if the Pod stops before */
  async #backOff(container: Container, restarts: number): Promise<boolean> {
    const { core, timing } = this.#parts;
    const wait = restarts === 0 ? 0 : timing.restartBackoffMs * Math.min(30, 2 ** (restarts - 1));
    if (wait === 0) return true;
    const { name, namespace, uid } = this.#pod.metadata;
    const which = `container=${container.name} pod=${name}_${namespace}(${uid})`;
    const message = `back-off ${wait / 1_000}s restarting failed ${which}`;
    this.#set(container, { waiting: { reason: "CrashLoopBackOff", message } });
    this.#say(
      "BackOff",
      `Back-off restarting failed container ${container.name} in pod ${name}_${namespace}(${uid})`,
      true,
    );
    await core.clock.sleep(wait, this.#stop.signal);
    return !this.#stop.signal.aborted;
  }

  async #runOnce(container: Container, env: Variables, onStart?: () => void): Promise<Ended> {
    const { core, runtime, logs } = this.#parts;
    const { name, image } = container;
    const log = logs.begin(this.#pod.metadata.uid ?? "", name);
    const containerID = `local://${this.#pod.metadata.uid}/${name}`;
    this.#say("Pulled", `Container image "${image}" already present on machine`);
    const startedAt = timestamp(core.clock.now());
    try {
      const running = await runtime.start({ pod: this.#pod, container, env, log });
      this.#running.set(name, running);
      this.#say("Started", `Started container ${name}`);
      this.#set(container, { running: { startedAt } }, { containerID, imageID: image });
      onStart?.();
      if (this.#stop.signal.aborted) running.signal(this.#killed ? "SIGKILL" : "SIGTERM"); // stopped while it was being started
      const ended = await running.ended;
      this.#running.delete(name);
      this.#terminate(container, ended, startedAt);
      return ended;
    } catch (error) {
      if (!(error instanceof StartFailure)) throw error;
      log.end(core.clock.now());
      this.#say("Failed", `Error: ${error.message}`, true);
      const ended = { exitCode: 128, reason: "StartError", message: error.message };
      this.#terminate(container, ended, "1970-01-01T00:00:00Z");
      return ended;
    }
  }

  #terminate(container: Container, ended: Ended, startedAt: string): void {
    const { exitCode, reason = exitCode === 0 ? "Completed" : "Error", message } = ended;
    const finishedAt = timestamp(this.#parts.core.clock.now());
    const containerID = `local://${this.#pod.metadata.uid}/${container.name}`;
    this.#set(container, {
      terminated: { exitCode, reason, ...(message && { message }), startedAt, finishedAt, containerID },
    });
  }

  async #endSidecars(grace: number): Promise<void> {
    if (this.#sidecars.length === 0) return;
    if (this.#stop.signal.aborted) this.signal("SIGTERM");
    else {
      this.#stop.abort();
      this.signal("SIGTERM");
      this.#cancelKill = this.#parts.core.clock.after(grace * 1_000, () => this.#kill());
    }
    await Promise.all(this.#sidecars);
  }

  #set({ name }: Container, state: ContainerState, more: Partial<ContainerStatus> = {}): void {
    const status = this.#statuses.get(name);
    if (!status) return;
    this.#statuses.set(name, { ...inState(status, state), ...more });
    this.#publish();
  }

  readonly #statusesOf = (containers: readonly Container[] = []): ContainerStatus[] =>
    containers.flatMap(({ name }) => this.#statuses.get(name) ?? []);

  #publish(): void {
    const { store, clock } = this.#parts.core;
    const { namespace, name, uid } = this.#pod.metadata;
    const current = store.get(PODS, namespace, name)?.object as Pod | undefined;
    if (current?.metadata.uid !== uid || !current) return;
    const { initContainers, containers } = this.#pod.spec;
    const all = {
      init: this.#statusesOf(initContainers),
      main: this.#statusesOf(containers),
      initialized: this.#initialized,
    };
    const ended = [...this.#running.keys()].length === 0 ? this.#ending : undefined;
    store.update(PODS, { ...current, status: statusOf(current, all, ended, clock.now()) });
  }

  /** What a container's preparation may do: show why it waits, and stop. */
  readonly #view = (container: Container): Preparing => ({
    signal: this.#stop.signal,
    waits: (waiting) => this.#set(container, { waiting }),
    say: (reason, message, warning) => this.#say(reason, message, warning),
  });

  #say(reason: string, message: string, warning = false): void {
    const type = warning ? "Warning" : "Normal";
    this.#parts.core.events.record(this.#pod, { type, reason, message, component: "kubelet" });
  }
}
