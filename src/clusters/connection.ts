// The kept connections to one API server with one credential. Speaks HTTP; knows nothing of Jobs or Pods.
// Every call has a deadline and is tried again where that is safe; connections that do not answer are left for new ones.
import { setTimeout as sleep } from "node:timers/promises";
import { Agent, type Dispatcher, errors } from "undici";
import { OpjobError } from "../errors.ts";
import { type Answer, retryAfterOf } from "./answers.ts";
import { type Call, first, objection, targetOf, warningsOf } from "./call.ts";
import { CREDENTIAL_AGE, type Credential, Credentials } from "./credentials.ts";
import type { Access } from "./kubeconfig.ts";
import { Reach } from "./reach.ts";
import { pauseAfter } from "./retry.ts";
import type { Traffic } from "./traffic.ts";

export type Reply = Answer & { readonly warnings: readonly string[] };
export type CallObserver = (call: Pick<Call, "verb" | "resource">, code: string, seconds: number) => void;
export type ConnectionOptions = {
  readonly timeoutMs: number;
  readonly onCall: CallObserver;
  /** Shared by all connections to the same API server. */
  readonly traffic: Traffic;
  /** How old a credential may get before its files are read again. */
  readonly credentialAgeMs?: number;
};

/** An answer that is read as it comes. */
export type Stream = Pick<Answer, "status" | "retryAfterMs"> & { readonly body: Dispatcher.ResponseData["body"] };

/** One set of TCP connections: what is opened with the same certificates, until it proves dead. */
type Link = { readonly dispatcher: Dispatcher; readonly material: string; readonly streams: Set<Stream["body"]> };
type Outcome = { readonly reply?: Reply; readonly cause?: unknown; readonly withheld?: unknown };

/** The API server closes a connection on which nothing happens after 90 s (ms). */
const IDLE = 60_000;
/** A dead connection on which nothing is sent is found by the kernel after this and ten more seconds (ms). */
const KEEP_ALIVE = 30_000;

export class Connection {
  readonly server: string;
  readonly #options: ConnectionOptions;
  readonly #credentials: Credentials;
  readonly #reach = new Reach();
  readonly #closing = new AbortController();
  readonly #links = new Set<Link>();
  #link: Link | undefined;

  constructor(access: Access, options: ConnectionOptions) {
    this.server = access.server;
    this.#options = options;
    this.#credentials = new Credentials(access, options.credentialAgeMs ?? CREDENTIAL_AGE);
  }

  /**
   * Sends a call and reads the whole answer, whatever its status; what may pass in a moment is tried again before.
   * @throws OpjobError CLUSTER_UNREACHABLE when no answer came before the deadline, CLUSTER_OVERLOADED when the API server
   * asks for a pause; and what the call's guard throws
   */
  async call(call: Call): Promise<Reply> {
    const { refused } = this.#reach;
    if (refused !== undefined) throw this.#unreachable(call, refused, true);
    const begun = performance.now();
    const outcomes: Outcome[] = [];
    let deadline: number | undefined;
    for (let tries = 1; ; tries++) {
      await this.#options.traffic.admit(call.verb);
      deadline ??= performance.now() + this.#options.timeoutMs;
      const outcome = await this.#try(call, deadline);
      const { reply, cause } = outcome;
      outcomes.push(outcome);
      const pause = this.#closing.signal.aborted ? undefined : pauseOf(call, reply, tries);
      const again = pause !== undefined && performance.now() + pause < deadline;
      if (!again && reply !== undefined) return reply;
      if (!again) this.#reach.unanswered(cause, begun);
      if (!again) throw this.#unreachable(call, cause, outcomes.every(isUnsent));
      await sleep(pause, undefined, { signal: this.#closing.signal }).catch(() => undefined);
    }
  }

  /**
   * Opens a call whose answer is read as it comes. The caller reads or destroys the body.
   * @param silenceMs no byte for so long: the connection is dead, and reading the body throws
   * @throws OpjobError CLUSTER_UNREACHABLE, CLUSTER_OVERLOADED
   */
  async open(call: Call, signal: AbortSignal, silenceMs: number): Promise<Stream> {
    await this.#options.traffic.admit(call.verb);
    const started = performance.now();
    const slow = new AbortController();
    const timer = setTimeout(() => slow.abort(new DOMException("", "TimeoutError")), this.#options.timeoutMs);
    let link: Link | undefined;
    try {
      const credential = await this.#credentials.get();
      link = await this.#linkFor(credential);
      const given = AbortSignal.any([signal, slow.signal, this.#closing.signal]);
      const response = await request(link, credential, call, { signal: given, bodyTimeout: silenceMs });
      const answer = this.#heard(call, response, started);
      if (answer.status === 401) this.#credentials.refused(credential);
      return this.#keep(link, { ...answer, body: response.body });
    } catch (error) {
      if (!signal.aborted) this.#lost(call, link, { error, started });
      throw this.#unreachable(call, error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sets of TCP connections: the one in use, and those that end with their last call. */
  get links(): number {
    return this.#links.size;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([...this.#links].map(({ dispatcher }) => dispatcher.destroy()));
  }

  /** One try; a 401 counts only when fresh credentials are refused, too. */
  async #try(call: Call, deadline: number): Promise<Outcome> {
    const sent = await this.#send(call, deadline);
    const outcome = sent.reply?.status === 401 ? await this.#send(call, deadline) : sent;
    if (outcome.withheld !== undefined) throw outcome.withheld;
    return outcome;
  }

  async #send(call: Call, deadline: number): Promise<Outcome> {
    const started = performance.now();
    let link: Link | undefined;
    try {
      const credential = await this.#credentials.get();
      link = await this.#linkFor(credential);
      const withheld = objection(call);
      if (withheld !== undefined) return { withheld };
      const signal = AbortSignal.timeout(Math.ceil(Math.max(1, deadline - started)));
      const response = await request(link, credential, call, { signal, bodyTimeout: this.#options.timeoutMs });
      const body = await response.body.text();
      const answer = this.#heard(call, response, started);
      if (answer.status === 401) this.#credentials.refused(credential);
      return { reply: { ...answer, body, warnings: warningsOf(response.headers["warning"]) } };
    } catch (cause) {
      this.#lost(call, link, { error: cause, started });
      return { cause };
    }
  }

  /** What every answer tells, whatever it answers. */
  #heard(call: Call, { statusCode: status, headers }: Dispatcher.ResponseData, started: number) {
    this.#options.onCall(call, String(status), (performance.now() - started) / 1_000);
    this.#reach.answered();
    const retryAfterMs = retryAfterOf(first(headers["retry-after"]), first(headers["date"]));
    if ((status === 429 || status === 503) && retryAfterMs !== undefined) this.#options.traffic.pause(retryAfterMs);
    return { status, retryAfterMs };
  }

  #lost(call: Call, link: Link | undefined, { error, started }: { error: unknown; started: number }): void {
    this.#options.onCall(call, "none", (performance.now() - started) / 1_000);
    if (link && isSilence(error)) this.#abandon(link);
  }

  async #linkFor(credential: Credential): Promise<Link> {
    const known = this.#link;
    if (known?.material === credential.material) return known;
    const dispatcher = (await credential.proxied()) ?? direct(credential);
    if (this.#link !== known) return this.#linkFor(credential); // another call made one meanwhile
    const link = { dispatcher, material: credential.material, streams: new Set<Stream["body"]>() };
    this.#links.add(link);
    this.#link = link;
    if (known) this.#retire(known);
    return link;
  }

  /**
   * Nothing came over these connections in time. Whatever comes next goes over new ones, and watches are cut so that they do as
   * well: over HTTP/2 all would otherwise wait for the same dead connection, each for its own deadline.
   */
  #abandon(link: Link): void {
    if (this.#link === link) this.#link = undefined;
    for (const body of link.streams) body.destroy(new Error("the connection does not answer"));
    this.#retire(link);
  }

  /** What is in flight is still answered; then the connections close. */
  #retire(link: Link): void {
    link.dispatcher
      .close()
      .catch(() => undefined)
      .finally(() => this.#links.delete(link));
  }

  #keep(link: Link, stream: Stream): Stream {
    const { body } = stream;
    link.streams.add(body);
    body.once("close", () => link.streams.delete(body));
    body.on("error", (error) => {
      if (isSilence(error)) this.#abandon(link);
    });
    return stream;
  }

  #unreachable(call: Call, cause: unknown, unsent = false): OpjobError {
    if (cause instanceof OpjobError) return cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = isSilence(cause) ? "no answer before the deadline" : (code ?? message);
    const said = `The cluster ${this.server} could not be reached to ${call.act}: ${why}.`;
    return new OpjobError("CLUSTER_UNREACHABLE", said, { cause, unsent });
  }
}

const pauseOf = ({ once = false }: Call, reply: Reply | undefined, tries: number): number | undefined =>
  once ? undefined : pauseAfter(reply, tries);

type Sending = { readonly signal: AbortSignal; readonly bodyTimeout: number };

function request({ dispatcher }: Link, { server, headers }: Credential, call: Call, sending: Sending) {
  const body = call.body === undefined ? null : JSON.stringify(call.body);
  const type = body === null ? {} : { "content-type": "application/json" };
  return dispatcher.request({
    ...targetOf(server, call),
    method: call.method,
    headers: { accept: "application/json", ...headers, ...type },
    body,
    headersTimeout: 0, // the signal's
    ...sending,
  });
}

/** HTTP/2 where the server has it (docs/decisions/0007): one connection for all calls and watches. */
function direct({ tls }: Credential): Dispatcher {
  const connect = { ...tls, preferH2: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE };
  return new Agent({ allowH2: true, keepAliveTimeout: IDLE, connect });
}

const NO_CONNECTION = [
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
];

/** No connection was ever made: nothing of the call can have reached the other side. */
const isUnsent = ({ reply, cause }: Outcome): boolean =>
  reply === undefined && NO_CONNECTION.includes(String((cause as NodeJS.ErrnoException | undefined)?.code));

/** The other side may be gone without a word: no answer before a deadline, no sign of life for too long. */
const isSilence = (error: unknown): boolean =>
  (error as Error | undefined)?.name === "TimeoutError" || error instanceof errors.BodyTimeoutError;
