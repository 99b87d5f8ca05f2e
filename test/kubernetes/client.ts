// Speaks HTTP to a Kubernetes API as the kubeconfig says, and gives back what came: status, headers, body.
// Knows bearer tokens and certificates in a kubeconfig; judges nothing.
import { Agent, type Dispatcher } from "undici";
import { parse } from "yaml";

/** The fields that tests read of any object, list or Status; what an answer lacks is undefined. */
export type Thing = {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly creationTimestamp: string;
    readonly deletionTimestamp?: string;
    readonly generateName?: string;
    readonly finalizers?: readonly string[];
    readonly generation?: number;
    readonly continue?: string;
    readonly remainingItemCount?: number;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly Readonly<Record<string, unknown>>[];
  };
  readonly spec: Readonly<Record<string, unknown>>;
  readonly status: Readonly<Record<string, unknown>> & {
    readonly conditions?: readonly Condition[];
    readonly phase?: string;
    readonly containerStatuses?: readonly {
      readonly restartCount: number;
      readonly state: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
      readonly lastState?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
    }[];
  };
  readonly items: readonly Thing[];
  /** Of an Event. */
  readonly count: number;
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  readonly details: {
    readonly name?: string;
    readonly uid?: string;
    readonly causes?: readonly { readonly reason: string; readonly message: string; readonly field: string }[];
  };
};

export type Condition = {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
};
export type Reply = {
  readonly code: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The body, if it is JSON. @throws SyntaxError */
  readonly body: Thing;
};
export type Event = { readonly type: string; readonly object: Thing };
export type Query = Readonly<Record<string, string | number | boolean>>;
type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
export type Sent = {
  readonly body?: unknown;
  readonly query?: Query;
  readonly headers?: Readonly<Record<string, string>>;
};

type Kubeconfig = {
  readonly clusters: readonly {
    readonly cluster: { readonly server: string; readonly "certificate-authority-data"?: string };
  }[];
  readonly users?: readonly { readonly user: { readonly token?: string } }[];
};

const ANSWER_WITHIN_MS = 30_000;

export class Client {
  readonly #server: string;
  readonly #token: string | undefined;
  readonly #agent: Agent;

  /** @param kubeconfig its text, with one cluster and one user */
  constructor(kubeconfig: string) {
    const { clusters, users } = parse(kubeconfig) as Kubeconfig;
    const cluster = clusters[0]?.cluster;
    if (cluster === undefined) throw new Error("the kubeconfig has no cluster");
    const authority = cluster["certificate-authority-data"];
    const connect = authority === undefined ? {} : { ca: Buffer.from(authority, "base64") };
    this.#server = cluster.server;
    this.#token = users?.[0]?.user.token;
    this.#agent = new Agent({ connect });
  }

  /** Sends a request and reads the whole answer. A text as body is sent as it is, all else as JSON. */
  async send(method: Method, path: string, sent: Sent = {}): Promise<Reply> {
    const response = await this.#request(method, path, sent, AbortSignal.timeout(ANSWER_WITHIN_MS));
    const text = await response.body.text();
    return {
      code: response.statusCode,
      headers: response.headers,
      text,
      get body() {
        return JSON.parse(text) as Thing;
      },
    };
  }

  /** The events of a watch until it ends or the signal aborts. @throws Error where the answer is not 200 */
  async *watch(path: string, query: Query, signal: AbortSignal): AsyncGenerator<Event> {
    const response = await this.#request("GET", path, { query: { watch: true, ...query } }, signal);
    if (response.statusCode !== 200) throw new Error(`${response.statusCode}: ${await response.body.text()}`);
    const decoder = new TextDecoder();
    let rest = "";
    try {
      for await (const chunk of response.body as AsyncIterable<Buffer>) {
        const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) yield JSON.parse(line) as Event;
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      response.body.on("error", () => undefined).destroy();
    }
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }

  #request(method: Method, path: string, sent: Sent, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const { body, query = {}, headers = {} } = sent;
    const texts = Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]);
    const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
    return this.#agent.request({
      origin: this.#server,
      path: texts.length === 0 ? path : `${path}?${new URLSearchParams(texts).toString()}`,
      method,
      headers: {
        accept: "application/json",
        ...(this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }),
        ...(text === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      body: text ?? null,
      signal,
      headersTimeout: ANSWER_WITHIN_MS,
      bodyTimeout: 0,
    });
  }
}
