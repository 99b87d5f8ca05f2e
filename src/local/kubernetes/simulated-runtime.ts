// Containers that run nothing: they stay until they are told to end, by a call or by annotations of their Pod.
import { type Clock, deferred } from "./clock.ts";
import type { Pod } from "./objects.ts";
import type { Ended, Launch, Running, Runtime } from "./runtime.ts";

export type PodName = { readonly namespace: string; readonly name: string };
type Run = { readonly end: (ended: Ended) => void; readonly launch: Launch };

const SIGNALS: Partial<Record<NodeJS.Signals, number>> = { SIGTERM: 143, SIGKILL: 137, SIGINT: 130 };

/**
 * Annotations: `local/run-for-ms` ends the container after that time, with `local/exit-code` (0) and `local/reason`;
 * `local/exit-code` alone ends it at once; `local/ignore-sigterm` lets only SIGKILL end it.
 */
export class SimulatedRuntime implements Runtime {
  readonly #clock: Clock;
  readonly #runs = new Map<string, Set<Run>>();
  readonly #told = new Map<string, Ended>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  start(launch: Launch): Promise<Running> {
    const { namespace = "", name, annotations = {} } = launch.pod.metadata;
    const key = `${namespace}/${name}`;
    const { promise: ended, resolve } = deferred<Ended>();
    const run: Run = {
      launch,
      end: (how) => {
        this.#runs.get(key)?.delete(run);
        launch.log.end(this.#clock.now());
        resolve(how);
      },
    };
    this.#runs.set(key, (this.#runs.get(key) ?? new Set<Run>()).add(run));
    const told = this.#told.get(key) ?? planOf(annotations);
    const after = Number(annotations["local/run-for-ms"] ?? 1);
    if (told) this.#clock.after(this.#told.has(key) ? 0 : after, () => run.end(told));
    const deaf = annotations["local/ignore-sigterm"] !== undefined;
    const signal = (name: NodeJS.Signals) => {
      if (name === "SIGKILL" || !deaf) run.end({ exitCode: SIGNALS[name] ?? 128 });
    };
    return Promise.resolve({ ended, signal });
  }

  /** Ends the containers of a Pod; one that has not begun yet ends as soon as it begins. */
  finish({ namespace, name }: PodName, exitCode: number, reason?: string): void {
    const key = `${namespace}/${name}`;
    const ended = { exitCode, ...(reason !== undefined && { reason }) };
    const runs = [...(this.#runs.get(key) ?? [])];
    if (runs.length === 0) this.#told.set(key, ended);
    for (const run of runs) run.end(ended);
  }

  /** Writes to the log of a Pod's containers. */
  print({ namespace, name }: PodName, text: string): void {
    for (const { launch } of this.#runs.get(`${namespace}/${name}`) ?? []) {
      launch.log.append(Buffer.from(text), this.#clock.now());
    }
  }

  drop({ metadata: { namespace = "", name } }: Pod): void {
    this.#runs.delete(`${namespace}/${name}`);
    this.#told.delete(`${namespace}/${name}`);
  }

  stop(): Promise<void> {
    for (const runs of [...this.#runs.values()]) for (const run of [...runs]) run.end({ exitCode: 137 });
    return Promise.resolve();
  }
}

function planOf(annotations: Readonly<Record<string, string>>): Ended | undefined {
  const { "local/run-for-ms": time, "local/exit-code": code, "local/reason": reason } = annotations;
  if (time === undefined && code === undefined) return undefined;
  return { exitCode: Number(code ?? 0), ...(reason !== undefined && { reason }) };
}
