// A connection's face, as src/clusters/connection.ts has it, on the simulated API server: each call goes over a line, on which
// it may be delayed or lost. Knows HTTP's statuses; nothing of Jobs or Pods.
import { objection } from "../../../src/clusters/call.ts";
import type { Connect } from "../../../src/clusters/kubernetes.ts";
import { OpjobError } from "../../../src/errors.ts";
import type { Asked, Doing, Line } from "../calls.ts";
import { GIVES_UP } from "../wire.ts";
import { type Answer, type Api, type Request, status, targetOf } from "./api.ts";
import type { KubeObject } from "./objects.ts";
import type { KubeStore } from "./store.ts";
import { WatchBody, type WatchTroubles } from "./watch-body.ts";

export type Served = {
  readonly api: Api;
  readonly store: KubeStore;
  readonly watches: WatchTroubles;
  /** Is told of each call when it is sent. */
  readonly onSend: (by: Line, request: Request) => void;
  /** Is told of each call at the instant in which it is done. */
  readonly onCall: (done: Done) => void;
};

export type Done = {
  readonly by: Line;
  readonly request: Request;
  /** What was there before. */
  readonly found: KubeObject | undefined;
  readonly answer: Answer;
};

type Speaker = ReturnType<Connect>;
type Call = Parameters<Speaker["call"]>[0];

const BROKEN = status(500, "InternalError", "etcdserver: request timed out");

/** What a cache may say that has just begun to fill; it is wrong. */
const emptyList = ({ version }: KubeStore): Answer => ({
  status: 200,
  body: { kind: "List", metadata: { resourceVersion: String(version) }, items: [] },
});

/** The statuses of refusals, by their names. */
const REFUSALS: Readonly<Record<string, Answer>> = {
  throttled: status(429, "TooManyRequests", "the server has received too many requests"),
  broken: BROKEN,
  overloaded: status(503, "ServiceUnavailable", "the server is currently unable to handle the request"),
  forbidden: status(403, "Forbidden", "exceeded quota"),
};

/** How long a call waits for its turn before it is sent (ms), as a cluster's rate limit lets it. */
export type Turns = (verb: string) => number;
const AT_ONCE: Turns = () => 0;

/** @param served clusters by their addresses */
export function simulatedConnect(served: ReadonlyMap<string, Served>, line: Line, turns = AT_ONCE): Connect {
  return (access, { timeoutMs }) => {
    const cluster = served.get(access.server);
    if (cluster === undefined) throw new Error(`there is no simulated cluster ${access.server}`);
    return speaker({ ...cluster, server: access.server, timeoutMs, turns }, line);
  };
}

type Parts = Served & { readonly server: string; readonly timeoutMs: number; readonly turns: Turns };

function speaker(parts: Parts, line: Line): Speaker {
  const { api, store, watches, server, timeoutMs, turns, onSend, onCall } = parts;
  const broken = (): Error =>
    new OpjobError("CLUSTER_UNREACHABLE", `The cluster ${server} could not be reached: ECONNRESET.`);
  const asked = ({ verb, resource, path, query }: Call): Asked => ({
    service: server,
    verb: `${query?.["dryRun"] === "All" ? "try" : verb} ${resource}`,
    about: path.slice(path.lastIndexOf("/") + 1).slice(-12),
    ...(timeoutMs < GIVES_UP && { givesUpMs: timeoutMs }),
  });
  const doing = <T>(effect: Doing<T | Answer>["effect"]): Doing<T | Answer> => ({
    effect,
    broken,
    refuse: (refusal) => (refusal === "empty-list" ? emptyList(store) : (REFUSALS[refusal] ?? BROKEN)),
  });

  return {
    call: async (call) => {
      const wait = turns(`${call.verb} ${call.resource}`);
      if (wait > 0) await new Promise<void>((resolve) => line.tell(wait, resolve));
      const withheld = objection(call);
      if (withheld !== undefined) throw withheld;
      const request = withBody(call);
      if (request.query?.["dryRun"] !== "All" && isObjects(request.path)) onSend(line, request);
      const answer = await line.call(
        asked(call),
        doing(() => {
          const isQuestion = request.query?.["dryRun"] === "All" || !isObjects(request.path);
          if (isQuestion) return api.answer(request);
          const { resource, namespace, name } = targetOf(request.path);
          const found = name === undefined ? undefined : store.get(resource, `${namespace}/${name}`);
          const given = api.answer(request);
          onCall({ by: line, request, found, answer: given });
          return given;
        }),
      );
      const { status: code, body, text } = answer;
      return { status: code, body: text ?? JSON.stringify(body), retryAfterMs: undefined, warnings: [] };
    },
    open: async (call, signal, silenceMs) => {
      const { resource, namespace } = targetOf(call.path);
      const { resourceVersion, timeoutSeconds, labelSelector, fieldSelector } = call.query ?? {};
      const version = Number(resourceVersion);
      const opened = await line.call(
        asked(call),
        doing<WatchBody>(() => {
          if (store.since(resource, version) === undefined && !watches.goneAsEvent())
            return status(410, "Expired", "too old resource version");
          const seconds = Number(timeoutSeconds ?? 300);
          const selector = String(labelSelector ?? "");
          const fields = String(fieldSelector ?? "");
          const watched = { resource, namespace, selector, fields, version, seconds, silenceMs };
          return new WatchBody({ store, line, troubles: watches }, watched);
        }),
      );
      return answerOf(opened, signal) as unknown as Awaited<ReturnType<Speaker["open"]>>;
    },
    close: () => Promise.resolve(),
  };
}

/** Jobs, Pods and Leases; the rest only asks. */
const isObjects = (path: string): boolean => /\/(?:jobs|pods|leases)(?:\/|$)/.test(path);

/** What is sent is text: nothing in it can be changed any more. */
const withBody = ({ method, path, query, body }: Call): Request => ({
  method,
  path,
  ...(query === undefined ? {} : { query }),
  ...(body === undefined ? {} : { body: JSON.parse(JSON.stringify(body)) as unknown }),
});

function answerOf(opened: Answer | WatchBody, signal: AbortSignal): object {
  if (!(opened instanceof WatchBody)) {
    const text = (): Promise<string> => Promise.resolve(JSON.stringify(opened.body));
    return { status: opened.status, retryAfterMs: undefined, body: { text } };
  }
  const cut = (): void => opened.cut(new Error("aborted"));
  if (signal.aborted) cut();
  signal.addEventListener("abort", cut, { once: true });
  return { status: 200, retryAfterMs: undefined, body: opened };
}
