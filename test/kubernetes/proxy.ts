// A TCP proxy in front of an API server: it counts connections, and freezes them all. What waits goes on when it thaws.
// Knows bytes only: TLS goes through it. Used by the benchmark as well, to count.
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { carry } from "./carry.ts";

export type TcpProxy = {
  /** The server's URL through the proxy. */
  readonly url: string;
  /** Opened so far. */
  readonly connections: () => number;
  /** From now on nothing comes through, not even over new connections; none is closed. */
  readonly freeze: () => void;
  readonly thaw: () => void;
  /** From now on nothing comes through the connections that there are, ever; new ones are sound. */
  readonly deafen: () => void;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

type Pair = { readonly sockets: readonly [Socket, Socket]; deaf: boolean };

/** @param server URL on 127.0.0.1 */
export async function startProxy(server: string): Promise<TcpProxy> {
  const target = new URL(server);
  const pairs = new Set<Pair>();
  let [connections, frozen] = [0, false];

  const stands = (pair: Pair): boolean => frozen || pair.deaf;
  const listener = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (near) => {
    connections++;
    const far = connect({ port: Number(target.port), host: target.hostname, allowHalfOpen: true });
    const pair: Pair = { sockets: [near, far], deaf: false };
    pairs.add(pair);
    const carried = { stands: () => stands(pair), gone: () => void pairs.delete(pair) };
    carry(near, far, carried);
    carry(far, near, carried);
    if (!frozen) near.resume();
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as { port: number };
  const each = (act: (socket: Socket) => void): void => {
    for (const pair of pairs) if (!pair.deaf) for (const socket of pair.sockets) act(socket);
  };
  return {
    url: `${target.protocol}//127.0.0.1:${port}`,
    connections: () => connections,
    freeze: () => {
      frozen = true;
      each((socket) => void socket.pause());
    },
    thaw: () => {
      frozen = false;
      each((socket) => void socket.resume());
    },
    deafen: () => {
      each((socket) => void socket.pause());
      for (const pair of pairs) pair.deaf = true;
    },
    [Symbol.asyncDispose]: async () => {
      const closed = once(listener, "close");
      listener.close();
      for (const { sockets } of pairs) for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
