// Check: tries an orchestrator before a user waits for it. Places it, renders a made-up operation, looks for what hurts later,
// asks the cluster what the account may do, and has it take the Job as if it were created. Changes nothing anywhere.
import { isDeepStrictEqual } from "node:util";
import type { Cluster } from "./clusters/kubernetes.ts";
import { RIGHTS, type Right, resourceOf } from "./clusters/rights.ts";
import { databaseError } from "./database.ts";
import { OpjobError } from "./errors.ts";
import { errorFinding, type Finding, firstLine, lintFinding } from "./finding.ts";
import { nearest } from "./nearest.ts";
import type { Placer, Recipe, Site } from "./place.ts";
import { SETTINGS } from "./settings.ts";
import { knownFields } from "./templates/job-types.ts";
import { type LineFinder, lineFinder } from "./templates/lines.ts";
import { lintJob } from "./templates/lint.ts";
import { type StampedJob, stampJob } from "./templates/stamp.ts";

/** What is known of an orchestrator without asking its cluster; what is missing has its finding. */
export type Examined = {
  readonly site: Site | undefined;
  readonly recipe: Recipe | undefined;
  readonly job: StampedJob | undefined;
  readonly find: LineFinder | undefined;
  readonly findings: readonly Finding[];
};

const MADE_UP = { id: "000000000000000000000000", name: "opjob-check", operator: "@opjob/check/check" };

/** @throws OpjobError DATABASE_…: then nothing is known of the orchestrator */
export async function examine(id: string, placer: Pick<Placer, "site" | "recipe">): Promise<Examined> {
  const [site, recipe] = await Promise.all([attempt(() => placer.site(id)), attempt(() => placer.recipe(id))]);
  // A record that is wrong is wrong for both: it is told once.
  const errors = new Map([site, recipe].flatMap((one) => (one instanceof OpjobError ? [[one.message, one]] : [])));
  const found = {
    site: site instanceof OpjobError ? undefined : site,
    recipe: recipe instanceof OpjobError ? undefined : recipe,
  };
  const findings = [...errors.values()].map((error) => errorFinding(error));
  if (found.recipe === undefined) return { ...found, job: undefined, find: undefined, findings };
  const rendered = render(found.site, found.recipe);
  return { ...found, ...rendered, findings: [...findings, ...rendered.findings] };
}

async function attempt<T>(act: () => Promise<T>): Promise<T | OpjobError> {
  try {
    return await act();
  } catch (thrown) {
    const error = databaseError(thrown);
    if (error.code.startsWith("DATABASE_")) throw error;
    return error;
  }
}

function render(
  site: Site | undefined,
  { template, source, worker }: Recipe,
): Pick<Examined, "job" | "find" | "findings"> {
  const values = {
    _id: MADE_UP.id,
    _name: MADE_UP.name,
    _image: site?.orchestrator.image ?? "",
    _command: worker.command,
    _args: worker.args.map((arg) => arg.replaceAll("{operation}", MADE_UP.id)),
  };
  try {
    const manifest = template.manifest(values);
    const find = lineFinder(source.text, template.render(values));
    const openSource = isDeepStrictEqual(worker.args, SETTINGS.workerArgs.default);
    const lints = lintJob(manifest, { operation: MADE_UP.id, openSource });
    const { id: operation, operator } = MADE_UP;
    const namespace = site?.namespace ?? "default";
    const stamp = {
      operation,
      operator,
      orchestrator: site?.orchestrator.id ?? "",
      attempt: 1,
      queuedAt: null,
      database: "check",
      namespace,
    };
    return { job: stampJob(manifest, stamp), find, findings: lints.map((lint) => lintFinding(lint, find)) };
  } catch (thrown) {
    return { job: undefined, find: undefined, findings: [errorFinding(databaseError(thrown))] };
  }
}

export type Asked = {
  readonly findings: readonly Finding[];
  /** The fault because of which the cluster could not be asked at all. */
  readonly fault: OpjobError | undefined;
  /** Whether the cluster was asked to take the Job. */
  readonly tried: boolean;
};

/** Asks the cluster of an orchestrator that was placed: what the account may do, and whether it would take the Job. */
export async function askCluster({ site, job, find }: Examined, needed = RIGHTS): Promise<Asked> {
  if (site === undefined) return { findings: [], fault: undefined, tried: false };
  const { cluster } = site;
  const namespace = job?.namespace ?? site.namespace;
  try {
    const missing = await missingRights(cluster, namespace, needed);
    const findings = rightsFindings(missing, cluster, namespace);
    if (job === undefined || missing.some(isCreate)) return { findings, fault: undefined, tried: false };
    return { findings: [...findings, ...(await dryRun(cluster, job, find))], fault: undefined, tried: true };
  } catch (thrown) {
    const fault = databaseError(thrown);
    return { findings: [errorFinding(fault)], fault, tried: false };
  }
}

const isCreate = ({ resource, verb }: Right): boolean => resource === "jobs" && verb === "create";

/** The first question alone: a cluster that is away is asked once, not by all of them at the same time. */
async function missingRights(cluster: Cluster, namespace: string, needed: readonly Right[]): Promise<Right[]> {
  const may = (right: Right): Promise<boolean> => cluster.mayI(namespace, right);
  const first = await Promise.all(needed.slice(0, 1).map(may));
  const allowed = [...first, ...(await Promise.all(needed.slice(1).map(may)))];
  return needed.filter((_, i) => allowed[i] === false);
}

function rightsFindings(missing: readonly Right[], { server }: Cluster, namespace: string): Finding[] {
  return [true, false].flatMap((needed): Finding[] => {
    const rights = missing.filter((right) => right.needed === needed);
    if (rights.length === 0) return [];
    const resources = Object.entries(Object.groupBy(rights, resourceOf));
    const acts = resources.map(([name, of = []]) => `${of.map(({ verb }) => verb).join(", ")} ${name}`).join(", ");
    return [
      {
        severity: needed ? "error" : "warning",
        step: "permissions",
        code: "CLUSTER_FORBIDDEN",
        message: `The account may not ${acts} in the namespace "${namespace}" of ${server}${needed ? "" : ": less can be said of Jobs that fail"}.`,
        remedy: "Give it the Role of deploy/role.yaml in that namespace, by a RoleBinding.",
      },
    ];
  });
}

async function dryRun(cluster: Cluster, job: StampedJob, find: LineFinder | undefined): Promise<Finding[]> {
  try {
    const warnings = await cluster.tryJob(job.namespace, job.name, job.manifest);
    return warnings.map((warning) => warningFinding(warning, find));
  } catch (thrown) {
    const error = databaseError(thrown);
    if (error.code === "CLUSTER_UNREACHABLE" || error.code === "CLUSTER_UNAUTHORIZED") throw error;
    const finding: Finding = { ...errorFinding(error, find), step: "dry run" };
    // A quota that is used up now has room again when a Job ends.
    return [/exceeded quota/.test(error.message) ? { ...finding, severity: "warning" } : finding];
  }
}

const UNKNOWN_FIELD = /^unknown field "(.+)"$/;

function warningFinding(warning: string, find: LineFinder | undefined): Finding {
  const line = firstLine(warning, find);
  const common = { severity: "warning", step: "dry run", ...(line !== undefined && { line }) } as const;
  const path = UNKNOWN_FIELD.exec(warning)?.[1];
  if (path === undefined) {
    const remedy = "Look at what the warning names; Jobs are created all the same.";
    return { ...common, code: "cluster-warning", message: `The cluster warns: ${warning}.`, remedy };
  }
  const message = `There is no field "${path}" (unknown field): the cluster leaves it out and runs the Job without it.`;
  return { ...common, code: "unknown-field", message, remedy: `${meant(path)}Correct its name, or take it out.` };
}

/** A field that is almost so called, at the same place. */
function meant(path: string): string {
  const name = path.split(".").at(-1) ?? "";
  const known = knownFields(path.split(".").slice(0, -1).join("."));
  const likely = nearest(name, known);
  const holds = name.toLowerCase().includes(likely.toLowerCase()) && likely !== "";
  return holds || distanceIsSmall(name, likely) ? `Did you mean ${likely}? ` : "";
}

const distanceIsSmall = (name: string, other: string): boolean =>
  other !== "" && name.slice(0, 3).toLowerCase() === other.slice(0, 3).toLowerCase();
