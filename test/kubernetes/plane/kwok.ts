// How KWOK plays a node: its configuration and the node itself. Pure: texts and objects out.
// A Pod's annotations steer it, also those that it gets later: plane/start-after and plane/run-for (Go durations),
// plane/exit-code, plane/reason (of the container's end, such as OOMKilled), plane/pod-reason (such as Evicted) and
// plane/pod-message, plane/hang (runs for ever), plane/waiting and plane/waiting-message (waits for ever with that reason, such as
// ImagePullBackOff), plane/rejected (the node refuses it, such as OutOfcpu), plane/init-exit-code (of its init containers),
// plane/restarted (runs, for the second time, after an end with that exit code), plane/linger (how long it takes to go when it is
// deleted). Native sidecars run as long as the Pod; with plane/sidecar-waiting they wait with that reason beside the worker, and
// with plane/sidecar-stays they outlive it for ever.

import { FAILED, INIT_FAILED, REJECTED, STARTED, SUCCEEDED, WAITING, WORKER_FAILED } from "./kwok-status.ts";

/** What every container of a KWOK Pod has in its log. */
export const LOG_LINES = ["line 1", "line 2", "line 3", "line 4", "line 5"] as const;

/** In the format in which container runtimes write logs. */
export const LOG_FILE = LOG_LINES.map((line, i) => `2026-01-01T00:00:0${i}.000000000Z stdout F ${line}\n`).join("");

export const NODE = {
  apiVersion: "v1",
  kind: "Node",
  metadata: { name: "kwok-0", labels: { "kubernetes.io/os": "linux", "kubernetes.io/hostname": "kwok-0" } },
  status: {
    allocatable: { cpu: "1000", memory: "1Ti", pods: "100k" },
    capacity: { cpu: "1000", memory: "1Ti", pods: "100k" },
  },
};

type Expression = { readonly key: string; readonly operator: string; readonly values?: readonly string[] };
type Stage = {
  readonly kind: "Pod" | "Node";
  readonly when: readonly Expression[];
  readonly delay?: object;
  readonly next: object;
};

const note = (name: string): string => `.metadata.annotations["plane/${name}"]`;
const has = (key: string): Expression => ({ key, operator: "Exists" });
const lacks = (key: string): Expression => ({ key, operator: "DoesNotExist" });
const among = (key: string, ...values: string[]): Expression => ({ key, operator: "In", values });
const not = (key: string, ...values: string[]): Expression => ({ key, operator: "NotIn", values });
const after = (name: string): object => ({
  durationMilliseconds: 0,
  durationFrom: { expressionFrom: note(name) },
});

const READY = '.status.conditions.[] | select( .type == "Ready" ) | .status';
const stays = lacks(".metadata.deletionTimestamp");

const NODE_READY = `
{{ $now := Now }}
phase: Running
conditions:
{{ range NodeConditions }}
- type: {{ .type | Quote }}
  status: {{ .status | Quote }}
  reason: {{ .reason | Quote }}
  message: {{ .message | Quote }}
  lastHeartbeatTime: {{ $now | Quote }}
  lastTransitionTime: {{ $now | Quote }}
{{ end }}
addresses:
- { type: InternalIP, address: {{ NodeIP | Quote }} }
- { type: Hostname, address: {{ NodeName | Quote }} }
daemonEndpoints: { kubeletEndpoint: { Port: {{ NodePort }} } }
nodeInfo: { architecture: amd64, operatingSystem: linux, kubeletVersion: kwok, kubeProxyVersion: "", bootID: "", machineID: "", systemUUID: "", kernelVersion: "", osImage: "", containerRuntimeVersion: "" }
`;

const PENDING = [stays, among(".status.phase", "Pending")];
const WORKING = [stays, among(".status.phase", "Running"), lacks(note("hang"))];

/** With any stage of one's own KWOK uses none that is built in: those of the node are needed too. */
const STAGES: Record<string, Stage> = {
  "pod-start": {
    kind: "Pod",
    when: [
      ...PENDING,
      lacks(note("waiting")),
      lacks(note("rejected")),
      lacks(note("init-exit-code")),
      not(READY, "True"),
    ],
    delay: after("start-after"),
    next: { statusTemplate: STARTED },
  },
  "pod-wait": {
    kind: "Pod",
    when: [...PENDING, has(note("waiting")), lacks(".status.containerStatuses")],
    next: { statusTemplate: WAITING },
  },
  "pod-reject": { kind: "Pod", when: [...PENDING, has(note("rejected"))], next: { statusTemplate: REJECTED } },
  "pod-init-fail": {
    kind: "Pod",
    when: [...PENDING, has(note("init-exit-code"))],
    next: { statusTemplate: INIT_FAILED },
  },
  "pod-succeed": {
    kind: "Pod",
    when: [...WORKING, lacks(note("exit-code"))],
    delay: after("run-for"),
    next: { statusTemplate: SUCCEEDED },
  },
  "pod-fail": {
    kind: "Pod",
    when: [...WORKING, has(note("exit-code")), lacks(note("sidecar-stays"))],
    delay: after("run-for"),
    next: { statusTemplate: FAILED },
  },
  "pod-worker-fail": {
    kind: "Pod",
    when: [...WORKING, has(note("exit-code")), has(note("sidecar-stays")), not(READY, "False")],
    delay: after("run-for"),
    next: { statusTemplate: WORKER_FAILED },
  },
  "pod-delete": {
    kind: "Pod",
    when: [has(".metadata.deletionTimestamp")],
    delay: after("linger"),
    next: { delete: true },
  },
  "node-ready": { kind: "Node", when: [not(READY, "True")], next: { statusTemplate: NODE_READY } },
  "node-heartbeat": {
    kind: "Node",
    when: [among(READY, "True")],
    delay: { durationMilliseconds: 600_000 },
    next: { statusTemplate: NODE_READY },
  },
};

/** The configuration file. @param logFile path of a file with LOG_FILE */
export function kwokConfiguration(logFile: string): string {
  const apiVersion = "kwok.x-k8s.io/v1alpha1";
  const stages = Object.entries(STAGES).map(([name, { kind, when, delay, next }]) => ({
    apiVersion,
    kind: "Stage",
    metadata: { name },
    spec: {
      resourceRef: { apiGroup: "v1", kind },
      selector: { matchExpressions: when },
      ...(delay === undefined ? {} : { delay }),
      next,
    },
  }));
  const logs = {
    apiVersion,
    kind: "ClusterLogs",
    metadata: { name: "all" },
    spec: { logs: [{ logsFile: logFile, previousLogsFile: logFile }] },
  };
  return [...stages, logs].map((document) => JSON.stringify(document)).join("\n---\n");
}
