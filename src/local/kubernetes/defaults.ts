// What the API server fills in before it stores a new object. Pure: takes an object, gives another.
import {
  type Container,
  isRecord,
  type Job,
  type JobSpec,
  type KubeObject,
  type Pod,
  type PodSpec,
  type PodTemplate,
} from "./objects.ts";
import { JOBS, NAMESPACES, PODS, type Resource, SECRETS } from "./resources.ts";

/** The object with its defaults; a new Job or Pod begins with an empty status, whatever the client sent. */
export function withDefaults(object: KubeObject, resource: Resource): KubeObject {
  if (resource === JOBS) return newJob(object as Job);
  if (resource === PODS) {
    const spec = podSpec((object as Pod).spec ?? {});
    return { ...object, spec, status: { phase: "Pending", qosClass: qosClass(spec) } };
  }
  if (resource === NAMESPACES) {
    const labels = { ...object.metadata.labels, "kubernetes.io/metadata.name": object.metadata.name };
    const metadata = { ...object.metadata, labels };
    return { ...object, metadata, spec: { finalizers: ["kubernetes"] }, status: { phase: "Active" } };
  }
  return resource === SECRETS ? secret(object) : object;
}

/** A Job without labels takes those of its Pods. */
function newJob(job: Job): Job {
  const spec = jobSpec(job);
  const labels = job.metadata.labels ?? spec.template.metadata?.labels;
  return { ...job, metadata: { ...job.metadata, ...(labels && { labels }) }, spec, status: {} };
}

function jobSpec(job: Job): JobSpec {
  const spec: Partial<JobSpec> = job.spec ?? {};
  const one = spec.completions === undefined && spec.parallelism === undefined;
  return {
    backoffLimit: 6,
    completionMode: "NonIndexed",
    ...(one && { completions: 1 }),
    parallelism: 1,
    podReplacementPolicy: "TerminatingOrFailed",
    suspend: false,
    manualSelector: false,
    ...spec,
    ...(spec.manualSelector !== true && { selector: { matchLabels: { [CONTROLLER_UID]: job.metadata.uid } } }),
    template: template(job, spec),
  };
}

const CONTROLLER_UID = "batch.kubernetes.io/controller-uid";

/** The template's own labels win: validation refuses those that differ from the generated ones. */
function template(
  { metadata: { name, uid = "" } }: Job,
  { template: given, manualSelector }: Partial<JobSpec>,
): PodTemplate {
  const metadata = given?.metadata;
  const generated = {
    [CONTROLLER_UID]: uid,
    "batch.kubernetes.io/job-name": name,
    "controller-uid": uid,
    "job-name": name,
  };
  const labels = manualSelector === true ? metadata?.labels : { ...generated, ...metadata?.labels };
  return { metadata: { ...metadata, ...(labels && { labels }) }, spec: podSpec(given?.spec ?? {}) };
}

function podSpec(spec: Partial<PodSpec>): PodSpec {
  const account = spec.serviceAccountName ?? (spec["serviceAccount"] as string | undefined);
  return {
    restartPolicy: "Always",
    terminationGracePeriodSeconds: 30,
    dnsPolicy: "ClusterFirst",
    schedulerName: "default-scheduler",
    securityContext: {},
    ...spec,
    ...(account !== undefined && { serviceAccountName: account, serviceAccount: account }),
    containers: list(spec.containers).map(container),
    ...(spec.initContainers && { initContainers: list(spec.initContainers).map(container) }),
  };
}

const list = (containers: readonly Container[] | undefined): readonly Container[] => containers ?? [];

function container(given: Container): Container {
  const { requests, limits } = given.resources ?? {};
  const resources = limits ? { limits, requests: { ...limits, ...requests } } : (given.resources ?? {});
  const latest = /:latest$/.test(given.image ?? "") || !/[:@][^/]*$/.test(given.image ?? "");
  return {
    imagePullPolicy: latest ? "Always" : "IfNotPresent",
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "File",
    ...given,
    resources,
  };
}

function qosClass(spec: PodSpec): string {
  const all = spec.containers.map(({ resources }) => resources ?? {});
  if (all.every(({ requests, limits }) => !requests && !limits)) return "BestEffort";
  const guaranteed = all.every(({ requests = {}, limits = {} }) =>
    ["cpu", "memory"].every((name) => limits[name] !== undefined && limits[name] === requests[name]),
  );
  return guaranteed ? "Guaranteed" : "Burstable";
}

function secret(object: KubeObject): KubeObject {
  const { stringData, ...rest } = object;
  const plain = isRecord(stringData) ? stringData : {};
  const encoded = Object.entries(plain).map(([key, value]) => [key, Buffer.from(String(value)).toString("base64")]);
  const data = isRecord(object["data"]) ? object["data"] : {};
  return { type: "Opaque", ...rest, data: { ...data, ...Object.fromEntries(encoded) } } as KubeObject;
}
