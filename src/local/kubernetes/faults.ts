// The faults that a test or a demo may put on the way of requests: refusals, lost replies, slowness, standstill.
// Knows requests only; faults of the node and its Pods are in node-faults.ts.

import type { Route, Verb } from "./call.ts";
import type { Clock } from "./clock.ts";
import { type ApiFailure, faultStatus } from "./status.ts";

/** Which requests a fault meets; what is not given matches all. */
export type RequestMatch = {
  readonly verb?: Verb;
  /** Plural, with the subresource: `jobs`, `pods/log`. */
  readonly resource?: string;
  readonly namespace?: string;
  readonly name?: string;
};
export type Refusal = {
  readonly code: 403 | 429 | 500 | 503;
  /** Seconds. */
  readonly retryAfter?: number;
};

type Counted = { left: number; readonly match: RequestMatch };

export class RequestFaults {
  readonly #clock: Clock;
  readonly #refusals = new Set<Counted & { readonly refusal: Refusal }>();
  readonly #losses = new Set<Counted>();
  readonly #delays = new Set<{ readonly ms: number; readonly match: RequestMatch }>();
  #thawed: (() => void)[] = [];
  #frozen = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Answers the next `count` matching requests with a failure. @returns the undo */
  answerNext(count: number, refusal: Refusal, match: RequestMatch = {}): () => void {
    return add(this.#refusals, { left: count, refusal, match });
  }

  /** Does the next `count` matching requests, but destroys the connection instead of answering. @returns the undo */
  loseReplies(count: number, match: RequestMatch = {}): () => void {
    return add(this.#losses, { left: count, match });
  }

  /** Makes matching requests wait before they are done. @param ms @returns the undo */
  slow(ms: number, match: RequestMatch = {}): () => void {
    return add(this.#delays, { ms, match });
  }

  /** From now on requests are accepted and nothing is answered, nor told to watches. */
  freeze(): void {
    this.#frozen = true;
  }

  /** Goes on with all that waited. */
  thaw(): void {
    this.#frozen = false;
    for (const go of this.#thawed.splice(0)) go();
  }

  /** Calls at once, or in order once it is no longer frozen. */
  whenThawed(call: () => void): void {
    if (this.#frozen) this.#thawed.push(call);
    else call();
  }

  /** Waits as long as the faults say; resolves with the failure to answer with, if any. */
  async meet(route: Route): Promise<ApiFailure | undefined> {
    for (const { ms, match } of this.#delays) if (matches(route, match)) await this.#clock.sleep(ms);
    if (this.#frozen) await new Promise<void>((go) => this.whenThawed(go));
    const met = take(this.#refusals, route)?.refusal;
    return met && faultStatus(met.code, met.retryAfter);
  }

  /** Whether any fault could meet a request now: without one, requests are done in the tick in which they arrive. */
  get active(): boolean {
    return this.#frozen || this.#refusals.size > 0 || this.#delays.size > 0;
  }

  /** Whether the reply to this request gets lost. */
  losesReply(route: Route): boolean {
    return take(this.#losses, route) !== undefined;
  }

  /** Takes all faults of requests away. */
  clear(): void {
    this.#refusals.clear();
    this.#losses.clear();
    this.#delays.clear();
    this.thaw();
  }
}

function add<F>(faults: Set<F>, fault: F): () => void {
  faults.add(fault);
  return () => faults.delete(fault);
}

function take<F extends Counted>(faults: Set<F>, route: Route): F | undefined {
  for (const fault of faults) {
    if (!matches(route, fault.match)) continue;
    fault.left -= 1;
    if (fault.left <= 0) faults.delete(fault);
    return fault;
  }
  return undefined;
}

function matches(route: Route, match: RequestMatch): boolean {
  return (
    (match.verb ?? route.verb) === route.verb &&
    (match.resource ?? resourceOf(route)) === resourceOf(route) &&
    (match.namespace ?? route.namespace) === route.namespace &&
    (match.name ?? route.name) === route.name
  );
}

/** `jobs` or `pods/log`. */
export const resourceOf = ({ resource, subresource }: Pick<Route, "resource" | "subresource">): string =>
  subresource === undefined ? resource.plural : `${resource.plural}/${subresource}`;
