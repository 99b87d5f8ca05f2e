// The door to what is stored behind an address: https, and http where that is allowed. Also carries the reads of stores whose
// protocol is one plain GET. Follows redirects itself: credentials stay with the host that they were given for.
import { OpjobError } from "../../errors.ts";
import type { WebLocation } from "../location.ts";
import { type Answer, collect, type Store } from "./reading.ts";
import { type Kind, networkFault, refusal, storeAway } from "./refusal.ts";

const KIND: Kind = {
  access:
    "Use an address that opjob may read: with user and password (https://USER:PASSWORD@HOST/…), or with a signature that still holds.",
};
const MOST_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** @param allowHttp whether an address may be plain http: whoever stands in between can then change the Job */
export const webStore =
  (allowHttp: boolean): Store<WebLocation> =>
  async ({ url, name }, { tag, signal }) => {
    const { url: first, authorization } = withoutCredentials(url);
    const known: Headers = tag === undefined ? {} : { "if-none-match": tag };
    let at = first;
    for (let hop = 0; hop <= MOST_REDIRECTS; hop++) {
      requireSecure(name, at, allowHttp);
      const headers = at.origin === first.origin ? { ...known, ...authorization } : known;
      const response = await get(name, at, headers, signal);
      const next = await redirectOf(response, name, at);
      if (next === undefined) return answerOf(response, name, KIND, "etag");
      at = next;
    }
    throw storeAway(name, `it redirects more than ${MOST_REDIRECTS} times`);
  };

type Headers = Readonly<Record<string, string>>;

function requireSecure(name: string, { protocol, host }: URL, allowHttp: boolean): void {
  if (protocol === "https:" || (allowHttp && protocol === "http:")) return;
  throw new OpjobError(
    "TEMPLATE_LOCATION_UNSUPPORTED",
    `The template "${name}" is at ${protocol}//${host}, which is not https.`,
    { remedy: "Use https, or set OPJOB_ALLOW_HTTP_TEMPLATES=true if you trust everybody on the way to that host." },
  );
}

/** Where an answer sends us; undefined: it is the answer itself. */
async function redirectOf({ status, headers, body }: Response, name: string, at: URL): Promise<URL | undefined> {
  const next = REDIRECTS.has(status) ? headers.get("location") : null;
  if (next === null) return undefined;
  await body?.cancel();
  if (!URL.canParse(next, at.href)) throw storeAway(name, "it redirects to no valid address");
  return new URL(next, at);
}

/** One GET. @throws OpjobError TEMPLATE_STORE_UNREACHABLE */
export async function get(name: string, url: URL, headers: Headers, signal: AbortSignal): Promise<Response> {
  try {
    // A compressed answer would hide how many bytes were announced.
    return await fetch(url, { headers: { "accept-encoding": "identity", ...headers }, redirect: "manual", signal });
  } catch (cause) {
    throw storeAway(name, networkFault(cause) ?? innermost(cause), cause);
  }
}

/** fetch says "fetch failed", and in its cause why. */
function innermost(error: unknown): string {
  const { message, cause } = error as { readonly message?: unknown; readonly cause?: unknown };
  if (typeof cause === "object" && cause !== null) return innermost(cause);
  return typeof message === "string" && message !== "" ? message : "it did not answer";
}

/** @param tagHeader the header that tells versions apart @throws OpjobError TEMPLATE_… */
export async function answerOf(response: Response, name: string, kind: Kind, tagHeader: string): Promise<Answer> {
  const { status, headers, body } = response;
  if (status === 304) return { kind: "unchanged" };
  if (status !== 200) throw refusal(name, kind, { status, said: await wordsOf(response) });
  const length = headers.get("content-encoding") === null ? headers.get("content-length") : null;
  try {
    const whole = { name, length: length === null ? undefined : Number(length) };
    return { kind: "text", text: await collect(body ?? nothing(), whole), tag: headers.get(tagHeader) ?? undefined };
  } catch (cause) {
    if (cause instanceof OpjobError) throw cause;
    throw storeAway(name, networkFault(cause) ?? "its answer broke off", cause);
  }
}

const SAID_AT_MOST = 2_000;

/** What a refusal says: JSON with an error's message, one line of text, or the status' own words; never a page. */
async function wordsOf({ statusText, body, headers }: Response): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  try {
    for await (const chunk of body ?? nothing()) {
      text += decoder.decode(chunk, { stream: true });
      if (text.length > SAID_AT_MOST) break;
    }
  } catch {
    return statusText; // the status says enough
  }
  const inner = /"message"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(text)?.[1];
  const plain = headers.get("content-type")?.startsWith("text/plain") === true ? text : "";
  return inner ?? (plain.trim() || statusText);
}

/** An answer without a body. */
async function* nothing(): AsyncGenerator<Uint8Array> {}

function withoutCredentials(text: string): { url: URL; authorization: Headers } {
  const url = new URL(text);
  const { username, password } = url;
  url.username = "";
  url.password = "";
  if (username === "" && password === "") return { url, authorization: {} };
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { url, authorization: { authorization: `Basic ${Buffer.from(pair).toString("base64")}` } };
}
