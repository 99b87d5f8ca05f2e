// An HTTP server that answers as a test says, and tells what it was asked over how many connections.
// For answers that no real or local API server gives when it is wanted; knows nothing of Kubernetes but paths.
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createSecureServer, type ServerOptions } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { stringify } from "yaml";
import { type Access, accessFromText } from "../../src/clusters/kubeconfig.ts";
import { Cluster } from "../../src/clusters/kubernetes.ts";
import { Traffic, UNLIMITED } from "../../src/clusters/traffic.ts";

export type Asked = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly connection: number;
};
export type Handler = (asked: Asked) => void;

export type Scripted = {
  readonly url: string;
  /** "GET /path?query", in order. */
  readonly asked: readonly string[];
  readonly connections: () => number;
  /** From now on requests are answered so. */
  readonly answer: (handler: Handler) => void;
  [Symbol.asyncDispose](): Promise<void>;
};

export async function scripted(handler: Handler, secure?: ServerOptions): Promise<Scripted> {
  const asked: string[] = [];
  const sockets = new Map<Socket, number>();
  let current = handler;
  const receive = (request: IncomingMessage, response: ServerResponse): void => {
    asked.push(`${request.method} ${request.url}`);
    request.resume();
    request.on("end", () => current({ request, response, connection: sockets.get(request.socket) ?? 0 }));
  };
  const server = secure ? createSecureServer(secure, receive) : createServer(receive);
  let connections = 0;
  server.on(secure ? "secureConnection" : "connection", (socket: Socket) => {
    sockets.set(socket, ++connections);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `${secure ? "https" : "http"}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    asked,
    connections: () => connections,
    answer: (next) => {
      current = next;
    },
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets.keys()) socket.destroy();
      await closed;
    },
  };
}

export function kubeconfigOf(server: string, user: object = { token: "t" }): string {
  return stringify({
    clusters: [{ name: "c", cluster: { server, "insecure-skip-tls-verify": true } }],
    users: [{ name: "u", user }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
    "current-context": "x",
  });
}

export const accessTo = (server: string, user?: object): Access =>
  accessFromText(kubeconfigOf(server, user), "the test", { context: undefined, allowExec: true });

export type ClientOptions = {
  readonly timeoutMs?: number;
  readonly traffic?: Traffic;
  readonly credentialAgeMs?: number;
  readonly onCall?: (code: string) => void;
};

/** opjob's client of a server; close it with `await using`. */
export function clientOf(access: Access, options: ClientOptions = {}): Cluster & AsyncDisposable {
  const { timeoutMs = 5_000, traffic = new Traffic(access.server, UNLIMITED), onCall = () => undefined } = options;
  const { credentialAgeMs = 60_000 } = options;
  const cluster = new Cluster(access, {
    timeoutMs,
    traffic,
    credentialAgeMs,
    onCall: (_, code) => onCall(code),
  });
  return Object.assign(cluster, { [Symbol.asyncDispose]: () => cluster.close() });
}

export const json = ({ response }: Asked, code: number, body: object, headers: Record<string, string> = {}): void =>
  void response.writeHead(code, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));

export const status = (asked: Asked, code: number, reason: string, message: string): void =>
  json(asked, code, { kind: "Status", status: "Failure", code, reason, message });

export const JOB = { metadata: { name: "a", namespace: "n", uid: "u" }, spec: {}, status: {} };
