// Objects of the Kubernetes API as the simulation keeps them: never changed, only replaced. Pure.
import { NotSimulated } from "../not-simulated.ts";

export type Meta = {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly creationTimestamp: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly deletionTimestamp?: string;
  readonly ownerReferences?: readonly { readonly uid: string }[];
};

export type Part = Readonly<Record<string, unknown>>;
export type KubeObject = { readonly metadata: Meta; readonly spec?: Part; readonly status?: Part } & Part;
export type Condition = { readonly type: string; readonly status: string; readonly reason?: string };

export const RESOURCES = ["jobs", "pods", "leases"] as const;
export type Resource = (typeof RESOURCES)[number];

export const KINDS: Readonly<Record<Resource, { readonly kind: string; readonly apiVersion: string }>> = {
  jobs: { kind: "Job", apiVersion: "batch/v1" },
  pods: { kind: "Pod", apiVersion: "v1" },
  leases: { kind: "Lease", apiVersion: "coordination.k8s.io/v1" },
};

export const keyOf = ({ namespace, name }: Pick<Meta, "namespace" | "name">): string => `${namespace}/${name}`;

/** Kubernetes knows whole seconds only. */
export const timestamp = (ms: number): string =>
  new Date(Math.floor(ms / 1_000) * 1_000).toISOString().replace(".000Z", "Z");

const conditionsOf = ({ status }: KubeObject): readonly Condition[] => (status?.["conditions"] ?? []) as Condition[];

export const holds = (object: KubeObject, ...types: readonly string[]): boolean =>
  conditionsOf(object).some(({ type, status }) => types.includes(type) && status === "True");

/** A Job that has ended never lives again. */
export const hasEnded = (job: KubeObject): boolean => holds(job, "Complete", "Failed");

/** A text, or none. */
export const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

export const phaseOf = (pod: KubeObject): string => textOf(pod.status?.["phase"]);
export const isOver = (pod: KubeObject): boolean => phaseOf(pod) === "Succeeded" || phaseOf(pod) === "Failed";
export const isOwnedBy = (pod: KubeObject, job: KubeObject): boolean =>
  pod.metadata.ownerReferences?.[0]?.uid === job.metadata.uid;

/** `metadata.name=x` is all that anybody here asks for; none: every object. */
export function isNamed(selector: string, { name }: Meta): boolean {
  const [, wanted] = /^metadata\.name=(.+)$/.exec(selector) ?? [];
  if (selector !== "" && wanted === undefined) throw new NotSimulated(`the field selector ${selector}`);
  return wanted === undefined || wanted === name;
}

/** `a=b`, `a in (b,c)` and `a`, joined by commas, are all that anybody here asks for. */
export function selects(selector: string, labels: Readonly<Record<string, string>> = {}): boolean {
  return selector
    .split(/,(?![^(]*\))/)
    .filter((term) => term !== "")
    .every((term) => {
      const set = /^(\S+) in \(([^)]*)\)$/.exec(term);
      if (set) return (set[2] ?? "").split(",").includes(labels[set[1] ?? ""] ?? "");
      const [key = "", value] = term.split(/==?/);
      return value === undefined ? labels[key] !== undefined : labels[key] === value;
    });
}
