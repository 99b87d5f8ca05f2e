// The rules about a Job's and a Pod's spec that the API server answers 422 for, in its words. Pure; the spec has its defaults.
import type { Container, EnvVar, Job, KubeObject, Pod, PodSpec } from "./objects.ts";
import { quantityOf } from "./quantity.ts";
import { JOBS, LEASES, PODS, type Resource } from "./resources.ts";
import type { Cause } from "./status.ts";
import {
  dnsLabelErrors,
  duplicate,
  invalidValue,
  labelCauses,
  metadataCauses,
  required,
  unsupported,
} from "./validate.ts";
import { leaseCauses } from "./validate-lease.ts";

const COUNTS = ["parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished"];
const RESTART_POLICIES = ["OnFailure", "Never"];
const ANY_RESTART_POLICY = ["Always", "OnFailure", "Never"];
const PULL_POLICIES = ["Always", "IfNotPresent", "Never"];
const NOT_ENV_NAME = "a valid environment variable name must consist only of printable ASCII characters other than '='";
const NOT_WITH_POLICY = 'only "Never" is supported when podFailurePolicy is specified';
const NEGATIVE = "must be greater than or equal to 0";

/** Everything that is wrong with an object; empty if it may be stored. */
export function causesOf(object: KubeObject, resource: Resource): Cause[] {
  const common = metadataCauses(object, resource);
  if (resource === JOBS) return [...common, ...jobCauses(object as Job)];
  if (resource === PODS) return [...common, ...podCauses((object as Pod).spec, "spec")];
  return resource === LEASES ? [...common, ...leaseCauses(object)] : common;
}

function jobCauses(job: Job): Cause[] {
  const { spec } = job;
  const policy = spec.template.spec.restartPolicy ?? "Always";
  const field = "spec.template.spec.restartPolicy";
  return [
    ...COUNTS.flatMap((name) => notNegative(spec[name], `spec.${name}`)),
    ...labelCauses(spec.template.metadata?.labels, "spec.template.labels"),
    ...podCauses(spec.template.spec, "spec.template.spec"),
    ...(policy === "Always" ? [required(field, `valid values: "OnFailure", "Never"`)] : []),
    ...(policy === "Always" || RESTART_POLICIES.includes(policy) ? [] : [unsupported(field, policy, RESTART_POLICIES)]),
    ...(spec["podFailurePolicy"] && policy === "OnFailure" ? [invalidValue(field, policy, NOT_WITH_POLICY)] : []),
    ...generatedLabels(job),
  ];
}

/** A template may carry the generated labels only with the values that the server would give them. */
function generatedLabels(job: Job): Cause[] {
  if (job.spec.manualSelector) return [];
  const labels = job.spec.template.metadata?.labels ?? {};
  const expected = { "controller-uid": job.metadata.uid, "job-name": job.metadata.name };
  return Object.entries(expected).flatMap(([key, value]) =>
    [`batch.kubernetes.io/${key}`, key]
      .filter((label) => labels[label] !== value)
      .map((label) => invalidValue(`spec.template.metadata.labels[${label}]`, labels, `must be '${value}'`)),
  );
}

function podCauses(spec: PodSpec, path: string): Cause[] {
  const { containers, initContainers } = spec;
  const seen = new Set<string>();
  const none = !Array.isArray(containers) || containers.length === 0 ? [required(`${path}.containers`)] : [];
  return [
    ...none,
    ...(containers ?? []).flatMap((one, i) => containerCauses(one, `${path}.containers[${i}]`, seen)),
    ...(initContainers ?? []).flatMap((one, i) => initCauses(one, `${path}.initContainers[${i}]`, seen)),
    ...notNegative(spec.terminationGracePeriodSeconds, `${path}.terminationGracePeriodSeconds`),
    ...choice(spec.restartPolicy, `${path}.restartPolicy`, ANY_RESTART_POLICY),
    ...deadline(spec.activeDeadlineSeconds, `${path}.activeDeadlineSeconds`),
    ...volumeCauses(spec, path),
  ];
}

function deadline(value: number | undefined, field: string): Cause[] {
  if (value === undefined || (value >= 1 && value <= 2_147_483_647)) return [];
  return [invalidValue(field, value, "must be between 1 and 2147483647, inclusive")];
}

const choice = (value: unknown, field: string, choices: readonly string[]): Cause[] =>
  value === undefined || choices.some((one) => one === value) ? [] : [unsupported(field, value, choices)];

const notNegative = (value: unknown, field: string): Cause[] =>
  typeof value === "number" && value < 0 ? [invalidValue(field, value, NEGATIVE)] : [];

function containerCauses(container: Container, path: string, seen: Set<string>): Cause[] {
  const { name, image, env = [] } = container;
  const repeated = name && seen.has(name) ? [duplicate(`${path}.name`, name)] : [];
  seen.add(name);
  return [
    ...(name ? dnsLabelErrors(name).map((why) => invalidValue(`${path}.name`, name, why)) : [required(`${path}.name`)]),
    ...(image ? [] : [required(`${path}.image`)]),
    ...env.flatMap((variable, i) => variableCauses(variable, `${path}.env[${i}]`)),
    ...choice(container["imagePullPolicy"], `${path}.imagePullPolicy`, PULL_POLICIES),
    ...resourceCauses(container, `${path}.resources.requests`),
    ...repeated,
  ];
}

const initCauses = (container: Container, path: string, seen: Set<string>): Cause[] => [
  ...containerCauses(container, path, seen),
  ...choice(container.restartPolicy, `${path}.restartPolicy`, ["Always", "Never", "OnFailure"]),
];

function resourceCauses({ resources: { requests = {}, limits = {} } = {} }: Container, path: string): Cause[] {
  return Object.entries(requests).flatMap(([resource, request]) => {
    const limit = limits[resource];
    if (limit === undefined || quantityOf(request) <= quantityOf(limit)) return [];
    return [invalidValue(path, request, `must be less than or equal to ${resource} limit of ${limit}`)];
  });
}

function variableCauses(variable: EnvVar, path: string): Cause[] {
  const { name } = variable;
  const wrong = name && !/^[ -<>-~]+$/.test(name) ? [invalidValue(`${path}.name`, name, NOT_ENV_NAME)] : [];
  const missing = name ? [] : [required(`${path}.name`)];
  return [...missing, ...wrong, ...sourceCauses(variable, `${path}.valueFrom`)];
}

function sourceCauses(variable: EnvVar, path: string): Cause[] {
  const { value, valueFrom } = variable;
  if (!valueFrom) return [];
  const sources = Object.entries(valueFrom);
  if (sources.length === 0) {
    return [
      invalidValue(
        path,
        "",
        "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`",
      ),
    ];
  }
  if (value) return [invalidValue(path, "", "may not be specified when `value` is not empty")];
  if (sources.length > 1) return [invalidValue(path, "", "may not have more than one field specified at a time")];
  const [kind, reference] = sources[0] ?? [];
  if (!kind?.endsWith("KeyRef") || !reference) return [];
  return ["name", "key"]
    .filter((field) => !(reference as Record<string, unknown>)[field])
    .map((field) => required(`${path}.${kind}.${field}`));
}

type Named = { readonly name?: string };

function volumeCauses(spec: PodSpec, path: string): Cause[] {
  const volumes = (Array.isArray(spec["volumes"]) ? spec["volumes"] : []) as readonly Named[];
  const names = volumes.map(({ name }) => name);
  const repeated = names.flatMap((name, i) =>
    names.indexOf(name) < i ? [duplicate(`${path}.volumes[${i}].name`, name)] : [],
  );
  const mounts = (["initContainers", "containers"] as const).flatMap((list) =>
    (spec[list] ?? []).flatMap((container, i) =>
      ((container["volumeMounts"] ?? []) as readonly Named[]).flatMap((mount, j) =>
        names.includes(mount.name)
          ? []
          : [
              {
                reason: "FieldValueNotFound",
                message: `Not found: ${JSON.stringify(mount.name ?? "")}`,
                field: `${path}.${list}[${i}].volumeMounts[${j}].name`,
              },
            ],
      ),
    ),
  );
  return [...repeated, ...mounts];
}
