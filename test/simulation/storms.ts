// Storms: faults that many operations meet, as the clusters and the records show them. Knows what each one does to whom.

import { type Answer, status } from "./kubernetes/api.ts";
import type { KubeObject } from "./kubernetes/objects.ts";
import type { Plan, Storm } from "./plan.ts";

export const isOn = ({ from, ms }: Storm, now: number): boolean => now >= from && now < from + ms;

export const imageOf = (image: number | undefined): string => `team/worker:${image ?? 1}`;

const stormsOf = ({ storms = [] }: Plan, kind: Storm["kind"], now: number): readonly Storm[] =>
  storms.filter((storm) => storm.kind === kind && isOn(storm, now));

/** What an API server answers to the creation of a Job of an orchestrator; undefined: nothing is in the way. */
export function refusalOf(plan: Plan, orchestrator: number, now: number): Answer | undefined {
  const meets = (kind: Storm["kind"]): boolean =>
    stormsOf(plan, kind, now).some((storm) => storm.orchestrator === orchestrator);
  if (meets("quota"))
    return status(403, "Forbidden", "jobs.batch is forbidden: exceeded quota: jobs, used: count/jobs.batch=9");
  return meets("forbidden")
    ? status(403, "Forbidden", 'jobs.batch is forbidden: User "u" cannot create resource')
    : undefined;
}

/** For how long a Pod's image cannot be pulled from now on (ms); 0: it can be. */
export function missingFor(plan: Plan, pod: KubeObject, now: number): number {
  const ends = stormsOf(plan, "image", now)
    .filter(({ orchestrator }) => imageOf(plan.orchestrators[orchestrator]?.image) === imageIn(pod))
    .map(({ from, ms }) => from + ms - now);
  return Math.max(0, ...ends);
}

/** Of its only container. */
export const imageIn = ({ spec }: Pick<KubeObject, "spec">): string =>
  ((spec?.["containers"] ?? []) as { readonly image?: string }[])[0]?.image ?? imageOf(undefined);

/** Of a Job's Pods. */
export const jobImageOf = ({ spec }: KubeObject): string =>
  imageIn((spec?.["template"] ?? {}) as Pick<KubeObject, "spec">);
