// What the checks look at: the true state of the world, which nobody in it sees. Pure questions, no verdicts.
import { DATABASE_ANNOTATION, LABELS, QUEUED_ANNOTATION } from "../../../src/clusters/observation.ts";
import type { SimulatedCluster } from "../kubernetes/cluster.ts";
import { hasEnded, isOver, isOwnedBy, type KubeObject, textOf } from "../kubernetes/objects.ts";
import type { MongoServer } from "../mongo/server.ts";
import { at, type Doc } from "../mongo/values.ts";
import { type Plan, RERUN_OPERATORS } from "../plan.ts";
import type { Time } from "../time.ts";
import { type Execution, OPERATIONS } from "../worker.ts";

export type Violate = (rule: string, detail: string) => void;

/** A document before and after a daemon's write. */
export type Written = { readonly before: Doc; readonly after: Doc; readonly who: string };

export type Scene = {
  readonly plan: Plan;
  readonly time: Time;
  readonly server: MongoServer;
  readonly clusters: readonly SimulatedCluster[];
  readonly ledger: readonly Execution[];
  /** When an operation was taken up that ran without a claim, in true time. */
  readonly retaken: Map<string, number>;
  /** When an operation's Job was taken back no more, since a worker came first, in true time. */
  readonly restored: Map<string, number>;
  /** When Jobs ended, by their uids, in true time. */
  readonly ends: Map<string, number>;
  /** Jobs that had ended when they were recorded, as whoever recorded them could see. */
  readonly stale: Set<string>;
};

export const operationOf = ({ metadata }: KubeObject): string => metadata.labels?.[LABELS.operation] ?? "";
export const attemptOf = ({ metadata }: KubeObject): number => Number(metadata.labels?.[LABELS.attempt] ?? 1);

/** Made by a daemon of ours: an impostor's Job lacks it. */
export const isOurs = ({ metadata }: KubeObject): boolean =>
  metadata.annotations?.[DATABASE_ANNOTATION] === "simulated" && operationOf({ metadata }) !== "";

/** Marks a Job that a person made, whatever its labels say. */
export const IMPOSTOR = "simulated/impostor";
export const isImpostor = ({ metadata }: KubeObject): boolean => metadata.annotations?.[IMPOSTOR] !== undefined;

/** Neither ended nor going. */
export const isLive = (job: KubeObject): boolean => !hasEnded(job) && job.metadata.deletionTimestamp === undefined;

export const jobsOf = ({ clusters }: Scene, operation?: string): KubeObject[] =>
  clusters.flatMap(({ store }) =>
    store.all("jobs").filter((job) => isOurs(job) && (operation === undefined || operationOf(job) === operation)),
  );

export const podsOf = ({ clusters }: Scene, job: KubeObject): KubeObject[] =>
  clusters.flatMap(({ store }) => store.all("pods").filter((pod) => isOwnedBy(pod, job)));

export const documentOf = ({ server }: Scene, operation: string): Doc | undefined => server.get(OPERATIONS, operation);

/** What opjob keeps on a document: a claim, or what one that waits was told. */
export const keptOn = (doc: Doc): Doc | undefined => doc["opjob"] as Doc | undefined;

/** Our claim; what is only told to one that waits is none. */
export const claimOf = (doc: Doc): Doc | undefined =>
  typeof at(doc, "opjob.attempt") === "number" ? keptOn(doc) : undefined;

/** How many operations have a Job that has not ended. A call that was done too late may make one that nobody needs any more. */
export const inFlight = (scene: Scene): number =>
  jobsOf(scene).filter((job) => isLive(job) && !isImpostor(job) && isNeeded(scene, job)).length;

function isNeeded(scene: Scene, job: KubeObject): boolean {
  const doc = documentOf(scene, operationOf(job));
  if (doc === undefined || isEnded(doc) || attemptOf(job) !== attemptIn(doc)) return false;
  return [undefined, job.metadata.uid].includes(claimOf(doc)?.["uid"] as string | undefined);
}

/** Whether its operator may run twice. */
export const mayRunTwice = (doc: Doc | undefined): boolean => RERUN_OPERATORS.includes(textOf(doc?.["operator"]));

export const stateOf = (doc: Doc): string => textOf(doc["run_state"]);
export const attemptIn = (doc: Doc): number => Number(claimOf(doc)?.["attempt"] ?? 0);
export const isEnded = (doc: Doc): boolean => stateOf(doc) === "completed" || stateOf(doc) === "failed";

/** Milliseconds since 1970 of a date at a path; NaN: there is none. */
export const dateAt = (doc: Doc, path: string): number => {
  const value = at(doc, path);
  return value instanceof Date ? value.getTime() : Number.NaN;
};

/** Whether our claim is for the present queueing. */
export const isClaimedNow = (doc: Doc): boolean =>
  claimOf(doc) !== undefined && Object.is(dateAt(doc, "opjob.queued_at"), dateAt(doc, "queued_at"));

/** Whether a Job was made for an earlier queueing: its worker may be at work on that, and then will not serve the claim. */
export function isOfEarlierQueueing(job: KubeObject, doc: Doc): boolean {
  const madeFor = Date.parse(job.metadata.annotations?.[QUEUED_ANNOTATION] ?? "");
  const isRecorded = claimOf(doc)?.["uid"] === job.metadata.uid;
  return stateOf(doc) === "queued" && !isRecorded && !Object.is(madeFor, dateAt(doc, "queued_at"));
}

/** Executions of an operation that go on. */
export const executionsOf = ({ ledger }: Scene, operation: string): Execution[] =>
  ledger.filter((one) => one.operation === operation && !one.over);

/** When the container of a Job's Pod started that still runs; undefined: none runs. */
export function runningSince(scene: Scene, job: KubeObject): number | undefined {
  const starts = podsOf(scene, job)
    .filter((pod) => !isOver(pod) && pod.metadata.deletionTimestamp === undefined)
    .flatMap((pod) => {
      const [container] = (pod.status?.["containerStatuses"] ?? []) as { state: { running?: { startedAt: string } } }[];
      return container?.state.running ? [Date.parse(container.state.running.startedAt)] : [];
    });
  return starts[0];
}

/** The record of the orchestrator that an operation names, if it is one on Kubernetes. */
export const orchestratorOf = ({ server }: Scene, target: unknown): Doc | undefined =>
  server
    .all("orchestrators")
    .find((record) => record["instance_id"] === target && record["environment"] === "kubernetes");

export const isActive = (record: Doc | undefined): boolean =>
  record !== undefined && record["deactivated_at"] === undefined;
