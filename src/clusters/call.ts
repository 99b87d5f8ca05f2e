// A call to an API server, and the texts that HTTP makes of it: target, warnings. Pure.

export type Call = {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  /** What is tried, for errors: "create the Job x". */
  readonly act: string;
  /** For metrics: the verb and resource as Kubernetes' rules call them. */
  readonly verb: string;
  readonly resource: string;
  /** Any answer stands: it is never tried again. */
  readonly once?: boolean;
  readonly guard?: Guard | undefined;
};

/**
 * Asked directly before a call is sent, each time that it is: waiting for a place, for credentials or for the next try may take
 * seconds. What it throws the caller gets, and nothing is sent.
 */
export type Guard = () => void;

/** What the guard throws now; undefined: it may be sent. */
export function objection({ guard }: Call): unknown {
  try {
    guard?.();
    return undefined;
  } catch (why) {
    return why;
  }
}

export const get = (resource: string, path: string, act: string): Call => ({
  method: "GET",
  path,
  act,
  verb: "get",
  resource,
});
export const post = (resource: string, path: string, act: string, body: unknown): Call => ({
  method: "POST",
  path,
  body,
  act,
  verb: "create",
  resource,
});

/** @param server the API server's URL, which may have a path of its own */
export function targetOf(server: string, { path, query }: Call): { readonly origin: string; readonly path: string } {
  const { origin, pathname } = new URL(server);
  return { origin, path: `${pathname.replace(/\/$/, "")}${path}${queryText(query)}` };
}

function queryText(query: Call["query"]): string {
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined);
  const texts = Object.fromEntries(given.map(([name, value]) => [name, String(value)]));
  return given.length === 0 ? "" : `?${new URLSearchParams(texts).toString()}`;
}

export const first = (header: string | string[] | undefined): string | undefined =>
  Array.isArray(header) ? header[0] : header;

/** `299 - "unknown field \"spec.x\""` → `unknown field "spec.x"`. */
export function warningsOf(header: string | string[] | undefined): string[] {
  const lines = header === undefined ? [] : Array.isArray(header) ? header : [header];
  return lines.flatMap((line) =>
    [...line.matchAll(/\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, text]) => (text ?? "").replaceAll('\\"', '"')),
  );
}
