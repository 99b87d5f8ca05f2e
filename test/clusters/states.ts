// Jobs, Pods and Events as Kubernetes itself writes them: the shapes and the words of the API server, scheduler, Job controller
// and kubelet of 1.37 (of 1.31 where they differ). Pure; knows nothing of what is concluded from them.

export type Raw = Readonly<Record<string, unknown>>;

export const JOB_UID = "2f1d6c3e-0000-4000-8000-00000000000a";
const BEGAN = "2026-11-23T00:00:00Z";
export const at = (seconds: number): string =>
  `${new Date(Date.parse(BEGAN) + seconds * 1_000).toISOString().slice(0, 19)}Z`;

export const condition = (type: string, status: string, reason = "", message = "", seconds = 60): Raw => ({
  type,
  status,
  ...(reason && { reason }),
  ...(message && { message }),
  lastTransitionTime: at(seconds),
});

export const job = (conditions: readonly Raw[] = [], more: { metadata?: Raw; spec?: Raw; status?: Raw } = {}): Raw => ({
  metadata: {
    name: "echo",
    namespace: "fiftyone",
    uid: JOB_UID,
    creationTimestamp: BEGAN,
    labels: { "opjob/operation": "6b0364133073fa365dde3037" },
    ...more.metadata,
  },
  spec: { backoffLimit: 0, suspend: false, ...more.spec },
  status: { conditions, ...more.status },
});

export const failedJob = (
  reason = "BackoffLimitExceeded",
  message = "Job has reached the specified backoff limit",
): Raw => job([condition("FailureTarget", "True", reason, message), condition("Failed", "True", reason, message)]);
export const completeJob = (): Raw => {
  const [reason, message] = ["CompletionsReached", "Reached expected number of succeeded pods"];
  return job([
    condition("SuccessCriteriaMet", "True", reason, message),
    condition("Complete", "True", reason, message),
  ]);
};
export const lateJob = (): Raw => failedJob("DeadlineExceeded", "Job was active longer than specified deadline");

export type PodParts = {
  readonly name?: string;
  readonly second?: number;
  readonly metadata?: Raw;
  readonly spec?: Raw;
  readonly status?: Raw;
  readonly conditions?: readonly Raw[];
  readonly init?: readonly Raw[];
  readonly containers?: readonly Raw[];
};

export const SCHEDULED = condition("PodScheduled", "True", "", "", 1);
export const unschedulable = (message: string): Raw => condition("PodScheduled", "False", "Unschedulable", message, 0);

export const pod = (phase: string, parts: PodParts = {}): Raw => {
  const { name = "echo-x7k2p", second = 0, metadata, spec, status, conditions = [SCHEDULED], init, containers } = parts;
  return {
    metadata: {
      name,
      namespace: "fiftyone",
      uid: `pod-${name}`,
      creationTimestamp: at(second),
      labels: {
        "opjob/operation": "6b0364133073fa365dde3037",
        "batch.kubernetes.io/job-name": "echo",
        "batch.kubernetes.io/controller-uid": JOB_UID,
      },
      finalizers: ["batch.kubernetes.io/job-tracking"],
      ...metadata,
    },
    spec: { restartPolicy: "Never", nodeName: "node-1", containers: [{ name: "worker" }], ...spec },
    status: {
      phase,
      conditions,
      ...(init && { initContainerStatuses: init }),
      ...(containers && { containerStatuses: containers }),
      ...status,
    },
  };
};

/** A Pod with a deletionTimestamp. */
export const going = { deletionTimestamp: at(90), deletionGracePeriodSeconds: 30 };
export const withSidecar = { initContainers: [{ name: "telemetry", restartPolicy: "Always" }] };

const status = (name: string, state: Raw, more: Raw = {}): Raw => ({
  name,
  image: "registry.example/worker:1",
  imageID: "",
  ready: false,
  restartCount: 0,
  state,
  lastState: {},
  ...more,
});

export const waiting = (reason: string, message = "", name = "worker"): Raw =>
  status(name, { waiting: { reason, ...(message && { message }) } });
export const running = (name = "worker"): Raw => status(name, { running: { startedAt: at(5) } }, { started: true });
export const terminated = (
  exitCode: number,
  reason = exitCode === 0 ? "Completed" : "Error",
  more: Raw = {},
  name = "worker",
): Raw =>
  status(name, {
    terminated: { exitCode, reason, startedAt: at(5), finishedAt: at(50), containerID: "containerd://c0ffee", ...more },
  });
/** A container that is started again, or waits to be, after an end. */
export const restarted = (exitCode: number, state: Raw, reason = "Error"): Raw => {
  const last = { terminated: { exitCode, reason, startedAt: at(5), finishedAt: at(50) } };
  return { ...status("worker", state), lastState: last, restartCount: 1 };
};
/** A container that the runtime could not start: it is said to have begun in 1970. */
export const notStarted = (message: string): Raw =>
  terminated(128, "StartError", { message, startedAt: "1970-01-01T00:00:00Z" });

export const event = (kind: "Job" | "Pod", reason: string, message: string, seconds = 1): Raw => ({
  metadata: { name: `echo.${seconds}`, creationTimestamp: at(seconds) },
  involvedObject: { kind, name: "echo", uid: kind === "Job" ? JOB_UID : "pod-echo-x7k2p" },
  type: /^(Failed|Error)/.test(reason) ? "Warning" : "Normal",
  reason,
  message,
  firstTimestamp: at(seconds),
  lastTimestamp: at(seconds),
  count: 1,
});
export const refused = (why: string): Raw => event("Job", "FailedCreate", `Error creating: ${why}`);
export const forbidden = (why: string): Raw => refused(`pods "echo-" is forbidden: ${why}`);
