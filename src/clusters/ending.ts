// Why a Job ended without its operation's result, in plain words, from its condition, its Pods and the Events that outlive them.
// Pure: data in, verdict out. Knows Kubernetes' words for states; nothing of operations, times or settings.
import { exitNote, failedInit, firstFailed, howItEnded, initEnd, logsOf, signalOf } from "./container-end.ts";
import { ENDED, type Ending, end } from "./ending-reasons.ts";
import type { EventView } from "./events.ts";
import { interruption, interruptionTold } from "./interruption.ts";
import { type Condition, failureTarget, hasBegun, inOrder, newest, type PodView } from "./observation.ts";
import { podObstacle, type Seen } from "./obstacle.ts";
import { type Patience, sentence } from "./reasons.ts";
import type { Obstacle } from "./waiting-reasons.ts";

/** Why a Job ended as failed. */
export function explainFailure(condition: Condition, seen: Seen): Ending {
  if (condition.reason === "DeadlineExceeded") return deadline(condition, seen);
  const pod = inOrder(seen.pods).find(endedBadly) ?? newest(seen.pods);
  return pod === undefined ? withoutPod(condition, seen) : withLater(explainPod(pod, condition), pod, seen.pods);
}

/** A Job that Kubernetes calls complete although no worker recorded a result. */
export function explainMissingResult({ pods }: Pick<Seen, "pods">): Ending {
  const first = inOrder(pods).find(endedBadly);
  if (first) return withLater(explainPod(first, undefined), first, pods);
  const pod = newest(pods);
  const killed = pod && firstFailed(pod);
  if (pod && killed) return howItEnded(pod, killed);
  const message = "The Job ended with success, but no worker recorded a result for the operation.";
  return end("noResult", message, logsOf(pod, pod?.containers[0]));
}

const LAST_WORDS = /^(Completed|BackoffLimitExceeded|DeadlineExceeded|PodFailurePolicy|FailedCreate)$/;

/**
 * A Job that is gone although its operation had not ended. Its Pods may still be there, and its Events are for an hour.
 * @param uid of the Job, if it is known
 */
export function explainAbsence(pods: readonly PodView[], events: Seen["events"], uid: string | undefined): Ending {
  const pod = newest(pods);
  const said = events?.findLast(({ kind, reason }) => kind === "Job" && LAST_WORDS.test(reason));
  const gone = "The Job was deleted before the operation had ended.";
  const message = said === undefined ? gone : `${gone} ${sentence("Before that Kubernetes said", said.message)}`;
  const ask = uid === undefined || events !== undefined ? undefined : { uid };
  return { ...end("jobGone", message, logsOf(pod, pod?.containers[0])), ask };
}

/**
 * An end that is sure although the Job's condition is still to come: the Job controller has decided it, or all of the Pod's
 * own containers have ended. What still runs is a Pod on a lost node, or a native sidecar that does not heed its signal.
 */
export function endAhead(seen: Seen): Obstacle | undefined {
  const target = failureTarget(seen.job);
  if (target) return ahead(explainFailure(target, seen), { patience: "pending", from: target.at, ordinaryMs: 5_000 });
  const pod = newest(seen.pods.filter(({ deleting, gone }) => !deleting && !gone));
  if (pod?.phase !== "Running" || pod.restarts || pod.containers.length === 0) return undefined;
  if (!pod.containers.every(({ terminated, restarted }) => terminated !== undefined && !restarted)) return undefined;
  const ending = firstFailed(pod) ? explainPod(pod, undefined) : explainMissingResult({ pods: [pod] });
  const from = pod.containers
    .map(({ terminated }) => terminated?.finishedAt ?? "")
    .toSorted()
    .at(-1);
  return ahead(ending, { patience: "long", from, ordinaryMs: 10_000 });
}

type Ahead = { readonly patience: Patience; readonly from: string | undefined; readonly ordinaryMs: number };

const ahead = ({ ask, ...ending }: Ending, more: Ahead): Obstacle => ({
  ...ending,
  ...more,
  ask: ask && { ...ask, afterMs: 0 },
  lessThan: [],
});

/** A worker runs an operation once. So of several Pods the first that began it tells; later ones only refuse it. */
function endedBadly(pod: PodView): boolean {
  if (!hasBegun(pod) || pod.phase === "Succeeded") return false;
  return (
    pod.phase === "Failed" || pod.deleting || pod.gone || pod.containers.some(({ terminated }) => terminated?.exitCode)
  );
}

function withLater(ending: Ending, pod: PodView, pods: readonly PodView[]): Ending {
  const later = inOrder(pods).slice(inOrder(pods).findIndex(({ uid }) => uid === pod.uid) + 1);
  if (later.length === 0) return ending;
  const ends = later.map((one) => `"${one.name}"${exitOf(one)}`).slice(0, 3);
  const message = `${ending.message} Kubernetes then made ${ends.join(", ")}, but a worker runs an operation only once.`;
  return { ...ending, message, remedy: `${ending.remedy} Set backoffLimit: 0 in the template.` };
}

function exitOf({ containers }: PodView): string {
  const ended = containers.find(({ terminated }) => terminated !== undefined)?.terminated;
  return ended === undefined ? "" : ` (exit code ${ended.exitCode})`;
}

function explainPod(pod: PodView, condition: Condition | undefined): Ending {
  const taken = interruption(pod);
  if (taken) return { ...taken, message: taken.message + exitNote(pod), logs: logsOf(pod, pod.containers[0]) };
  const init = failedInit(pod);
  if (init) return initEnd(pod, init);
  if (wasDeleted(pod))
    return end("podDeleted", "The Pod was deleted before it had ended.", logsOf(pod, pod.containers[0]));
  const container = firstFailed(pod);
  return container ? howItEnded(pod, container) : unexplained(pod, condition);
}

/** Whoever deletes a Pod has its containers killed: their exit code tells of the deletion, not of the worker. */
const wasDeleted = (pod: PodView): boolean =>
  (pod.deleting || pod.gone) &&
  pod.containers.every((container) => {
    const signal = signalOf(container);
    return container.terminated === undefined || signal === 9 || signal === 15;
  });

function unexplained(pod: PodView, condition: Condition | undefined): Ending {
  const said = condition?.message || pod.message || "the Job failed";
  const ending = end("other", `Kubernetes reports: ${said.replace(/\.*$/, "")}.`, logsOf(pod, pod.containers[0]));
  if (condition?.reason === "PodFailurePolicy") return { ...ending, ...ENDED.policy, row: "policy" };
  return { ...ending, reason: condition?.reason || ending.reason };
}

function withoutPod(condition: Condition, { job, events }: Seen): Ending {
  const taken = events && interruptionTold(events);
  if (taken) return { ...taken, logs: undefined };
  const said = (condition.message || "the Job failed").replace(/\.*$/, "");
  const message = `Kubernetes reports: ${said}; its Pod is gone.`;
  const row = condition.reason === "PodFailurePolicy" ? "policy" : "podGone";
  return { ...end(row, message, undefined), ask: nextQuestion(job.uid, events) };
}

/** First the Job's Events, which name its Pod; then those of the Pod, which outlive it. */
function nextQuestion(uid: string, events: readonly EventView[] | undefined): Ending["ask"] {
  if (events === undefined) return { uid };
  if (events.some(({ kind }) => kind === "Pod")) return undefined;
  const name = /^Created pod: (\S+)/.exec(
    events.findLast(({ reason }) => reason === "SuccessfulCreate")?.message ?? "",
  );
  return name?.[1] === undefined ? undefined : { name: name[1] };
}

/** The Job's deadline counts from its beginning, also while its Pod waits. */
function deadline(condition: Condition, seen: Seen): Ending {
  const begun = inOrder(seen.pods).findLast(hasBegun);
  const made = seen.pods.length > 0 || seen.events?.some(({ reason }) => reason === "SuccessfulCreate");
  if (begun === undefined && (seen.pods.length > 0 || made === false)) return notInTime(seen);
  const said = `The Job ran longer than its activeDeadlineSeconds allows${inBrackets(condition.message)}.`;
  const message = begun ? said + exitNote(begun) : said;
  const ask = made ? undefined : { uid: seen.job.uid };
  return { ...end("deadline", message, logsOf(begun, begun?.containers[0])), ask };
}

const inBrackets = (text: string): string => (text === "" ? "" : ` (${text})`);

function notInTime({ job, pods, events }: Seen): Ending {
  const last = newest(pods);
  // A Pod that is taken away before it began is Failed by then: what counts is what held it up.
  const alive = last && { ...last, deleting: false, gone: false, phase: "Pending" };
  const obstacle = podObstacle(alive, { job, events });
  const what = "The Job's time (activeDeadlineSeconds) was over before its worker had begun.";
  const ending = end("notInTime", obstacle ? `${what} ${obstacle.message}` : what, undefined);
  if (obstacle === undefined) return ending;
  const { fault, remedy } = obstacle;
  const ask = events === undefined ? obstacle.ask : undefined;
  return { ...ending, fault, remedy: `${remedy} ${ending.remedy}`, ask };
}
