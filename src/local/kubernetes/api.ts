// From an arrived request to its answer: route, identity, faults, permission, verb. Written once, in this order.
import { type Access, authorize, authorizePath, type Grant, review } from "./access.ts";
import { bodyOf } from "./body.ts";
import { type Answer, type Call, type Route, routeOf, type Verb } from "./call.ts";
import type { Core } from "./core.ts";
import { remove, removeCollection } from "./deleting.ts";
import { describe, isPublic } from "./discovery.ts";
import { type RequestFaults, resourceOf } from "./faults.ts";
import type { Arrival } from "./http-server.ts";
import { type Logs, serveLog } from "./logs.ts";
import { get, list } from "./reading.ts";
import { ACCESS_REVIEWS, PODS } from "./resources.ts";
import { ApiFailure, methodNotAllowed, noSuchPath } from "./status.ts";
import type { Watches } from "./watching.ts";
import { create, patch, update } from "./writing.ts";

export type Counts = Readonly<Record<string, number>>;

export type ApiParts = {
  readonly core: Core;
  readonly access: Access;
  readonly faults: RequestFaults;
  readonly watches: Watches;
  readonly logs: Logs;
};

const DO: Readonly<Record<Exclude<Verb, "watch">, (core: Core, call: Call) => Answer>> = {
  get,
  list,
  create,
  update,
  patch,
  delete: remove,
  deletecollection: removeCollection,
};

export class Api {
  readonly #parts: ApiParts;
  readonly #counts = new Map<string, number>();

  constructor(parts: ApiParts) {
    this.#parts = parts;
  }

  /** How many requests were answered, by `verb resource code`: `create jobs 201`, `watch pods 200`. */
  counts(): Counts {
    return Object.fromEntries(this.#counts);
  }

  /** @throws ApiFailure, for the server to answer with */
  async handle(arrival: Arrival): Promise<void> {
    const route = routeOf(arrival.method, arrival.path, arrival.query);
    if (route === undefined || route === "method") {
      await this.#describe(arrival, route === "method");
      return;
    }
    try {
      const { faults } = this.#parts;
      const failure = faults.active ? await faults.meet(route) : undefined;
      if (failure) throw failure;
      this.#serve(arrival, route);
    } catch (error) {
      this.#count(route, error instanceof ApiFailure ? error.status.code : 500);
      if (!this.#parts.faults.losesReply(route)) throw error;
      arrival.lose();
    }
  }

  async #describe(arrival: Arrival, isResource: boolean): Promise<void> {
    const { access, faults } = this.#parts;
    if (faults.active) await new Promise<void>((go) => faults.whenThawed(go));
    if (!isPublic(arrival.path)) authorizePath(access.identify(arrival.headers.authorization), arrival.path);
    if (isResource) throw methodNotAllowed();
    const found = describe(arrival.path, arrival.headers.host ?? "");
    if (found === undefined) throw noSuchPath();
    if (typeof found === "string") arrival.answer({ code: 200, body: found, type: "text/plain" });
    else arrival.answer({ code: 200, body: JSON.stringify(found) });
  }

  #serve(arrival: Arrival, route: Route): void {
    const { access, faults } = this.#parts;
    const grant = access.identify(arrival.headers.authorization);
    authorize(grant, route);
    const call: Call = {
      ...route,
      query: arrival.query,
      accept: arrival.headers.accept ?? "",
      contentType: arrival.headers["content-type"] ?? "",
      ...bodyOf(arrival, route),
      user: grant.user,
      warnings: arrival.warnings,
    };
    const answer = this.#answer(call, grant, arrival);
    this.#count(route, answer?.code ?? 200);
    if (faults.losesReply(route)) arrival.lose();
    else if (answer) arrival.answer(answer);
  }

  /** @returns undefined where the answer is a stream */
  #answer(call: Call, grant: Grant, arrival: Arrival): Answer | undefined {
    const { core, watches, logs } = this.#parts;
    if (call.resource === ACCESS_REVIEWS) {
      if (call.verb !== "create") throw methodNotAllowed();
      return review(grant, call);
    }
    if (call.subresource === "log" && call.resource === PODS && call.verb === "get") {
      return serveLog(core, logs, call, () => arrival.open("text/plain"));
    }
    if (call.subresource !== undefined && call.subresource !== "status") throw noSuchPath();
    if (call.verb !== "watch") return DO[call.verb](core, call);
    watches.serve(call, () => arrival.open("application/json"));
    return undefined;
  }

  #count(route: Route, code: number): void {
    const key = `${route.verb} ${resourceOf(route)} ${code}`;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }
}
