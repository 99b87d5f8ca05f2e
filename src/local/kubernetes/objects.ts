// The shapes of the objects that this local Kubernetes keeps, as they are on the wire. Objects are immutable: a change makes
// a new one, so that one JSON text serves all watchers. Knows nothing of HTTP, processes or rules.
import { randomInt, randomUUID } from "node:crypto";

export type OwnerReference = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
};

export type Metadata = {
  readonly name: string;
  readonly generateName?: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly finalizers?: readonly string[];
};

export type KubeObject = {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: Metadata;
  readonly [field: string]: unknown;
};

export type Condition = {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly reason?: string;
  readonly message?: string;
  readonly lastProbeTime?: string | null;
  readonly lastTransitionTime?: string;
};

type Reference = { readonly name?: string; readonly key?: string; readonly optional?: boolean };
export type EnvVar = {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly secretKeyRef?: Reference;
    readonly configMapKeyRef?: Reference;
    readonly fieldRef?: { readonly fieldPath: string };
    readonly resourceFieldRef?: { readonly resource: string };
  };
};
export type EnvFrom = { readonly prefix?: string; readonly secretRef?: Reference; readonly configMapRef?: Reference };
type Quantities = Readonly<Record<string, string | number>>;

export type Container = {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly EnvVar[];
  readonly envFrom?: readonly EnvFrom[];
  readonly workingDir?: string;
  readonly resources?: { readonly requests?: Quantities; readonly limits?: Quantities };
  readonly restartPolicy?: string;
  readonly [field: string]: unknown;
};

export type Toleration = {
  readonly key?: string;
  readonly operator?: string;
  readonly value?: string;
  readonly effect?: string;
};
export type PodSpec = {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly restartPolicy?: string;
  readonly nodeName?: string;
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly tolerations?: readonly Toleration[];
  readonly terminationGracePeriodSeconds?: number;
  readonly activeDeadlineSeconds?: number;
  readonly serviceAccountName?: string;
  readonly [field: string]: unknown;
};
export type PodTemplate = { readonly metadata?: Partial<Metadata>; readonly spec: PodSpec };

export type Terminated = {
  readonly exitCode: number;
  readonly reason: string;
  readonly message?: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly containerID?: string;
};
export type ContainerState = {
  readonly waiting?: { readonly reason: string; readonly message?: string };
  readonly running?: { readonly startedAt: string };
  readonly terminated?: Terminated;
};
export type ContainerStatus = {
  readonly name: string;
  readonly image: string;
  readonly imageID: string;
  readonly containerID?: string;
  readonly ready: boolean;
  readonly started: boolean;
  readonly restartCount: number;
  readonly state: ContainerState;
  readonly lastState: ContainerState;
};
export type PodStatus = {
  readonly phase: "Pending" | "Running" | "Succeeded" | "Failed";
  readonly reason?: string;
  readonly message?: string;
  readonly conditions?: readonly Condition[];
  readonly startTime?: string;
  readonly containerStatuses?: readonly ContainerStatus[];
  readonly initContainerStatuses?: readonly ContainerStatus[];
  readonly [field: string]: unknown;
};
export type Pod = KubeObject & { readonly spec: PodSpec; readonly status: PodStatus };

export type JobSpec = {
  readonly template: PodTemplate;
  readonly parallelism?: number;
  readonly completions?: number;
  readonly backoffLimit?: number;
  readonly activeDeadlineSeconds?: number;
  readonly ttlSecondsAfterFinished?: number;
  readonly suspend?: boolean;
  readonly manualSelector?: boolean;
  readonly podReplacementPolicy?: string;
  readonly completionMode?: string;
  readonly [field: string]: unknown;
};
export type JobStatus = {
  readonly conditions?: readonly Condition[];
  readonly startTime?: string;
  readonly completionTime?: string;
  readonly active?: number;
  readonly ready?: number;
  readonly terminating?: number;
  readonly succeeded?: number;
  readonly failed?: number;
  readonly uncountedTerminatedPods?: Record<string, never>;
};
export type Job = KubeObject & { readonly spec: JobSpec; readonly status: JobStatus };

/** A time as Kubernetes writes it: UTC, whole seconds. @param ms since 1970 */
export const timestamp = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

const SUFFIX = "bcdfghjklmnpqrstvwxz2456789";
const NAME_ROOM = 58;
/** A name as the API server makes it of a generateName: five letters that spell no word, 63 characters at most. */
export function generatedName(prefix: string): string {
  return prefix.slice(0, NAME_ROOM) + Array.from({ length: 5 }, () => SUFFIX[randomInt(SUFFIX.length)]).join("");
}

/** What the server puts into the metadata of each new object. */
export const birth = (now: number) => ({ uid: randomUUID(), creationTimestamp: timestamp(now) });

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const isFinished = (pod: Pod): boolean => pod.status.phase === "Succeeded" || pod.status.phase === "Failed";

/** The conditions with one of them set; its transition time moves only when its status changes. */
export function withCondition(conditions: readonly Condition[] | undefined, next: Condition, now: number): Condition[] {
  const old = conditions?.find(({ type }) => type === next.type);
  const moved = old?.status === next.status && old.lastTransitionTime ? old.lastTransitionTime : timestamp(now);
  const set = { ...next, lastTransitionTime: moved };
  return old
    ? (conditions ?? []).map((condition) => (condition === old ? set : condition))
    : [...(conditions ?? []), set];
}

export const hasCondition = (status: { readonly conditions?: readonly Condition[] }, type: string): boolean =>
  status.conditions?.some((condition) => condition.type === type && condition.status === "True") ?? false;
