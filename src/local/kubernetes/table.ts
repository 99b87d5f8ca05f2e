// The Table form of objects, with the columns that the API server gives kubectl. Pure, but for being told the time.
import type { Call } from "./call.ts";
import {
  type ContainerStatus,
  hasCondition,
  isFinished,
  isRecord,
  type Job,
  type KubeObject,
  type Pod,
} from "./objects.ts";
import type { Kept } from "./store.ts";

type Column = { readonly name: string; readonly type: string; readonly priority?: number };
type Printer = { readonly columns: readonly Column[]; readonly cells: (object: KubeObject, now: number) => unknown[] };

export const wantsTable = ({ accept }: Pick<Call, "accept">): boolean => /;as=Table;v=v1;g=meta\.k8s\.io/.test(accept);

/** A Table with a row for each object. @param version of the list, or of the object */
export function tableOf(call: Call, kept: readonly Kept[], now: number, version: number) {
  const { columns, cells } = PRINTERS[call.resource.kind] ?? PLAIN;
  const whole = call.query.get("includeObject") === "Object";
  return {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    metadata: { resourceVersion: String(version) },
    columnDefinitions: columns.map(({ name, type, priority = 0 }) => ({
      name,
      type,
      format: name === "Name" ? "name" : "",
      description: "",
      priority,
    })),
    rows: kept.map(({ object }) => ({ cells: cells(object, now), object: whole ? object : partial(object) })),
  };
}

const partial = ({ metadata }: KubeObject) => ({
  kind: "PartialObjectMetadata",
  apiVersion: "meta.k8s.io/v1",
  metadata,
});

const columns = (...names: readonly string[]): Column[] =>
  names.map((name) =>
    name.startsWith("+") ? { name: name.slice(1), type: "string", priority: 1 } : { name, type: "string" },
  );

const age = ({ metadata }: KubeObject, now: number) => since(metadata.creationTimestamp, now);

function since(time: unknown, now: number): string {
  return typeof time === "string" ? duration((now - Date.parse(time)) / 1_000) : "<unknown>";
}

/** As kubectl writes durations: two units while the larger is small. @param seconds */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  const m = Math.floor(s / 60);
  const h = Math.floor(m / 60);
  const d = Math.floor(h / 24);
  if (s < 120) return `${s}s`;
  if (m < 10) return s % 60 === 0 ? `${m}m` : `${m}m${s % 60}s`;
  if (m < 180) return `${m}m`;
  if (h < 8) return m % 60 === 0 ? `${h}h` : `${h}h${m % 60}m`;
  if (h < 48) return `${h}h`;
  if (d < 8) return h % 24 === 0 ? `${d}d` : `${d}d${h % 24}h`;
  return `${d}d`;
}

const containers = (list: readonly { readonly name: string; readonly image: string }[]) => [
  list.map(({ name }) => name).join(","),
  list.map(({ image }) => image).join(","),
];

function jobCells(object: KubeObject, now: number): unknown[] {
  const job = object as Job;
  const { startTime, completionTime, succeeded = 0 } = job.status;
  const end = completionTime ? Date.parse(completionTime) : now;
  const ran = startTime ? duration((end - Date.parse(startTime)) / 1_000) : "";
  const selector = isRecord(job.spec["selector"]) ? job.spec["selector"]["matchLabels"] : {};
  const wide = Object.entries(isRecord(selector) ? selector : {}).map(([key, value]) => `${key}=${String(value)}`);
  const completions = `${succeeded}/${job.spec.completions ?? 1}`;
  const [names, images] = containers(job.spec.template.spec.containers);
  return [job.metadata.name, jobStatus(job), completions, ran, age(job, now), names, images, wide.join(",")];
}

function jobStatus(job: Job): string {
  if (hasCondition(job.status, "Complete")) return "Complete";
  if (hasCondition(job.status, "Failed")) return "Failed";
  if (job.metadata.deletionTimestamp) return "Terminating";
  return (
    ["Suspended", "FailureTarget", "SuccessCriteriaMet"].find((type) => hasCondition(job.status, type)) ?? "Running"
  );
}

function podCells(object: KubeObject, now: number): unknown[] {
  const pod = object as Pod;
  const { containerStatuses = [], initContainerStatuses = [] } = pod.status;
  const all = [...containerStatuses, ...initContainerStatuses];
  const sidecars = (pod.spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  const ready = all.filter((status) => status.ready && status.state.running).length;
  const restarts = all.reduce((sum, { restartCount }) => sum + restartCount, 0);
  const last = all
    .map(({ lastState }) => lastState.terminated?.finishedAt ?? "")
    .sort()
    .at(-1);
  return [
    pod.metadata.name,
    `${ready}/${pod.spec.containers.length + sidecars.length}`,
    podStatus(pod),
    restarts > 0 && last ? `${restarts} (${since(last, now)} ago)` : String(restarts),
    age(pod, now),
    pod.status["podIP"] ?? "<none>",
    pod.spec.nodeName ?? "<none>",
    "<none>",
    "<none>",
  ];
}

function podStatus(pod: Pod): string {
  const { phase, reason, containerStatuses = [] } = pod.status;
  if (pod.metadata.deletionTimestamp && !isFinished(pod)) return "Terminating";
  if (reason) return reason;
  const initial = phase === "Pending" ? initStatus(pod) : undefined;
  if (initial) return initial;
  const reasons = containerStatuses.flatMap((status) => stateReason(status) ?? []);
  const failed = reasons.find((one) => one !== "Completed");
  const runs = containerStatuses.some(({ state }) => state.running);
  return failed ?? (runs ? phase : (reasons[0] ?? phase));
}

function initStatus({ status: { initContainerStatuses: all = [] } }: Pod): string | undefined {
  const at = all.findIndex(({ state }) => !state.running && state.terminated?.exitCode !== 0);
  const waits = all[at];
  return waits && `Init:${stateReason(waits) ?? `${at}/${all.length}`}`;
}

function stateReason({ state }: ContainerStatus): string | undefined {
  const reason = state.waiting?.reason ?? state.terminated?.reason;
  return reason === "PodInitializing" ? undefined : reason;
}

function eventCells(event: KubeObject, now: number): unknown[] {
  const about = isRecord(event["involvedObject"]) ? event["involvedObject"] : {};
  const object = `${String(about["kind"]).toLowerCase()}/${String(about["name"])}`;
  return [
    since(event["lastTimestamp"], now),
    event["type"],
    event["reason"],
    object,
    event["message"],
    event.metadata.name,
  ];
}

const size = (value: unknown) => Object.keys(isRecord(value) ? value : {}).length;

const PLAIN: Printer = {
  columns: columns("Name", "Age"),
  cells: (object, now) => [object.metadata.name, age(object, now)],
};

const PRINTERS: Readonly<Record<string, Printer>> = {
  Job: {
    columns: columns("Name", "Status", "Completions", "Duration", "Age", "+Containers", "+Images", "+Selector"),
    cells: jobCells,
  },
  Pod: {
    columns: columns(
      "Name",
      "Ready",
      "Status",
      "Restarts",
      "Age",
      "+IP",
      "+Node",
      "+Nominated Node",
      "+Readiness Gates",
    ),
    cells: podCells,
  },
  Event: { columns: columns("Last Seen", "Type", "Reason", "Object", "Message", "+Name"), cells: eventCells },
  Namespace: {
    columns: columns("Name", "Status", "Age"),
    cells: (object, now) => [
      object.metadata.name,
      isRecord(object["status"]) ? object["status"]["phase"] : "",
      age(object, now),
    ],
  },
  Secret: {
    columns: columns("Name", "Type", "Data", "Age"),
    cells: (object, now) => [object.metadata.name, object["type"], size(object["data"]), age(object, now)],
  },
  ConfigMap: {
    columns: columns("Name", "Data", "Age"),
    cells: (object, now) => [object.metadata.name, size(object["data"]), age(object, now)],
  },
  Node: {
    columns: columns("Name", "Status", "Roles", "Age", "Version"),
    cells: (object, now) => [object.metadata.name, "Ready", "<none>", age(object, now), "v1.33.0"],
  },
};
