// How KWOK plays a node: its configuration and the node itself. Pure: texts and objects out.
// A Pod's annotations steer it: plane/start-after and plane/run-for (Go durations), plane/exit-code, plane/reason (of the
// container's end, such as OOMKilled), plane/pod-reason (such as Evicted), plane/hang (runs for ever), plane/waiting (waits
// for ever with that reason, such as ImagePullBackOff).

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

const STARTED = `
{{ $now := Now }}
phase: Running
startTime: {{ $now | Quote }}
conditions:
{{ range $type := (list "Initialized" "Ready" "ContainersReady") }}
- { type: {{ $type }}, status: "True", lastTransitionTime: {{ $now | Quote }} }
{{ end }}
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  ready: true
  started: true
  restartCount: 0
  state: { running: { startedAt: {{ $now | Quote }} } }
{{ end }}
{{ with NodeIPsWith .spec.nodeName }}
hostIP: {{ index . 0 | Quote }}
hostIPs:
- ip: {{ index . 0 | Quote }}
{{ end }}
`;

const WAITING = `
phase: Pending
startTime: {{ Now | Quote }}
containerStatuses:
{{ $reason := index .metadata.annotations "plane/waiting" }}
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: ""
  ready: false
  started: false
  restartCount: 0
  state: { waiting: { reason: {{ $reason | Quote }}, message: {{ printf "the node says %s for %s" $reason .image | Quote }} } }
{{ end }}
`;

const ended = (phase: string, terminated: string, more = ""): string => `
{{ $now := Now }}
{{ $root := . }}
phase: ${phase}
${more}
containerStatuses:
{{ range $index, $container := .spec.containers }}
{{ $was := index $root.status.containerStatuses $index }}
- name: {{ $container.name | Quote }}
  image: {{ $container.image | Quote }}
  ready: false
  started: false
  restartCount: 0
  state: { terminated: { ${terminated}, startedAt: {{ $was.state.running.startedAt | Quote }}, finishedAt: {{ $now | Quote }} } }
{{ end }}
`;

const FAILED = ended(
  "Failed",
  'exitCode: {{ index $root.metadata.annotations "plane/exit-code" }}, reason: {{ or (index $root.metadata.annotations "plane/reason") "Error" }}',
  '{{ with index .metadata.annotations "plane/pod-reason" }}reason: {{ . | Quote }}{{ end }}',
);

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

/** With any stage of one's own KWOK uses none that is built in: those of the node are needed too. */
const STAGES: Record<string, Stage> = {
  "pod-start": {
    kind: "Pod",
    when: [stays, among(".status.phase", "Pending"), lacks(note("waiting")), not(READY, "True")],
    delay: after("start-after"),
    next: { statusTemplate: STARTED },
  },
  "pod-wait": {
    kind: "Pod",
    when: [stays, among(".status.phase", "Pending"), has(note("waiting")), lacks(".status.containerStatuses")],
    next: { statusTemplate: WAITING },
  },
  "pod-succeed": {
    kind: "Pod",
    when: [stays, among(".status.phase", "Running"), lacks(note("hang")), lacks(note("exit-code"))],
    delay: after("run-for"),
    next: { statusTemplate: ended("Succeeded", "exitCode: 0, reason: Completed") },
  },
  "pod-fail": {
    kind: "Pod",
    when: [stays, among(".status.phase", "Running"), lacks(note("hang")), has(note("exit-code"))],
    delay: after("run-for"),
    next: { statusTemplate: FAILED },
  },
  "pod-delete": { kind: "Pod", when: [has(".metadata.deletionTimestamp")], next: { delete: true } },
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
  const logs = { apiVersion, kind: "ClusterLogs", metadata: { name: "all" }, spec: { logs: [{ logsFile: logFile }] } };
  return [...stages, logs].map((document) => JSON.stringify(document)).join("\n---\n");
}
