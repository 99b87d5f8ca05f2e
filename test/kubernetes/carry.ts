// Carries bytes from one socket to another, of a connection that may be made to stand still. For proxies that play faults of a network;
// knows nothing of what makes it stand, nor of what is said.
import type { Socket } from "node:net";

/** `stands`: nothing passes now; whoever ends that resumes the sockets. `gone`: the connection has closed. */
export type Carried = { readonly stands: () => boolean; readonly gone: () => void };

export function carry(from: Socket, to: Socket, { stands, gone }: Carried): void {
  from.on("data", (chunk) => {
    if (!to.write(chunk)) from.pause();
  });
  to.on("drain", () => {
    if (!stands()) from.resume();
  });
  from.on("end", () => to.end());
  from.on("error", () => to.destroy());
  from.on("close", () => {
    to.destroy();
    gone();
  });
  if (stands()) from.pause();
}
