// What a cluster shows of each operation's Job and Pods, until the Job is deleted: every state that is out of the ordinary, and
// the last one. Knows labels and how states differ; judges nothing. What was seen is kept in test/clusters/recorded/.
import { setTimeout as sleep } from "node:timers/promises";
import { LABELS } from "../../src/clusters/observation.ts";
import type { Client, Event, Thing } from "./client.ts";

type Fields = Readonly<Record<string, unknown>>;
export type State = { readonly job: Fields; readonly pods: readonly Fields[] };
export type Told = { readonly on: string; readonly type: string; readonly reason: string; readonly message: string };
/** In the order in which they were first seen. */
export type Recording = { readonly states: readonly State[]; readonly events: readonly Told[] };
type RawEvent = Told & { readonly involvedObject: { readonly kind: string; readonly name: string } };

export type Recorder = {
  /** What was seen of one operation's until now. */
  readonly of: (operation: string) => Recording;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

/** Watches a namespace from now on. */
export function recordStates(client: Client, namespace: string): Recorder {
  const stop = new AbortController();
  const jobs = new Map<string, Thing>();
  const pods = new Map<string, Thing>();
  const events: RawEvent[] = [];
  /** Jobs by operation, Pods by uid; states by operation, then by what tells one from another. */
  const states = new Map<string, Map<string, State>>();
  const last = new Map<string, State>();

  const podsOf = (operation: string): Thing[] =>
    [...pods.values()].filter(({ metadata }) => metadata.labels[LABELS.operation] === operation);
  const look = (operation: string): void => {
    const job = jobs.get(operation);
    if (job === undefined) return;
    const state: State = { job: trim(job), pods: podsOf(operation).map(trim) };
    const seen = states.get(operation) ?? new Map<string, State>();
    if (!isOrdinary(state)) seen.set(differenceOf(state), state);
    states.set(operation, seen);
    last.set(operation, state);
  };
  const keep = (known: Map<string, Thing>, key: string, { type, object }: Event): void => {
    if (type === "DELETED") known.delete(key);
    else known.set(key, object);
    const operation = object.metadata.labels[LABELS.operation];
    if (operation !== undefined) look(operation);
  };
  const follow = async (path: string, take: (event: Event) => void): Promise<void> => {
    while (!stop.signal.aborted) {
      for await (const event of client.watch(path, {}, stop.signal)) take(event);
      if (!stop.signal.aborted) await sleep(100);
    }
  };
  const done = Promise.all([
    follow(`/apis/batch/v1/namespaces/${namespace}/jobs`, (event) =>
      keep(jobs, event.object.metadata.labels[LABELS.operation] ?? "", event),
    ),
    follow(`/api/v1/namespaces/${namespace}/pods`, (event) => keep(pods, event.object.metadata.uid, event)),
    follow(`/api/v1/namespaces/${namespace}/events`, ({ object }) => events.push(object as unknown as RawEvent)),
  ]);
  return {
    of: (operation) => {
      const end = last.get(operation);
      if (end === undefined) throw new Error(`nothing was seen of ${operation}`);
      const seen = [...(states.get(operation)?.values() ?? [])].filter((state) => state !== end);
      return {
        states: [...seen, end],
        events: unique(events.filter((event) => warnsOf(operation, event)).map(tell)),
      };
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await done;
    },
  };
}

/** Jobs bear the operation's id in their name, and Pods their Job's. */
const warnsOf = (operation: string, { type, involvedObject }: RawEvent): boolean =>
  type === "Warning" && involvedObject.name.includes(operation);

const tell = ({ involvedObject, type, reason, message }: RawEvent): Told => ({
  on: involvedObject.kind,
  type,
  reason,
  message,
});

const unique = (events: readonly Told[]): Told[] => [
  ...new Map(events.map((event) => [JSON.stringify(event), event])).values(),
];

type Condition = { readonly type: string; readonly status: string; readonly reason?: string };
type ContainerStatus = {
  readonly name: string;
  readonly state?: {
    readonly waiting?: { readonly reason?: string };
    readonly terminated?: { readonly reason?: string; readonly exitCode: number };
  };
};
type Shown = {
  readonly metadata: { readonly deletionTimestamp?: string };
  readonly status: {
    readonly reason?: string;
    readonly conditions?: readonly Condition[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
};

/** They follow from what else is shown. */
const CONSEQUENCES = /^(PodReadyToStartContainers|Initialized|Ready|ContainersReady)$/;

/** One word for each thing that a judgement could turn on. */
function wordsOf(object: Fields): string[] {
  const { metadata, status } = object as Shown;
  const conditions = (status.conditions ?? [])
    .filter(({ type, status: is }) => is === (type === "PodScheduled" ? "False" : "True") && !CONSEQUENCES.test(type))
    .map(({ type, reason = "" }) => `${type}:${reason}`);
  const containers = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])].map(
    ({ name, state: { waiting, terminated } = {} }) =>
      `${name}:${terminated ? `${terminated.reason}:${terminated.exitCode}` : (waiting?.reason ?? "running")}`,
  );
  const deleting = metadata.deletionTimestamp === undefined ? [] : ["deleting"];
  return [...conditions, ...containers, ...deleting, ...(status.reason === undefined ? [] : [status.reason])];
}

const allOf = ({ job, pods }: State): Fields[] => [job, ...pods];
const differenceOf = (state: State): string => JSON.stringify(allOf(state).map(wordsOf));
const isOrdinary = (state: State): boolean =>
  allOf(state).every((object) =>
    wordsOf(object).every((word) => /:(running|ContainerCreating|PodInitializing)$/.test(word)),
  );

/** What says nothing about an object's fate. */
const NOISE = new Set([
  ...["containerID", "imageID", "allocatedResources", "resources", "user", "volumeMounts", "observedGeneration"],
  ...["hostIP", "hostIPs", "podIP", "podIPs", "qosClass", "lastProbeTime", "uncountedTerminatedPods"],
  ...["controller-uid", "job-name", "app.kubernetes.io/managed-by", "opjob/orchestrator", "opjob/operator"],
]);

function trim({ metadata, spec, status }: Thing): Fields {
  const { name, namespace, uid, labels, annotations, creationTimestamp, deletionTimestamp } = metadata;
  const kept = {
    metadata: { name, namespace, uid, labels, annotations, creationTimestamp, deletionTimestamp },
    spec: { suspend: spec["suspend"], nodeName: spec["nodeName"] },
    status,
  };
  return JSON.parse(JSON.stringify(kept), (key, value: unknown) => (NOISE.has(key) ? undefined : value)) as Fields;
}
