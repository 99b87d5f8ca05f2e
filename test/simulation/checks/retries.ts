// When a Job may be taken back to be launched again, and when the next attempt may begin: never two at once, and nothing that a
// worker began is run twice. Judged at that instant, by the true state of the world. Knows the contract.
import { isOver, type KubeObject } from "../kubernetes/objects.ts";
import {
  attemptIn,
  attemptOf,
  claimOf,
  dateAt,
  isLive,
  jobsOf,
  operationOf,
  podsOf,
  runningSince,
  type Scene,
  stateOf,
  type Violate,
  type Written,
} from "./scene.ts";

/** A write that begins another attempt of the same queueing. */
export const isRetry = ({ before, after }: Written): boolean =>
  claimOf(before)?.["phase"] === "withdrawn" && attemptIn(after) !== attemptIn(before);

export function judgeRetry(scene: Scene, { before, after, who }: Written, violate: Violate): void {
  const id = String(before["_id"]);
  const queuedAt = dateAt(before, "queued_at");
  const earlier = jobsOf(scene, id).filter((job) => attemptOf(job) === attemptIn(before));
  const alive = earlier.filter((job) => isLive(job) || canRun(scene, job));
  const orphans = scene.clusters.flatMap(({ store }) => store.all("pods").filter((pod) => isOf(pod, id, before)));
  const wrong = [
    attemptsOf(after) > BUDGET && `it was launched again ${attemptsOf(after)} times`,
    stateOf(before) !== "queued" && `it is ${stateOf(before)}`,
    attemptIn(after) !== attemptIn(before) + 1 && `its attempt becomes ${attemptIn(after)}`,
    alive.length > 0 && `${alive.map(({ metadata }) => metadata.uid).join()} can still run`,
    orphans.some((pod) => !isOver(pod)) && "a Pod of the attempt before can still run",
    scene.ledger.some((one) => one.operation === id && Object.is(one.queuedAt, queuedAt)) && "a worker has begun it",
  ].filter((why) => why !== false);
  if (wrong.length > 0) violate("1: an attempt begins when the one before cannot run", `${who}: ${wrong.join(", ")}`);
}

/** As the settings have it by default. */
const BUDGET = 2;
const attemptsOf = (doc: Written["after"]): number => (claimOf(doc)?.["earlier"] as unknown[] | undefined)?.length ?? 0;

const isOf = (pod: KubeObject, id: string, before: Written["before"]): boolean =>
  operationOf(pod) === id && attemptOf(pod) === attemptIn(before);

const canRun = (scene: Scene, job: KubeObject): boolean => podsOf(scene, job).some((pod) => !isOver(pod));

/** A Job may be taken back as long as its container has not run for longer than whoever takes it back could miss (ms). */
export function mayBeTakenBack(scene: Scene, job: KubeObject, doc: Written["before"], race: number): boolean {
  const since = runningSince(scene, job);
  return claimOf(doc)?.["phase"] === "withdrawn" && (since === undefined || scene.time.now - since < race);
}
