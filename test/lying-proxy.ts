// A proxy on the way to an API server that may give answers of its own: a load balancer's 404, a list with nothing in it,
// a watch that says nothing any more. Knows HTTP; must not know what a test expects.
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export type Asked = {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
};
export type Lie = { readonly status: number; readonly body: string };

export type LyingProxy = {
  readonly url: string;
  /** All requests so far, as `GET /path`. */
  readonly asked: string[];
  /** What is answered instead of the truth from now on; undefined: the truth. */
  lie: (asked: Asked) => Lie | undefined;
  /** From now on nothing comes through the watches that are open. */
  muteWatches: () => void;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

/** @param origin of the API server, with http */
export async function startLyingProxy(origin: string): Promise<LyingProxy> {
  const watches = new Set<() => void>();
  const forward = (from: IncomingMessage, to: ServerResponse, isWatch: boolean): void => {
    const onward = request(`${origin}${from.url}`, { method: from.method, headers: from.headers }, (answer) => {
      to.writeHead(answer.statusCode ?? 502, answer.headers);
      if (isWatch) watches.add(() => answer.unpipe(to).resume());
      answer.pipe(to);
      answer.on("error", () => to.destroy());
    });
    onward.on("error", () => to.destroy());
    to.on("close", () => onward.destroy());
    from.pipe(onward);
  };
  const server = createServer((from, to) => {
    const { pathname: path, searchParams: query } = new URL(from.url ?? "/", origin);
    proxy.asked.push(`${from.method} ${path}`);
    const lie = proxy.lie({ method: from.method ?? "", path, query });
    if (lie === undefined) forward(from, to, query.get("watch") === "true");
    else to.writeHead(lie.status, { "content-type": "text/html" }).end(lie.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const proxy: LyingProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: [],
    lie: () => undefined,
    muteWatches: () => {
      for (const mute of watches) mute();
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}
