// What KWOK writes into the status of a Pod at each step of its life: Go templates that give YAML. Pure texts.
// The annotations that they read are listed in kwok.ts, as is which step comes when.

/** What every template begins with. A Pod may have no annotations at all. */
const HEAD = `{{ $now := Now }}
{{ $root := . }}
{{ $notes := or .metadata.annotations dict }}`;

/** Annotations hold words of others': they are quoted as JSON is. */
const words = (name: string): string => `{{ get $notes "plane/${name}" | Quote }}`;
const noted = (name: string): string => `(get $notes "plane/${name}")`;

const status = (container: string, state: string, more = ""): string => `
- name: {{ ${container}.name | Quote }}
  image: {{ ${container}.image | Quote }}
  imageID: ""
  state: { ${state} }
${more === "" ? "  ready: false\n  started: false\n  restartCount: 0" : more}
`;
const RUNS = "  ready: true\n  started: true\n  restartCount: 0";
const AGAIN = `  ready: true
  started: true
  restartCount: 1
  lastState: { terminated: { exitCode: {{ ${noted("restarted")} }}, reason: Error, startedAt: {{ $now | Quote }}, finishedAt: {{ $now | Quote }} } }`;
const runs = (container: string): string => status(container, "running: { startedAt: {{ $now | Quote }} }", RUNS);
const runsAgain = (container: string): string => status(container, "running: { startedAt: {{ $now | Quote }} }", AGAIN);
const waits = (container: string, reason: string, message: string): string =>
  status(container, `waiting: { reason: ${reason}, message: ${message} }`);
const ends = (container: string, terminated: string): string =>
  status(container, `terminated: { ${terminated}, startedAt: {{ $now | Quote }}, finishedAt: {{ $now | Quote }} }`);

/** Statuses of init containers: sidecars are as they are said to be, all others have done their work. */
const initStatuses = (sidecar: string, other = ends("$init", "exitCode: 0, reason: Completed")): string => `
{{ if .spec.initContainers }}
initContainerStatuses:
{{ range $init := .spec.initContainers }}
{{ if eq (or $init.restartPolicy "") "Always" }}${sidecar}{{ else }}${other}{{ end }}
{{ end }}
{{ end }}
`;
const SIDECARS = initStatuses(
  `{{ if ${noted("sidecar-waiting")} }}${waits("$init", words("sidecar-waiting"), '"the sidecar is broken"')}{{ else }}${runs("$init")}{{ end }}`,
);

export const STARTED = `
${HEAD}
phase: Running
startTime: {{ $now | Quote }}
conditions:
{{ range $type := (list "Initialized" "Ready" "ContainersReady") }}
- { type: {{ $type }}, status: "True", lastTransitionTime: {{ $now | Quote }} }
{{ end }}
${SIDECARS}
containerStatuses:
{{ range $container := .spec.containers }}
{{ if ${noted("restarted")} }}${runsAgain("$container")}{{ else }}${runs("$container")}{{ end }}
{{ end }}
{{ with NodeIPsWith .spec.nodeName }}
hostIP: {{ index . 0 | Quote }}
hostIPs:
- ip: {{ index . 0 | Quote }}
{{ end }}
`;

export const WAITING = `
${HEAD}
phase: Pending
startTime: {{ Now | Quote }}
containerStatuses:
{{ $reason := get $notes "plane/waiting" }}
{{ range $container := .spec.containers }}
{{ $said := or ${noted("waiting-message")} (printf "the node says %s for %s" $reason $container.image) }}
${waits("$container", "{{ $reason | Quote }}", "{{ $said | Quote }}")}
{{ end }}
`;

export const REJECTED = `
${HEAD}
phase: Failed
reason: ${words("rejected")}
message: "Pod was rejected"
`;

export const INIT_FAILED = `
${HEAD}
phase: Failed
startTime: {{ $now | Quote }}
${initStatuses(runs("$init"), ends("$init", `exitCode: {{ ${noted("init-exit-code")} }}, reason: Error`))}
containerStatuses:
{{ range $container := .spec.containers }}
${waits("$container", "PodInitializing", '""')}
{{ end }}
`;

/** A sidecar is killed at the end of its Pod, with an exit code that means nothing. */
const SIDECARS_END = initStatuses(ends("$init", "exitCode: 137, reason: Error"));

const ended = (phase: string, terminated: string, more = ""): string => `
${HEAD}
phase: ${phase}
${more}
${phase === "Running" ? "" : SIDECARS_END}
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

const HOW = `exitCode: {{ ${noted("exit-code")} }}, reason: {{ or ${noted("reason")} "Error" }}`;
export const FAILED = ended(
  "Failed",
  HOW,
  `{{ if ${noted("pod-reason")} }}reason: ${words("pod-reason")}{{ end }}
{{ if ${noted("pod-message")} }}message: ${words("pod-message")}{{ end }}`,
);

const UNREADY = `
conditions:
{{ range .status.conditions }}
- { type: {{ .type }}, status: {{ if eq .type "Ready" }}"False"{{ else }}{{ .status | Quote }}{{ end }}, lastTransitionTime: {{ $now | Quote }} }
{{ end }}`;

export const SUCCEEDED = ended("Succeeded", "exitCode: 0, reason: Completed");
/** The worker has failed, and its sidecars outlive it. */
export const WORKER_FAILED = ended("Running", HOW, UNREADY);
