// Refresh: a registration Job for an orchestrator, from its template to the operators that its environment reports. The Job's
// worker writes the record, as FiftyOne's own does; here the Job is made, and judged by what the record says after it.
// It has no operation, so none of the two roads sees it. Sees all rooms.
import { createHash } from "node:crypto";
import type { Guard } from "./clusters/call.ts";
import type { Cluster } from "./clusters/kubernetes.ts";
import type { JobView } from "./clusters/observation.ts";
import { OpjobError } from "./errors.ts";
import type { OperatorLists } from "./orchestrators/mongo.ts";
import type { Placer } from "./place.ts";
import { type FollowOptions, followRegistration } from "./registration-job.ts";
import { generatedName } from "./templates/naming.ts";
import { type StampedJob, stampRegistration } from "./templates/stamp.ts";

export type RefreshOptions = {
  readonly placer: Pick<Placer, "site" | "registration">;
  readonly lists: Pick<OperatorLists, "of">;
  /** Fingerprint of our database. */
  readonly database: string;
  /** Held directly before a Job is made. */
  readonly guard?: Guard;
} & FollowOptions;

export type Refresh = {
  readonly orchestrator: string;
  /** 24 hexadecimal digits; the same for whoever means the same refresh, so that the Job is made once. */
  readonly id: string;
  /** Told of each new state of the Job, in words. */
  readonly onProgress: (words: string) => void;
  readonly signal: AbortSignal;
};

export type Refreshed = {
  readonly job: string;
  readonly operators: readonly string[];
  readonly added: readonly string[];
  readonly removed: readonly string[];
};

/** An id that whoever means the same refresh finds as well. */
export const refreshId = (...parts: readonly string[]): string =>
  createHash("sha256").update(parts.join("\n")).digest("hex").slice(0, 24);

/**
 * Runs a refresh to its end.
 * @throws OpjobError REFRESH_FAILED with the reason and the last log lines, or those of placing, rendering and creating
 */
export async function refresh(options: RefreshOptions, wanted: Refresh): Promise<Refreshed> {
  const { placer, lists } = options;
  const before = await lists.of(wanted.orchestrator);
  const [{ cluster, ...site }, recipe] = await Promise.all([
    placer.site(wanted.orchestrator),
    placer.registration(wanted.orchestrator),
  ]);
  const manifest = recipe.template.manifest({
    _id: wanted.id,
    _name: generatedName(`register-${wanted.orchestrator.replaceAll("/", "-")}`, wanted.id, 1),
    _image: site.orchestrator.image ?? "",
    _command: recipe.worker.command,
    _args: recipe.worker.args.map((arg) => arg.replaceAll("{orchestrator}", wanted.orchestrator)),
  });
  const { orchestrator, id: registration } = wanted;
  const stamp = { registration, orchestrator, database: options.database, namespace: site.namespace };
  const made = await create(cluster, stampRegistration(manifest, stamp), options);
  const place = `${made.namespace}/${made.name}`;
  wanted.onProgress(`Job ${place} was created.`);
  await followRegistration(options, { ...wanted, cluster, made });
  const after = await lists.of(wanted.orchestrator);
  if (after.updatedAt?.getTime() === before.updatedAt?.getTime()) throw silent(place);
  return {
    job: place,
    operators: after.operators,
    added: after.operators.filter((operator) => !before.operators.includes(operator)),
    removed: before.operators.filter((operator) => !after.operators.includes(operator)),
  };
}

type Creating = Pick<RefreshOptions, "database" | "guard">;

async function create(
  cluster: Cluster,
  { namespace, name, manifest }: StampedJob,
  { database, guard }: Creating,
): Promise<JobView> {
  const answer = await cluster.createJob(namespace, name, manifest, guard);
  if (answer.kind === "created") return answer.job;
  const found = await cluster.getJob(namespace, name);
  if (found?.database === database && !found.deleting) return found;
  throw new OpjobError("JOB_NAME_TAKEN", `A Job named ${namespace}/${name} exists and was not made for this refresh.`);
}

const silent = (place: string) =>
  new OpjobError("REFRESH_FAILED", `The registration Job ${place} ended, but reported no operators.`, {
    remedy:
      "Check that the template runs {{ _command }} with {{ _args }}, and that its FIFTYONE_DATABASE_URI and FIFTYONE_DATABASE_NAME are this database's.",
  });
