// An HTTP server that answers as a test wants: with a text and its version, a refusal, too late, too little, too much.
// Speaks just enough of each store's protocol that the stores' own libraries take it for one.
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";

export type Seen = { readonly method: string; readonly url: string; readonly headers: IncomingMessage["headers"] };

export type Behaviour = (request: IncomingMessage, response: ServerResponse) => void;

export type Shelf = AsyncDisposable & {
  readonly url: string;
  readonly seen: Seen[];
  /** How many answers are under way. */
  readonly open: () => number;
  answer: Behaviour;
};

export type Tls = { readonly key: string; readonly cert: string };

export async function openShelf(answer: Behaviour, tls?: Tls): Promise<Shelf> {
  const seen: Seen[] = [];
  const open = new Set<ServerResponse>();
  const shelf = { seen, open: () => open.size, answer };
  const listener: RequestListener = (request, response) => {
    const { method = "", url = "", headers } = request;
    seen.push({ method, url, headers });
    open.add(response);
    response.once("close", () => open.delete(response));
    shelf.answer(request, response);
  };
  const server = tls ? createSecureServer(tls, listener) : createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `${tls ? "https" : "http"}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return Object.assign(shelf, {
    url,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

/** A text with its version in the headers that each protocol has for it; 304 to those who name the version. */
export const text =
  (content: string, generation = "17"): Behaviour =>
  ({ url = "", headers }, response) => {
    const etag = `"tag-${generation}"`;
    const known = [headers["if-none-match"], new URLSearchParams(url.split("?")[1]).get("ifGenerationNotMatch")];
    const version = { etag, "x-goog-generation": generation, "last-modified": "Wed, 25 Nov 2026 00:00:00 GMT" };
    if (known.includes(etag) || known.includes(generation)) response.writeHead(304, version).end();
    else {
      const length = Buffer.byteLength(content);
      response.writeHead(200, { ...version, "content-type": "text/yaml", "content-length": length }).end(content);
    }
  };

/** A refusal with a body in XML, as S3 and Azure have it, or in JSON for the others. */
export const refuse =
  (status: number, code: string, message: string): Behaviour =>
  (request, response) => {
    const google = request.url?.startsWith("/storage/v1/") === true;
    const xml = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;
    const body = google ? JSON.stringify({ error: { code: status, message } }) : xml;
    const headers = { "content-type": google ? "application/json" : "application/xml", "x-ms-error-code": code };
    response.writeHead(status, headers).end(body);
  };

export const never: Behaviour = () => undefined;

/** Announces more than it sends, and hangs up. */
export const brokenOff: Behaviour = (_, response) => {
  response.writeHead(200, { "content-length": "1000", etag: '"x"' });
  response.write("kind: Job\n", () => response.socket?.destroy());
};

const CHUNK = Buffer.alloc(65_536, "x");

/** Sends without end and without saying how much. */
export const endless: Behaviour = (_, response) => {
  response.writeHead(200, { etag: '"x"' });
  const more = (): void => {
    while (!response.destroyed && response.write(CHUNK));
    if (!response.destroyed) response.once("drain", more);
  };
  more();
};

/** Says how much comes, and sends none of it. */
export const announcing =
  (bytes: number): Behaviour =>
  (_, response) => {
    response.writeHead(200, { "content-length": String(bytes), etag: '"x"' }).flushHeaders();
  };
