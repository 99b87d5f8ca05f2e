// The HTTP side: bodies in, answers and streams out, connections counted. What a request means is told by `handle`.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Answer } from "./call.ts";
import { ApiFailure, internalError, tooLarge } from "./status.ts";
import type { Stream } from "./watching.ts";

export type Arrival = {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  /** Texts for `Warning` headers of the answer. */
  readonly warnings: string[];
  /** Opens an answer that goes on; the verb then answers nothing more. */
  readonly open: (type: string) => Stream;
  readonly answer: (answer: Answer) => void;
  /** Destroys the connection without an answer. */
  readonly lose: () => void;
};

const MOST_BODY = 3 * 2 ** 20;
const MOST_UNSENT = 64 * 2 ** 20;

export class ApiServer {
  readonly #handle: (arrival: Arrival) => void | Promise<void>;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Calls a function now, or later while the server is frozen. */
  readonly #gate: (call: () => void) => void;
  connections = 0;

  constructor(handle: (arrival: Arrival) => void | Promise<void>, gate: (call: () => void) => void) {
    this.#handle = handle;
    this.#gate = gate;
    this.#server = createServer({ keepAliveTimeout: 60_000, requestTimeout: 0 }, (request, response) =>
      this.#receive(request, response),
    );
    this.#server.on("connection", (socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
  }

  /** @param port 0 for any free one @returns the URL */
  listen(port: number): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, "127.0.0.1", () => {
        resolve(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`);
      });
    });
  }

  close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    for (const socket of this.#sockets) socket.destroy();
    return closed;
  }

  #receive(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= MOST_BODY) chunks.push(chunk);
      else if (!response.headersSent) refuse(response, tooLarge(MOST_BODY));
    });
    request.on("error", () => response.destroy());
    response.on("error", () => undefined);
    request.on("end", () => {
      if (size > MOST_BODY) return;
      const arrival = this.#arrival(request, response, Buffer.concat(chunks));
      void this.#run(arrival);
    });
  }

  /** Runs to the first await in the tick of the arrival, so that a write and its watch events share it. */
  async #run(arrival: Arrival): Promise<void> {
    try {
      await this.#handle(arrival);
    } catch (error) {
      const failure =
        error instanceof ApiFailure
          ? error
          : internalError(error instanceof Error ? (error.stack ?? error.message) : String(error));
      arrival.answer({ code: failure.status.code, body: JSON.stringify(failure.status) });
    }
  }

  #arrival(request: IncomingMessage, response: ServerResponse, body: Buffer): Arrival {
    const [path = "/", search = ""] = (request.url ?? "/").split("?", 2);
    const warnings: string[] = [];
    return {
      method: request.method ?? "GET",
      path,
      query: new URLSearchParams(search),
      headers: request.headers,
      body: body.toString(),
      warnings,
      answer: (answer) => this.#gate(() => send(response, answer, warnings)),
      open: (type) => this.#open(response, type),
      lose: () => request.socket.destroy(),
    };
  }

  #open(response: ServerResponse, type: string): Stream {
    this.#gate(() => {
      if (response.destroyed) return;
      response.writeHead(200, { "content-type": type, "cache-control": "no-cache, private" });
      response.flushHeaders();
    });
    return {
      write: (line) =>
        this.#gate(() => {
          if (response.writableEnded || response.destroyed) return;
          response.write(line);
          if (response.writableLength > MOST_UNSENT) response.destroy(); // the real server drops slow watchers, too
        }),
      end: () => this.#gate(() => response.end()),
      destroy: () => response.destroy(),
      onClose: (call) => response.on("close", call),
    };
  }
}

/** What was refused is read to its end all the same: a client that still writes does not listen. */
function refuse(response: ServerResponse, { status }: ApiFailure): void {
  send(response, { code: status.code, body: JSON.stringify(status) }, []);
}

function send(
  response: ServerResponse,
  { code, body, type = "application/json" }: Answer,
  warnings: readonly string[],
): void {
  if (response.headersSent || response.destroyed) return;
  const headers: Record<string, string | string[] | number> = {
    "content-type": type,
    "cache-control": "no-cache, private",
    "content-length": Buffer.byteLength(body),
  };
  if (warnings.length > 0) headers["warning"] = warnings.map((text) => `299 - ${JSON.stringify(text)}`);
  if (code === 204) delete headers["content-length"];
  const retryAfter = code === 429 || code === 503 ? retryAfterOf(body) : undefined;
  if (retryAfter !== undefined) headers["retry-after"] = retryAfter;
  response.writeHead(code, headers).end(body);
}

function retryAfterOf(body: string): number | undefined {
  const status = JSON.parse(body) as { readonly details?: { readonly retryAfterSeconds?: number } };
  return status.details?.retryAfterSeconds;
}
