// Jobs and Pods as a cluster shows them, small enough to read in a test.
// Knows shapes only: nothing of what is concluded from them.
import type { EventView } from "../../src/clusters/events.ts";
import type { Condition, ContainerView, JobView, PodView } from "../../src/clusters/observation.ts";

export const OPERATION = "6b0364133073fa365dde3037";
export const DATABASE = "f1ngerpr1nt";
/** When everything here begins. */
export const T0 = Date.parse("2026-11-23T00:00:00Z");
export const iso = (ms: number): string => new Date(ms).toISOString();

export const condition = (type: string, fields: Partial<Condition> = {}): Condition => ({
  type,
  status: "True",
  reason: "",
  message: "",
  at: iso(T0 + 60_000),
  ...fields,
});

export const jobView = (fields: Partial<JobView> = {}): JobView => ({
  name: `echo-${OPERATION}`,
  namespace: "fiftyone",
  uid: "job-1",
  operation: OPERATION,
  attempt: 1,
  database: DATABASE,
  orchestrator: "kubernetes-gpu",
  queueing: iso(T0),
  createdAt: iso(T0),
  deleting: false,
  suspended: false,
  tidied: false,
  queue: undefined,
  conditions: [],
  ...fields,
});

export const containerView = (fields: Partial<ContainerView> = {}): ContainerView => ({
  name: "task-worker",
  image: "registry/image:tag",
  sidecar: false,
  running: false,
  restarted: false,
  waiting: undefined,
  startedAt: undefined,
  terminated: undefined,
  ...fields,
});

export const podView = (fields: Partial<PodView> = {}): PodView => ({
  name: "echo-x",
  namespace: "fiftyone",
  uid: "pod-1",
  job: `echo-${OPERATION}`,
  jobUid: "job-1",
  operation: OPERATION,
  database: DATABASE,
  createdAt: iso(T0),
  deleting: false,
  gone: false,
  restarts: false,
  phase: "Pending",
  reason: "",
  message: "",
  conditions: [],
  initContainers: [],
  containers: [containerView()],
  ...fields,
});

/** A container that waits for a reason. */
export const waiting = (reason: string, message = ""): ContainerView => containerView({ waiting: { reason, message } });

/** A container that runs since a moment after T0. */
export const running = (): ContainerView => containerView({ running: true, startedAt: iso(T0 + 5_000) });

/** A container that ran and ended. */
export const ended = (
  exitCode: number,
  fields: Partial<NonNullable<ContainerView["terminated"]>> = {},
): ContainerView =>
  containerView({
    startedAt: iso(T0 + 5_000),
    terminated: {
      exitCode,
      signal: undefined,
      reason: exitCode === 0 ? "Completed" : "Error",
      message: "",
      finishedAt: iso(T0 + 50_000),
      ...fields,
    },
  });

/** What a Job's or a Pod's Event tells. */
export const event = (kind: "Job" | "Pod", reason: string, message: string): EventView => ({
  kind,
  uid: kind === "Job" ? "job-1" : "pod-1",
  reason,
  message,
});
