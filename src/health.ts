// /healthz, /readyz and /metrics. Alive means that the loops make progress; a cluster's outage never makes us unhealthy,
// for a restart would cure nothing. Ready means that MongoDB answers and the first scan is done.
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { MongoClient } from "mongodb";
import type { FeedState } from "./feeds.ts";

export type HealthOptions = {
  readonly host: string;
  readonly port: number;
  /** Names of loops that have made no progress for too long. */
  readonly stalled: () => string[];
  /** Why work cannot be taken now; empty: ready. */
  readonly unready: () => Promise<string[]>;
  /** What this replica is to the others, for people. */
  readonly role: () => string;
  readonly metrics: () => Promise<{ readonly text: string; readonly type: string }>;
};

export type HealthServer = { readonly port: number; close(): Promise<void> };

/** Serves until closed. @throws the socket's error when the port cannot be had */
export async function serveHealth(options: HealthOptions): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const path = (request.url ?? "/").split("?", 1)[0];
    answer(path ?? "/", options, response).catch(() => {
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, () => resolve());
  });
  return { port: (server.address() as AddressInfo).port, close: () => closeServer(server) };
}

/** Why work cannot be taken now; empty: it can. */
export async function unready(client: MongoClient, { scanned, cut }: FeedState): Promise<string[]> {
  const faults = scanned ? [] : ["the first scan is not done"];
  if (cut.has("delegated_ops")) faults.push("the changes of delegated_ops are cut off");
  const answers = await client
    .db("admin")
    .command({ ping: 1 }, { timeoutMS: 2_000 })
    .then(
      () => true,
      () => false,
    );
  return answers ? faults : [...faults, "MongoDB does not answer"];
}

async function answer(path: string, options: HealthOptions, response: ServerResponse): Promise<void> {
  if (path === "/metrics") {
    const { text, type } = await options.metrics();
    response.writeHead(200, { "content-type": type }).end(text);
    return;
  }
  if (path !== "/healthz" && path !== "/readyz") {
    response.writeHead(404).end("not found\n");
    return;
  }
  const faults = path === "/healthz" ? options.stalled() : await options.unready();
  response.writeHead(faults.length === 0 ? 200 : 503, { "content-type": "text/plain" });
  const fine = path === "/healthz" ? "ok\n" : `ok\n${options.role()}\n`;
  response.end(faults.length === 0 ? fine : `${faults.join("\n")}\n`);
}

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}
