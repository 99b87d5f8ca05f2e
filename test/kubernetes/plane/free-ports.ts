// Ports of 127.0.0.1 that nobody uses now. All are held until the last is known, so that no two are the same.
import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";

/** Test runs in several workers: what one is about to use another must not be given. */
const WORKER = Number(process.env["JEST_WORKER_ID"] ?? 0);
const WORKERS = 8;

export async function freePorts(count: number): Promise<number[]> {
  const held: Server[] = [];
  const ports: number[] = [];
  while (ports.length < count) {
    const server = await listen();
    const { port } = server.address() as AddressInfo;
    held.push(server);
    // Linux gives such ports in steps of two.
    if ((port >> 1) % WORKERS === WORKER % WORKERS) ports.push(port);
  }
  await Promise.all(held.map((server) => new Promise((closed) => server.close(closed))));
  return ports;
}

async function listen(): Promise<Server> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}
