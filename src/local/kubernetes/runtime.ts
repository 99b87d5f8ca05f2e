// The seam between the kubelet and what runs containers: local processes, or a simulation of them.

import type { LogBuffer } from "./logs.ts";
import type { Container, Pod } from "./objects.ts";

/** How a container ended; signals are 128 + their number. */
export type Ended = { readonly exitCode: number; readonly reason?: string; readonly message?: string };

export type Running = {
  /** Resolves once the container and all that it started are gone. */
  readonly ended: Promise<Ended>;
  signal(signal: NodeJS.Signals): void;
};

export type Launch = {
  readonly pod: Pod;
  readonly container: Container;
  readonly env: Readonly<Record<string, string>>;
  readonly log: LogBuffer;
};

/** The container could not be started: it ends with StartError, exit code 128. */
export class StartFailure extends Error {}

export type Runtime = {
  /** @throws StartFailure */
  start(launch: Launch): Promise<Running>;
  /** Forgets a Pod that is gone. */
  drop(pod: Pod): void;
  /** Kills everything. */
  stop(): Promise<void>;
};
