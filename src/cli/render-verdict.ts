// What a cluster says of a Job that it is asked to take as if it were created (`dryRun=All`): its verdict, in its own words.
// Nothing is created.
import type { Cluster } from "../clusters/kubernetes.ts";
import { OpjobError } from "../errors.ts";
import type { StampedJob } from "../templates/stamp.ts";
import { EXIT } from "./outcome.ts";
import { painter, printable } from "./print.ts";
import type { RenderHost } from "./render-subject.ts";

/** Not an answer to the question, but none: the cluster was not reached, or does not know who asks. */
const NO_ANSWER = new Set<string>([
  "CLUSTER_UNREACHABLE",
  "CLUSTER_UNAUTHORIZED",
  "CLUSTER_OVERLOADED",
  "CLUSTER_ERROR",
]);

/** @throws OpjobError where the cluster gives no verdict */
export async function showVerdict(
  host: Pick<RenderHost, "stdout" | "environment" | "endWith">,
  job: StampedJob,
  cluster: Cluster,
): Promise<void> {
  const paint = painter(host);
  const name = printable(`${job.namespace}/${job.name}`);
  try {
    const warnings = await cluster.tryJob(job.namespace, job.name, job.manifest);
    host.stdout.write(`${paint("green", "accepted")}: ${cluster.server} would create the Job ${name}\n`);
    for (const warning of warnings) host.stdout.write(`${paint("yellow", "warning")}: ${printable(warning)}\n`);
  } catch (error) {
    if (!(error instanceof OpjobError) || NO_ANSWER.has(error.code)) throw error;
    host.stdout.write(`${paint("red", "refused")}: ${printable(error.message)}\n${printable(error.remedy)}\n`);
    host.endWith(EXIT.notWell);
  }
}
