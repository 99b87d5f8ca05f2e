// The Pod that a Job's template makes: its name, labels, owner and defaults. Pure.
import { withDefaults } from "./defaults.ts";
import { birth, generatedName, type Job, type Metadata, type Pod } from "./objects.ts";
import { PODS } from "./resources.ts";

/** A new Pod of a Job. @param now ms */
export function podOf(job: Job, now: number): Pod {
  const { name, namespace, uid = "" } = job.metadata;
  const { metadata: template, spec } = job.spec.template;
  const owner = { apiVersion: "batch/v1", kind: "Job", name, uid, controller: true, blockOwnerDeletion: true };
  const generateName = `${name}-`;
  const metadata: Metadata = {
    ...template,
    name: generatedName(generateName),
    generateName,
    ...(namespace && { namespace }),
    ownerReferences: [owner],
    ...birth(now),
    generation: 1,
  };
  return withDefaults({ kind: "Pod", apiVersion: "v1", metadata, spec }, PODS) as Pod;
}
