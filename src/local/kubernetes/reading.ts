// get and list: selectors, pages, and the Table form that kubectl prints. Reads the store only.
import { type Answer, type Call, json } from "./call.ts";
import type { Core } from "./core.ts";
import { parseFieldSelector } from "./field-selector.ts";
import { JsonSyntax, readJson } from "./json-reader.ts";
import { parseLabelSelector, type Selector } from "./label-selector.ts";
import { groupVersion } from "./resources.ts";
import { badRequest, expired, notFound, tooLargeVersion } from "./status.ts";
import type { Kept } from "./store.ts";
import { tableOf, wantsTable } from "./table.ts";

/** Whether an object is meant by the namespace and the selectors of a call. */
export function selectorOf(call: Call): Selector {
  const { namespace, resource, query, name } = call;
  const labels = parseLabelSelector(query.get("labelSelector") ?? "");
  const fields = parseFieldSelector(query.get("fieldSelector") ?? "", resource);
  return (object) =>
    (namespace === undefined || object.metadata.namespace === namespace) &&
    (name === undefined || object.metadata.name === name) &&
    (labels?.(object) ?? true) &&
    (fields?.(object) ?? true);
}

/** The stored objects that a call selects, in the order of their keys. */
export function matching(core: Core, call: Call): Kept[] {
  const selects = selectorOf(call);
  return core.store.snapshot(call.resource, false).kept.filter(({ object }) => selects(object));
}

export function get(core: Core, call: Call): Answer {
  const { resource, namespace, name = "" } = call;
  const kept = core.store.get(resource, namespace, name);
  if (!kept) throw notFound(resource, name);
  if (wantsTable(call)) return json(200, tableOf(call, [kept], core.clock.now(), kept.version));
  return { code: 200, body: kept.json };
}

/** @throws ApiFailure 400 for a bad selector or token, 410 for a page that is no longer kept, 504 for a version to come */
export function list(core: Core, call: Call): Answer {
  const page = pageOf(core, call);
  if (wantsTable(call)) {
    const table = tableOf(call, page.kept, core.clock.now(), page.version);
    return json(200, { ...table, metadata: page.metadata });
  }
  const { kind } = call.resource;
  const items = page.kept.map(({ item }) => item).join(",");
  const head = `{"kind":"${kind}List","apiVersion":"${groupVersion(call.resource)}"`;
  return { code: 200, body: `${head},"metadata":${JSON.stringify(page.metadata)},"items":[${items}]}` };
}

type Page = { readonly kept: readonly Kept[]; readonly version: number; readonly metadata: Record<string, unknown> };
/** Where a list goes on: the version of its first page, or INCONSISTENT for what is there by then. */
type Token = { readonly version: number; readonly start: string };
const INCONSISTENT = -1;

function pageOf(core: Core, call: Call): Page {
  const { query } = call;
  const limit = readLimit(query.get("limit"));
  const token = readToken(query.get("continue"));
  const asked = readVersion(query.get("resourceVersion"));
  if (asked > core.store.version) throw tooLargeVersion(asked, core.store.version);
  const selects = selectorOf(call);
  const { version, kept: all } = snapshotOf(core, call, token, limit > 0);
  const start = token?.start ?? "";
  const rest = all.filter((kept) => selects(kept.object) && keyOf(kept) > start);
  const kept = limit > 0 ? rest.slice(0, limit) : rest;
  const metadata = { resourceVersion: String(version), ...nextPage(call, version, kept, rest.length) };
  return { kept, version, metadata };
}

/** @throws ApiFailure 410 */
function snapshotOf({ store }: Core, { resource }: Call, token: Token | undefined, keep: boolean) {
  if (!token || token.version <= 0) return store.snapshot(resource, keep);
  const snapshot = store.snapshotAt(resource, token.version);
  if (!snapshot) throw expired(CONTINUE_EXPIRED, makeToken({ version: INCONSISTENT, start: token.start }));
  return snapshot;
}

function nextPage({ query }: Call, version: number, kept: readonly Kept[], total: number): Record<string, unknown> {
  const last = kept.at(-1);
  if (!last || kept.length === total) return {};
  const next = makeToken({ version, start: keyOf(last) });
  const selective = query.get("labelSelector") || query.get("fieldSelector"); // the real server cannot count then
  return { continue: next, ...(!selective && { remainingItemCount: total - kept.length }) };
}

const CONTINUE_EXPIRED =
  "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.";

const keyOf = ({ object }: Kept) => `${object.metadata.namespace ?? ""}/${object.metadata.name}`;
const makeToken = (token: Token) => Buffer.from(JSON.stringify(token)).toString("base64url");

function readToken(text: string | null): Token | undefined {
  if (!text) return undefined;
  try {
    return readJson(Buffer.from(text, "base64url").toString()).value as Token;
  } catch (error) {
    if (!(error instanceof JsonSyntax)) throw error;
    throw badRequest(`invalid continue token: continue key is not valid: ${error.message}`);
  }
}

/** @throws ApiFailure 400 for what is no number */
function readLimit(text: string | null): number {
  if (text === null || text === "" || /^-?\d+$/.test(text)) return Number(text ?? 0);
  throw badRequest(`strconv.ParseInt: parsing "${text}": invalid syntax`);
}

/** @throws ApiFailure 400 for what is no version */
export function readVersion(text: string | null): number {
  if (text === null || text === "") return 0;
  if (/^\d+$/.test(text)) return Number(text);
  const why = `strconv.ParseUint: parsing "${text}": invalid syntax`;
  throw badRequest(`resourceVersion: Invalid value: "${text}": ${why}`);
}
