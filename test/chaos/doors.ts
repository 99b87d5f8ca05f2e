// TCP doors before servers on this machine, so that some are cut off from a server which others still reach.
// Tells who comes by which process holds the other end of a connection (Linux' /proc); knows nothing of what is said.
import { once } from "node:events";
import { readdir, readFile, readlink } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { carry } from "../kubernetes/carry.ts";

/** `from`: the process that came, if it is one of those that are told apart; `to`: the port behind the door. */
export type Way = { readonly from: number | undefined; readonly to: number };

export type Doors = AsyncDisposable & {
  /** Opens a door before a port of 127.0.0.1. @returns the port of the door */
  readonly open: (port: number) => Promise<number>;
  /** From now on nothing passes on these ways; no connection is closed, and what waits goes on after `mend`. */
  readonly cut: (isCut: (way: Way) => boolean) => void;
  readonly mend: () => void;
  /** From now on nothing passes over the connections that there are, ever; new ones are sound. */
  readonly deafen: (isMeant: (way: Way) => boolean) => void;
};

type Link = Way & { readonly sockets: readonly [Socket, Socket]; deaf: boolean };

/** @param pids processes that are told apart, as they are now */
export function createDoors(pids: () => readonly (number | undefined)[]): Doors {
  const servers: Server[] = [];
  const links = new Set<Link>();
  let isCut: (way: Way) => boolean = () => false;

  const stands = (link: Link): boolean => link.deaf || isCut(link);
  const come = async (near: Socket, to: number): Promise<void> => {
    near.on("error", () => near.destroy());
    const from = await holderOf(near.remotePort ?? 0, near.localPort ?? 0, pids());
    const far = connect({ port: to, host: "127.0.0.1", allowHalfOpen: true });
    const link: Link = { sockets: [near, far], from, to, deaf: false };
    links.add(link);
    const carried = { stands: () => stands(link), gone: () => void links.delete(link) };
    carry(near, far, carried);
    carry(far, near, carried);
    if (!stands(link)) near.resume();
  };
  const turn = (which: "pause" | "resume"): void => {
    for (const link of links) if (!link.deaf && isCut(link)) for (const socket of link.sockets) socket[which]();
  };
  return {
    open: async (port) => {
      const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (near) => void come(near, port));
      servers.push(server);
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      return (server.address() as { port: number }).port;
    },
    cut: (rule) => {
      isCut = rule;
      turn("pause");
    },
    mend: () => {
      turn("resume");
      isCut = () => false;
    },
    deafen: (isMeant) => {
      for (const link of links) if (isMeant(link)) link.deaf = true;
      for (const { deaf, sockets } of links) if (deaf) for (const socket of sockets) socket.pause();
    },
    [Symbol.asyncDispose]: async () => {
      const closed = servers.map((server) => once(server, "close"));
      for (const server of servers) server.close();
      for (const { sockets } of links) for (const socket of sockets) socket.destroy();
      await Promise.all(closed);
    },
  };
}

const hex = (port: number): string => `:${port.toString(16).toUpperCase().padStart(4, "0")}`;

/** Which of these processes holds the end of a connection on `port` whose other end is on `door`; undefined: none of them. */
async function holderOf(
  port: number,
  door: number,
  pids: readonly (number | undefined)[],
): Promise<number | undefined> {
  const lines = (await readFile("/proc/net/tcp", "utf8")).split("\n").map((line) => line.trim().split(/\s+/));
  const line = lines.find(([, local, remote]) => local?.endsWith(hex(port)) && remote?.endsWith(hex(door)));
  const inode = line?.[9];
  if (inode === undefined) return undefined;
  for (const pid of pids) if (pid !== undefined && (await holds(pid, `socket:[${inode}]`))) return pid;
  return undefined;
}

async function holds(pid: number, file: string): Promise<boolean> {
  const folder = `/proc/${pid}/fd`;
  const open = await readdir(folder).catch(() => []);
  const files = await Promise.all(open.map((one) => readlink(join(folder, one)).catch(() => "")));
  return files.includes(file);
}
