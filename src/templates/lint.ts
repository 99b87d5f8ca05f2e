// What a Job's template will hurt by later, though a cluster takes it: retries of what runs once, Jobs that stay for ever,
// a worker without its settings, secrets in plain text. Pure: a Job in, findings out; no value is ever repeated.
import { fieldOf, isObject, type Json, type JsonObject } from "./json.ts";
import { plainSecrets } from "./plain-secrets.ts";

export type Lint = {
  readonly severity: "error" | "warning" | "hint";
  readonly rule: string;
  readonly message: string;
  readonly remedy: string;
  /** The field, or the one that lacks it. */
  readonly path: string;
};

export type LintOptions = {
  /** The made-up operation's id: the container that is given it is the worker. */
  readonly operation: string;
  /** Whether the worker is open-source FiftyOne, which needs its database and nothing else. */
  readonly openSource: boolean;
};

export type Container = { readonly path: string; readonly fields: JsonObject };

const POD = "spec.template.spec";

/** @param job as the template rendered it, before opjob adds anything */
export function lintJob(job: JsonObject, options: LintOptions): Lint[] {
  const spec = fieldOf(job, "spec");
  const pod = fieldOf(fieldOf(spec, "template"), "spec");
  const containers = containersOf(pod, "containers");
  const worker = containers.find(({ fields }) => runs(fields, options.operation)) ?? containers[0];
  return [
    ...restartPolicy(pod),
    ...runsOnce(spec),
    ...endsAndGoes(spec, pod),
    ...(worker ? [...environment(worker, options), ...resources(worker)] : []),
    ...[...containersOf(pod, "initContainers"), ...containers].flatMap((one) => [...plainSecrets(one), ...image(one)]),
  ];
}

function containersOf(pod: Json | undefined, list: string): Container[] {
  const found = fieldOf(pod, list);
  if (!Array.isArray(found)) return [];
  return found.flatMap((fields, i) => (isObject(fields) ? [{ path: `${POD}.${list}[${i}]`, fields }] : []));
}

const runs = ({ command, args }: JsonObject, operation: string): boolean =>
  JSON.stringify([command ?? null, args ?? null]).includes(operation);

function restartPolicy(pod: Json | undefined): Lint[] {
  const policy = fieldOf(pod, "restartPolicy");
  if (policy === "Never") return [];
  const message =
    policy === undefined
      ? "The Pod has no restartPolicy, and Kubernetes refuses a Job whose Pods are always restarted."
      : "The Pod's container is restarted when it fails, but a FiftyOne worker executes an operation once.";
  const remedy = "Write `restartPolicy: Never` into the Pod's spec.";
  return [{ severity: "error", rule: "restart-policy", message, remedy, path: `${POD}.restartPolicy` }];
}

function runsOnce(spec: Json | undefined): Lint[] {
  const found: Lint[] = [];
  const limit = fieldOf(spec, "backoffLimit");
  if (limit === undefined || (typeof limit === "number" && limit > 0)) {
    const many = limit === undefined ? "no backoffLimit, so Kubernetes tries 6 times more" : "a backoffLimit above 0";
    found.push({
      severity: "warning",
      rule: "backoff-limit",
      message: `The Job has ${many}: each further Pod finds the operation running and refuses, which delays the failure.`,
      remedy: "Write `backoffLimit: 0` into the Job's spec.",
      path: "spec.backoffLimit",
    });
  }
  for (const field of ["parallelism", "completions"]) {
    const many = fieldOf(spec, field);
    if (typeof many !== "number" || many <= 1) continue;
    found.push({
      severity: "warning",
      rule: "more-than-one",
      message: `The Job asks for ${many} Pods (${field}), but an operation is executed by one worker.`,
      remedy: `Leave ${field} out.`,
      path: `spec.${field}`,
    });
  }
  return found;
}

function endsAndGoes(spec: Json | undefined, pod: Json | undefined): Lint[] {
  const found: Lint[] = [];
  if (fieldOf(spec, "ttlSecondsAfterFinished") === undefined) {
    found.push({
      severity: "warning",
      rule: "no-ttl",
      message: "The Job has no ttlSecondsAfterFinished: ended Jobs and their Pods stay in the cluster for ever.",
      remedy: "Write `ttlSecondsAfterFinished: 3600` into the Job's spec.",
      path: "spec.ttlSecondsAfterFinished",
    });
  }
  if ([spec, pod].every((one) => fieldOf(one, "activeDeadlineSeconds") === undefined)) {
    found.push({
      severity: "hint",
      rule: "no-deadline",
      message: "The Job has no activeDeadlineSeconds: a worker that hangs holds its node for ever.",
      remedy: "Write `activeDeadlineSeconds`, longer than your longest operation, into the Job's spec.",
      path: "spec.activeDeadlineSeconds",
    });
  }
  return found;
}

const DATABASE = "FIFTYONE_DATABASE_URI";
/** What a worker of FiftyOne Enterprise needs beside its database. */
const ENTERPRISE = ["API_URL", "FIFTYONE_ENCRYPTION_KEY", "FIFTYONE_INTERNAL_SERVICE"];

/** A container may be given variables by envFrom, and by its image: what is missing here may be there. */
function environment({ path, fields }: Container, { openSource }: LintOptions): Lint[] {
  const { env, envFrom } = fields;
  if (Array.isArray(envFrom) && envFrom.length > 0) return [];
  const names = new Set((Array.isArray(env) ? env : []).map((one) => fieldOf(one, "name")));
  const where = { path: `${path}.env` };
  const found: Lint[] = [];
  if (!names.has(DATABASE)) {
    found.push({
      severity: "warning",
      rule: "worker-database",
      message: `The worker is not given ${DATABASE}: unless its image sets it, it will not find the operation.`,
      remedy: "Add it to the container's `env`, from a Secret.",
      ...where,
    });
  }
  const missing = ENTERPRISE.filter((name) => !names.has(name));
  const some = missing.length < ENTERPRISE.length;
  // Nobody is told of Enterprise who runs the open-source worker and names none of its variables.
  if (missing.length === 0 || (openSource && !some)) return found;
  const verb = missing.length === 1 ? "is" : "are";
  found.push({
    severity: some ? "warning" : "hint",
    rule: "worker-enterprise",
    message: `${missing.join(", ")} ${verb} not set: a worker of FiftyOne Enterprise needs API_URL, FIFTYONE_ENCRYPTION_KEY and FIFTYONE_INTERNAL_SERVICE.`,
    remedy: "Add them to the container's `env`, the key from a Secret; an open-source worker needs none of them.",
    ...where,
  });
  return found;
}

function resources({ path, fields }: Container): Lint[] {
  const { requests, limits } = isObject(fields["resources"]) ? fields["resources"] : {};
  if (isObject(requests) || isObject(limits)) return [];
  return [
    {
      severity: "hint",
      rule: "no-resources",
      message: "The worker asks for no CPU and no memory: it is the first to be evicted, and gets whatever is left.",
      remedy: "Write `resources.requests`, and a memory limit of the same size, into the container.",
      path,
    },
  ];
}

function image({ path, fields }: Container): Lint[] {
  const { image: name, imagePullPolicy } = fields;
  if (typeof name !== "string" || name === "" || imagePullPolicy !== undefined) return [];
  const tag = /:([^/:@]+)$/.exec(name)?.[1];
  if (name.includes("@") || (tag !== undefined && tag !== "latest")) return [];
  return [
    {
      severity: "hint",
      rule: "latest-image",
      message: `The image "${name}" names no version: two operations may run different code, and each pulls it again.`,
      remedy: "Name a fixed tag or a digest, or set imagePullPolicy.",
      path: `${path}.image`,
    },
  ];
}
