// What must be there before a container starts: its image, and the Secrets and ConfigMaps that its environment names.
// Waits and looks again, as the kubelet does; starts nothing.
import type { Core } from "./core.ts";
import { ConfigMissing, environmentOf, type Variables } from "./environment.ts";
import { backOff, type Images, type Trouble } from "./images.ts";
import type { Container, Pod } from "./objects.ts";

export type PreparationParts = {
  readonly core: Core;
  readonly images: Images;
  readonly timing: { readonly pullRetryMs: number; readonly configRetryMs: number };
};
export type Preparing = {
  readonly signal: AbortSignal;
  /** Shows why the container waits. */
  readonly waits: (trouble: Trouble) => void;
  readonly say: (reason: string, message: string, warning?: boolean) => void;
};

/** The container's environment, once all is there. @returns undefined if the signal aborts before */
export async function prepare(
  parts: PreparationParts,
  pod: Pod,
  container: Container,
  view: Preparing,
): Promise<Variables | undefined> {
  const { core, timing } = parts;
  while (!view.signal.aborted) {
    if (await pullFails(parts, container.image, view)) continue;
    try {
      return environmentOf(core.store, pod, container);
    } catch (error) {
      if (!(error instanceof ConfigMissing)) throw error;
      view.waits({ reason: "CreateContainerConfigError", message: error.message });
      view.say("Failed", `Error: ${error.message}`, true);
      await core.clock.sleep(timing.configRetryMs, view.signal);
    }
  }
  return undefined;
}

/** One try to have the image, with the wait that follows a failure. */
async function pullFails({ core, images, timing }: PreparationParts, image: string, view: Preparing): Promise<boolean> {
  const trouble = images.trouble(image);
  if (!trouble) return false;
  const invalid = trouble.reason === "InvalidImageName";
  if (invalid) view.say("InspectFailed", trouble.message, true);
  else {
    view.say("Pulling", `Pulling image "${image}"`);
    view.say("Failed", `Failed to pull image "${image}": ${trouble.message}`, true);
  }
  view.say("Failed", `Error: ${trouble.reason}`, true);
  view.waits(trouble);
  await core.clock.sleep(timing.pullRetryMs / 2, view.signal);
  if (invalid || view.signal.aborted || !images.trouble(image)) return true;
  view.say("BackOff", `Back-off pulling image "${image}"`);
  view.say("Failed", "Error: ImagePullBackOff", true);
  view.waits(backOff(image, trouble));
  await core.clock.sleep(timing.pullRetryMs / 2, view.signal);
  return true;
}
