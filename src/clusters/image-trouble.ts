// Why a container's image is not there, from the words of the node and of the registry behind it. Pure.
import type { EventView } from "./events.ts";
import type { ContainerView, PodView } from "./observation.ts";
import { sentence } from "./reasons.ts";
import { met, type Obstacle, WAITING, type WaitingId } from "./waiting-reasons.ts";

const IMAGE_REASONS = new Set([
  "ErrImagePull",
  "ImagePullBackOff",
  "ImageInspectError",
  "RegistryUnavailable",
  "SignatureValidationFailed",
]);

/** Whether a container that waits for this reason has no image. */
export const lacksImage = (reason: string): boolean =>
  IMAGE_REASONS.has(reason) || reason === "InvalidImageName" || reason === "ErrImageNeverPull";

/** The first that fits counts; words that nobody knows mean a wrong name. */
const WORDS: readonly (readonly [RegExp, WaitingId])[] = [
  [/\b429\b|toomanyrequests|too many requests|pull QPS exceeded/i, "registryBusy"],
  [/no match for platform|no matching manifest/i, "imagePlatform"],
  [/no such host|not found|manifest unknown|name unknown/i, "imageMissing"],
  [/unauthorized|denied|forbidden|no basic auth|insufficient_scope|authentication required/i, "imageDenied"],
  [/refused|reset by peer|timeout|timed out|deadline exceeded|unreachable|no route to host|\bEOF\b/i, "registryAway"],
  [/unavailable|\b50[0234]\b|server misbehaving|temporary failure/i, "registryAway"],
];

/** What the image's absence means; undefined where the container waits for something else. */
export function imageTrouble(pod: PodView, container: ContainerView, events: Told): Obstacle | undefined {
  const { reason = "", message = "" } = container.waiting ?? {};
  const image = `The image "${container.image}" of container "${container.name}"`;
  if (reason === "InvalidImageName")
    return met("imageName", sentence(`${image} has a name that is not valid`, message));
  if (reason === "ErrImageNeverPull") {
    return met("imageNeverPulled", `${image} is not on the node, and imagePullPolicy: Never forbids to pull it.`);
  }
  return IMAGE_REASONS.has(reason) ? failedPull(`${image} cannot be pulled`, pod, container, events) : undefined;
}

type Told = readonly EventView[] | undefined;

function failedPull(what: string, pod: PodView, container: ContainerView, events: Told): Obstacle {
  const { reason = "", message = "" } = container.waiting ?? {};
  const said = causeOf(message) ?? causeOf(pullError(container, events ?? []));
  if (said !== undefined) return met(rowOf(`${reason} ${said}`), sentence(what, said));
  // Clusters before 1.32 tell the error only until the pause before the next try.
  const ask = events === undefined ? { uid: pod.uid, afterMs: 0 } : undefined;
  return met("imageBackOff", sentence(what, message || reason), { ask, lessThan: BETTER });
}

const BETTER = [WAITING.registryBusy.reason, WAITING.imageMissing.reason];

const rowOf = (said: string): WaitingId => WORDS.find(([words]) => words.test(said))?.[1] ?? "imageMissing";

/** The error itself, whether the node is pulling or pausing: so that the words stay the same. */
function causeOf(message: string): string | undefined {
  const cause = message.replace(/^Back-off pulling image "[^"]*"(: ErrImagePull)?(: )?/, "");
  return cause === "" ? undefined : cause;
}

function pullError({ image }: ContainerView, events: readonly EventView[]): string {
  const head = `Failed to pull image "${image}": `;
  return events.findLast(({ message }) => message.startsWith(head))?.message.slice(head.length) ?? "";
}
