// OUT: claimed → placed → rendered → manifest → launched. Straight, one line a step; each takes what the one before gave.
// An operation whose step fails for good fails with words for a person; one whose fault may pass is held and tried again.

import type { Cluster } from "./clusters/kubernetes.ts";
import type { JobView } from "./clusters/observation.ts";
import { databaseError } from "./database.ts";
import { mayHaveCreated } from "./doubt.ts";
import { OpjobError } from "./errors.ts";
import type { Next } from "./lanes.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import { failureText } from "./operations/failure-text.ts";
import type { Fence } from "./operations/fence.ts";
import type { Operations } from "./operations/mongo.ts";
import { type Claimed, isOfAttempt } from "./operations/operation.ts";
import type { Placement, Placer } from "./place.ts";
import type { Recorder } from "./record.ts";
import type { Values } from "./templates/blanks.ts";
import { generatedName } from "./templates/naming.ts";
import { type StampedJob, stampJob } from "./templates/stamp.ts";

type Placed = Placement & { readonly claimed: Claimed };
type Rendered = Placed & { readonly job: StampedJob };
export type Launched = Rendered & {
  readonly created: JobView;
  readonly outcome: "created" | "adopted";
  readonly warnings: readonly string[];
};

export type LaunchOptions = {
  readonly operations: Pick<Operations, "change" | "fail">;
  readonly recorder: Pick<Recorder, "record">;
  readonly placer: Placer;
  /** Whether an orchestrator takes new work; one that was deactivated does not. */
  readonly isActive: (orchestrator: string) => boolean;
  /** Follows the namespace of a Job from now on. */
  readonly watch: (cluster: Cluster, namespace: string) => void;
  /** Fingerprint of our database. */
  readonly database: string;
  readonly retryMaxMs: number;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Held before whatever is done to a cluster. */
  readonly fence: Fence;
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
};

export const createLauncher = (options: LaunchOptions) => ({
  /** Where an operation's Job belongs, without creating it. @throws OpjobError as the steps do */
  locate: async (claimed: Claimed): Promise<Rendered> => render(options, await place(options, claimed)),

  /**
   * Launches a claimed operation. The launched Job is returned even if its operation ended meanwhile (`recorded` false):
   * the way back decides what becomes of it. Without one the operation was held or failed, and `next` says when to go on.
   */
  launch: (claimed: Claimed): Promise<Outcome> => launch(options, claimed),
});

export type Launcher = ReturnType<typeof createLauncher>;
/** `vacant`: no Job of the operation can exist, so that it holds no place among those in flight. */
export type Outcome = {
  readonly launched?: Launched;
  readonly recorded: boolean;
  readonly vacant: boolean;
  /** What put it off, if that may pass. */
  readonly fault?: OpjobError;
  readonly next: Next;
};

async function launch(options: LaunchOptions, claimed: Claimed): Promise<Outcome> {
  const { recorder } = options;
  let sent = claimed.claim.unsure === true;
  try {
    requireActive(options, claimed);
    const placed = await place(options, claimed);
    const rendered = render(options, placed);
    const room = rendered.cluster.traffic.begin();
    if ("wait" in room) return { recorded: false, vacant: false, next: { again: room.wait } };
    const unsure = sent;
    sent = true;
    const launched = await create(options, rendered)
      .catch((error: unknown) => {
        sent = unsure || mayHaveCreated(error);
        throw error;
      })
      .finally(room.end);
    const outcome = await recorder.record(launched);
    if (outcome === "passed over") return { recorded: false, vacant: false, next: { again: 0 } };
    report(launched, options);
    return { launched, recorded: outcome === "recorded", vacant: false, next: undefined };
  } catch (thrown) {
    const error = databaseError(thrown);
    if (!error.retryable) return { recorded: false, vacant: !sent, next: await fail(options, claimed, error) };
    const next = await hold(options, claimed, { error, unsure: sent });
    return { recorded: false, vacant: !sent, fault: error, next };
  }
}

/** An orchestrator may have been deactivated since the claim. */
function requireActive({ isActive }: LaunchOptions, { claim: { orchestrator } }: Claimed): void {
  if (isActive(orchestrator)) return;
  throw new OpjobError("ORCHESTRATOR_INVALID", `The orchestrator "${orchestrator}" is not active (any more).`);
}

async function place({ placer }: LaunchOptions, claimed: Claimed): Promise<Placed> {
  return { claimed, ...(await placer.place(claimed.claim.orchestrator)) };
}

function render({ database }: LaunchOptions, placed: Placed): Rendered {
  const { claimed, template, orchestrator, namespace } = placed;
  const manifest = template.manifest(valuesOf(claimed, placed));
  const { id: operation, operator } = claimed;
  const { attempt } = claimed.claim;
  const made = { attempt, queuedAt: claimed.claim.queued_at };
  const stamp = { operation, operator, orchestrator: orchestrator.id, ...made, database, namespace };
  return { ...placed, job: stampJob(manifest, stamp) };
}

async function create({ watch, database, fence }: LaunchOptions, rendered: Rendered): Promise<Launched> {
  const { cluster, job, claimed } = rendered;
  watch(cluster, job.namespace);
  const answer = await cluster.createJob(job.namespace, job.name, job.manifest, fence.require);
  if (answer.kind === "created") {
    return { ...rendered, created: answer.job, outcome: "created", warnings: answer.warnings };
  }
  const found = await cluster.getJob(job.namespace, job.name);
  return { ...rendered, created: requireOurs(found, claimed, job, database), outcome: "adopted", warnings: [] };
}

type Fault = { readonly error: OpjobError; readonly unsure: boolean };

/** The fault may pass: the operation stays queued, says why, and is tried again; each pause as long as all before it. */
async function hold(options: LaunchOptions, claimed: Claimed, { error, unsure }: Fault): Promise<Next> {
  const { operations, metrics, log, now, random, retryMaxMs } = options;
  const { claim } = claimed;
  const at = now();
  const since = claim.phase === "held" && claim.since ? claim.since : new Date(at);
  const message = `${error.message} ${error.remedy}`;
  if (claim.phase !== "held" || claim.message !== message || (unsure && !claim.unsure)) {
    const doubt = unsure ? { unsure } : {};
    await operations.change(claimed, { phase: "held", reason: error.code, message, since, ...doubt });
    const fields = { operation: claimed.id, orchestrator: claim.orchestrator, code: error.code, error: error.message };
    log.warn(fields, "held");
  }
  metrics.held.inc({ orchestrator: claim.orchestrator, code: error.code });
  const pause = Math.min(retryMaxMs, Math.max(500, at - since.getTime())) * (0.75 + random() / 2);
  return { again: Math.max(pause, error.retryAfterMs ?? 0) };
}

async function fail(options: LaunchOptions, claimed: Claimed, error: OpjobError): Promise<Next> {
  const { operations, metrics, log, now } = options;
  const { message, remedy, code } = error;
  const { orchestrator } = claimed.claim;
  // What can never succeed as it is was written so by somebody: all that may pass is held instead.
  const fault = "template";
  const text = failureText({ message, remedy, reason: code, fault, job: undefined, log: undefined });
  if (!(await operations.fail(claimed, { reason: code, fault, text }, new Date(now())))) return { again: 0 };
  metrics.failures.inc({ orchestrator, reason: code });
  log.error({ operation: claimed.id, orchestrator, code, error: message }, "failed");
  return undefined;
}

function valuesOf({ id, operator, claim }: Claimed, { orchestrator, worker }: Placed): Values {
  return {
    _id: id,
    _name: generatedName(operator, id, claim.attempt),
    _image: orchestrator.image ?? "",
    _command: worker.command,
    _args: worker.args.map((arg) => arg.replaceAll("{operation}", id)),
  };
}

/** "Already exists" means "found again" only when the Job serves this attempt of this operation of this database. */
function requireOurs(found: JobView | undefined, claimed: Claimed, job: StampedJob, database: string): JobView {
  const name = `${job.namespace}/${job.name}`;
  const ours = found !== undefined && isOfAttempt(found, claimed, database);
  if (found === undefined || (ours && found.deleting)) {
    throw new OpjobError("CLUSTER_ERROR", `The Job ${name} is just being deleted.`);
  }
  if (!ours) throw new OpjobError("JOB_NAME_TAKEN", `A Job named ${name} exists and was not made for this operation.`);
  return found;
}

function report(
  { claimed, cluster, job, created, outcome, warnings }: Launched,
  { metrics, log, now }: LaunchOptions,
): void {
  const { orchestrator, attempt } = claimed.claim;
  const queuedMs = now() - (claimed.queuedAt?.getTime() ?? now());
  metrics.launches.inc({ orchestrator, outcome });
  metrics.stages.observe({ stage: "created" }, Math.max(0, queuedMs) / 1_000);
  log.info(
    {
      operation: claimed.id,
      operator: claimed.operator,
      orchestrator,
      attempt,
      cluster: cluster.server,
      namespace: job.namespace,
      job: job.name,
      uid: created.uid,
      outcome,
      queued_ms: queuedMs,
      ...(warnings.length === 0 ? {} : { warnings }),
    },
    "launched",
  );
}
