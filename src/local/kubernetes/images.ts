// Which images the node can have, and what the kubelet says of those that it cannot. Nothing is ever pulled: containers are
// local processes (or simulated), and an image is only a name.

/** A reason for which a container waits. */
export type Trouble = { readonly reason: string; readonly message: string };

const DOMAIN = "(?:[a-zA-Z0-9.-]+(?::[0-9]+)?/)?";
const PATH = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const REFERENCE = new RegExp(
  `^${DOMAIN}${PATH}(?:/${PATH})*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@[a-z0-9]+:[0-9a-f]{32,})?$`,
);

export class Images {
  readonly #refused = new Set<RegExp>();
  readonly #present: ReadonlySet<string> | undefined;

  /** @param present the images that there are; all if not given */
  constructor(present?: readonly string[]) {
    this.#present = present && new Set(present);
  }

  /** Images whose name matches cannot be pulled. @param pattern a RegExp, or the whole name */
  refuse(pattern: RegExp | string): () => void {
    const test =
      typeof pattern === "string" ? new RegExp(`^${pattern.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`) : pattern;
    this.#refused.add(test);
    return () => this.#refused.delete(test);
  }

  allowAll(): void {
    this.#refused.clear();
  }

  /** InvalidImageName or ErrImagePull, with the container runtime's message; undefined if the image is there. */
  trouble(image: string): Trouble | undefined {
    if (!REFERENCE.test(image)) {
      const why = `couldn't parse image name "${image}": invalid reference format`;
      return { reason: "InvalidImageName", message: `Failed to apply default image tag "${image}": ${why}` };
    }
    const missing = this.#present?.has(image) === false || [...this.#refused].some((pattern) => pattern.test(image));
    if (!missing) return undefined;
    const full = fullName(image);
    const why = `failed to pull and unpack image "${full}": failed to resolve reference "${full}": ${full}: not found`;
    return { reason: "ErrImagePull", message: `rpc error: code = NotFound desc = ${why}` };
  }
}

/** What a pull that failed waits with before it is tried again. */
export const backOff = (image: string, { reason, message }: Trouble): Trouble => ({
  reason: "ImagePullBackOff",
  message: `Back-off pulling image "${image}": ${reason}: ${message}`,
});

/** With its tag; the registry that a runtime would add to a bare name is none of ours to say. */
const fullName = (image: string): string => (/:[^/]*$/.test(image) ? image : `${image}:latest`);
