// One kept connection pool to one API server with one credential. Speaks HTTP; knows nothing of Jobs or Pods.
// The library reads the kubeconfig and makes the TLS dispatcher; it is kept here, for the library would make one per call.
import { createHash } from "node:crypto";
import type { RequestOptions } from "node:https";
import type { KubeConfig } from "@kubernetes/client-node";
import { Agent, type Dispatcher } from "undici";
import { OpjobError } from "../errors.ts";
import type { Answer } from "./answers.ts";
import type { Access } from "./kubeconfig.ts";

export type Call = {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  /** What is tried, for errors: "create the Job x". */
  readonly act: string;
  /** For metrics: the verb and resource as Kubernetes' rules call them. */
  readonly verb: string;
  readonly resource: string;
};

export type Reply = Answer & { readonly warnings: readonly string[] };
export type CallObserver = (call: Pick<Call, "verb" | "resource">, code: string, seconds: number) => void;
export type ConnectionOptions = { readonly timeoutMs: number; readonly onCall: CallObserver };

/** Tokens that a file holds are replaced about every hour; client-go looks again after a minute as well. */
const CREDENTIAL_AGE = 60_000;

type Credential = {
  readonly headers: Record<string, string>;
  readonly material: string;
  readonly dispatcher: Dispatcher;
};

export class Connection {
  readonly server: string;
  readonly #access: Access;
  readonly #options: ConnectionOptions;
  #credential: Promise<Credential> | undefined;
  #known: Credential | undefined;
  #loadedAt = Number.NEGATIVE_INFINITY;

  constructor(access: Access, options: ConnectionOptions) {
    this.server = access.server;
    this.#access = access;
    this.#options = options;
  }

  /**
   * Sends a call and reads the whole answer, whatever its status; a 401 is tried once more with fresh credentials.
   * @throws OpjobError CLUSTER_UNREACHABLE when no answer came before the deadline
   */
  async call(call: Call): Promise<Reply> {
    const reply = await this.#send(call);
    if (reply.status !== 401) return reply;
    this.#credential = undefined;
    return this.#send(call);
  }

  /**
   * Opens a call whose answer is read as it comes. The caller reads or destroys the body.
   * @throws OpjobError CLUSTER_UNREACHABLE
   */
  async open(call: Call, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const started = performance.now();
    try {
      const response = await this.#request(call, signal, 0);
      this.#observe(call, String(response.statusCode), started);
      if (response.statusCode === 401) this.#credential = undefined;
      return response;
    } catch (error) {
      this.#observe(call, "none", started);
      throw this.#unreachable(call, error);
    }
  }

  async close(): Promise<void> {
    await this.#known?.dispatcher.destroy();
  }

  async #send(call: Call): Promise<Reply> {
    const started = performance.now();
    try {
      const signal = AbortSignal.timeout(this.#options.timeoutMs);
      const response = await this.#request(call, signal, this.#options.timeoutMs);
      const body = await response.body.text();
      this.#observe(call, String(response.statusCode), started);
      return {
        status: response.statusCode,
        body,
        retryAfter: first(response.headers["retry-after"]),
        warnings: warningsOf(response.headers["warning"]),
      };
    } catch (error) {
      this.#observe(call, "none", started);
      throw this.#unreachable(call, error);
    }
  }

  async #request(call: Call, signal: AbortSignal, timeoutMs: number): Promise<Dispatcher.ResponseData> {
    const { headers, dispatcher } = await this.#credentials();
    const url = new URL(`${this.#access.config.getCurrentCluster()?.server ?? ""}`);
    const body = call.body === undefined ? null : JSON.stringify(call.body);
    return dispatcher.request({
      origin: url.origin,
      path: `${url.pathname.replace(/\/$/, "")}${call.path}${queryText(call.query)}`,
      method: call.method,
      headers: {
        accept: "application/json",
        ...headers,
        ...(body === null ? {} : { "content-type": "application/json" }),
      },
      body,
      signal,
      headersTimeout: timeoutMs === 0 ? 30_000 : timeoutMs,
      bodyTimeout: timeoutMs,
    });
  }

  #credentials(): Promise<Credential> {
    const old = performance.now() - this.#loadedAt > CREDENTIAL_AGE;
    if (this.#credential === undefined || old) {
      this.#loadedAt = performance.now();
      const loading = this.#load();
      this.#credential = loading;
      loading.catch(() => {
        if (this.#credential === loading) this.#credential = undefined;
      });
    }
    return this.#credential;
  }

  /** Reads token and certificates again; the connections stay unless the certificates changed. */
  async #load(): Promise<Credential> {
    const options: RequestOptions = { headers: {} };
    await this.#access.config.applyToHTTPSOptions(options);
    const { ca, cert, key } = options;
    const material = createHash("sha256")
      .update(JSON.stringify([ca, cert, key].map(String)))
      .digest("hex");
    const headers = textHeaders(options);
    const previous = this.#known;
    if (previous?.material === material) {
      this.#known = { ...previous, headers };
      return this.#known;
    }
    const dispatcher = await this.#dispatcher();
    this.#known = { headers, material, dispatcher };
    // Calls in flight on the old connections are answered first.
    previous?.dispatcher.close().catch(() => undefined);
    return this.#known;
  }

  async #dispatcher(): Promise<Dispatcher> {
    let made: Dispatcher | undefined;
    const context = {
      setHeaderParam: () => undefined,
      setDispatcher: (dispatcher: Dispatcher) => {
        made = dispatcher;
      },
    };
    type Context = Parameters<KubeConfig["applySecurityAuthentication"]>[0];
    await this.#access.config.applySecurityAuthentication(context as unknown as Context);
    return made ?? new Agent({ connect: { keepAlive: true, keepAliveInitialDelay: 30_000 } });
  }

  #observe(call: Call, code: string, started: number): void {
    this.#options.onCall(call, code, (performance.now() - started) / 1_000);
  }

  #unreachable(call: Call, cause: unknown): OpjobError {
    if (cause instanceof OpjobError) return cause;
    const { name, code, message } = cause as NodeJS.ErrnoException;
    const why = name === "TimeoutError" ? "no answer before the deadline" : (code ?? message);
    return new OpjobError(
      "CLUSTER_UNREACHABLE",
      `The cluster ${this.server} could not be reached to ${call.act}: ${why}.`,
      {
        cause,
      },
    );
  }
}

function textHeaders({ headers, auth }: RequestOptions): Record<string, string> {
  const basic = auth ? { Authorization: `Basic ${Buffer.from(auth).toString("base64")}` } : {};
  const entries = Object.entries(headers ?? {}).map(([name, value]) => [name, String(value).trim()]);
  return { ...Object.fromEntries(entries), ...basic };
}

function queryText(query: Call["query"]): string {
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined);
  const texts = Object.fromEntries(given.map(([name, value]) => [name, String(value)]));
  return given.length === 0 ? "" : `?${new URLSearchParams(texts).toString()}`;
}

const first = (header: string | string[] | undefined): string | undefined =>
  Array.isArray(header) ? header[0] : header;

/** `299 - "unknown field \"spec.x\""` → `unknown field "spec.x"`. */
function warningsOf(header: string | string[] | undefined): string[] {
  const lines = header === undefined ? [] : Array.isArray(header) ? header : [header];
  return lines.flatMap((line) =>
    [...line.matchAll(/\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, text]) => (text ?? "").replaceAll('\\"', '"')),
  );
}
