// What a store's refusals mean: what it said in, one of our errors out. Pure.
// A store's words are cut to one short line: what follows may repeat the request, and with it its signature.
import { OpjobError } from "../../errors.ts";

/** What is known of a failed read. */
export type Failure = {
  /** The HTTP status; undefined: there was no answer. */
  readonly status: number | undefined;
  /** In the store's own words: "AccessDenied", "No such object". */
  readonly said: string;
  readonly cause?: unknown;
};

/** A store, for its errors: what gives access to it. */
export type Kind = { readonly access: string; readonly missing?: string };

const AWAY = new Set([408, 425, 429]);

/** The error of a read that gave no text. */
export function refusal(name: string, kind: Kind, { status, said, cause }: Failure): OpjobError {
  const why = brief(said, status);
  const details = { cause };
  if (status === undefined || status >= 500 || AWAY.has(status)) return storeAway(name, why, cause);
  if (status === 401 || status === 403) return forbidden(name, why, kind, cause);
  if (status === 404 || status === 410) {
    const remedy = `Put the template there, or correct \`executionTmplUri\`.${kind.missing ? ` ${kind.missing}` : ""}`;
    return new OpjobError("TEMPLATE_MISSING", `There is no template "${name}": ${why}.`, { ...details, remedy });
  }
  const remedy = "Correct `executionTmplUri`, or what stands there.";
  return new OpjobError("TEMPLATE_UNREADABLE", `The template "${name}" cannot be read: ${why}.`, {
    ...details,
    remedy,
  });
}

/** The store answered, and does not let us read; or we have nothing to show to it. */
export const forbidden = (name: string, why: string, { access }: Kind, cause?: unknown): OpjobError =>
  new OpjobError("TEMPLATE_FORBIDDEN", `The template "${name}" may not be read: ${brief(why)}.`, {
    cause,
    remedy: access,
  });

/** The store did not answer, or broke off: what it gave before is still good. */
export const storeAway = (name: string, why: string, cause?: unknown): OpjobError =>
  new OpjobError("TEMPLATE_STORE_UNREACHABLE", `The store of the template "${name}" is away: ${brief(why)}.`, {
    cause,
  });

const LONGEST = 200;

/** FiftyOne's App takes "expired" in an operation's error for its own word. */
function brief(said: string, status?: number): string {
  const line = (said.split("\n")[0] ?? "").trim().slice(0, LONGEST);
  const words = line.replaceAll(/expired/gi, "run out").replace(/[.:\s]+$/, "");
  return status === undefined || words.includes(String(status)) ? words || "no reason" : `${words} (${status})`.trim();
}

const NETWORK =
  /^(E[A-Z_]*(CONN|NOTFOUND|AGAIN|TIMEDOUT|PIPE|UNREACH|PROTO|DESTROYED)[A-Z_]*|UND_ERR_|.*CERT|ERR_SSL|ERR_TLS)/;

type Chained = {
  readonly code?: unknown;
  readonly name?: unknown;
  readonly cause?: unknown;
  readonly errors?: unknown;
};

/** The code of a fault of the network or of TLS, somewhere in an error's chain of causes; undefined: it is none. */
export function networkFault(error: unknown, depth = 0): string | undefined {
  if (typeof error !== "object" || error === null || depth > 8) return undefined;
  const { code, name, cause, errors } = error as Chained;
  if (typeof code === "string" && NETWORK.test(code)) return code;
  if (name === "TimeoutError" || name === "AbortError") return "no answer before the deadline";
  const inner: unknown[] = Array.isArray(errors) ? [...errors, cause] : [cause];
  return inner.map((one) => networkFault(one, depth + 1)).find((found) => found !== undefined);
}
