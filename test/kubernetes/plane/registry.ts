// The registry of every image that a node does not have: a small server on this machine, so that no test asks the internet.
// It has no image at all; how it says so goes by the registry's name in the image's.
import { once } from "node:events";
import { createServer } from "node:http";

/** At every other name: 404. */
export const REGISTRIES = {
  /** 429, always. */
  busy: "busy.test",
  /** 401, as for a private repository without credentials. */
  locked: "locked.test",
  /** Nobody listens there. */
  down: "down.test",
} as const;

export type Registry = { readonly close: () => Promise<void> };

const refusal = (code: string, message: string): string => JSON.stringify({ errors: [{ code, message }] });

export async function startRegistry(port: number): Promise<Registry> {
  const server = createServer((request, response) => {
    // containerd says for whom it asks a mirror.
    const asked = new URL(request.url ?? "/", "http://registry").searchParams.get("ns");
    const [code, text] =
      asked === REGISTRIES.busy
        ? [429, refusal("TOOMANYREQUESTS", "you have reached your pull rate limit")]
        : asked === REGISTRIES.locked
          ? [401, refusal("UNAUTHORIZED", "authentication required")]
          : [404, refusal("MANIFEST_UNKNOWN", "manifest unknown")];
    response.writeHead(code, { "content-type": "application/json" }).end(request.method === "HEAD" ? undefined : text);
  }).listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    close: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
