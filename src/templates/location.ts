// Where a template is stored, read from the URI in an orchestrator's record.
// Pure: knows the spellings, reads nothing.
import { OpjobError } from "../errors.ts";

export type Location =
  | { readonly kind: "file"; readonly path: string; readonly name: string }
  | { readonly kind: "inline"; readonly text: string; readonly name: string };

/**
 * Reads a template's URI: a path, `file://…`, or `data:[type][;base64],…`.
 * @throws OpjobError TEMPLATE_LOCATION_UNSUPPORTED for a scheme that cannot be read, TEMPLATE_UNREADABLE for a broken data URI
 */
export function parseLocation(uri: string): Location {
  if (uri.startsWith("data:")) return { kind: "inline", text: decodeDataUri(uri), name: "inline template" };
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(uri)?.[1]?.toLowerCase();
  if (scheme === undefined) return { kind: "file", path: uri, name: uri };
  if (scheme === "file") return { kind: "file", path: pathOf(uri), name: uri };
  throw new OpjobError(
    "TEMPLATE_LOCATION_UNSUPPORTED",
    `The template "${uri}" is stored at ${scheme}://, which cannot be read.`,
  );
}

function pathOf(uri: string): string {
  try {
    return decodeURIComponent(new URL(uri).pathname);
  } catch {
    throw new OpjobError("TEMPLATE_UNREADABLE", `The template "${uri}" cannot be read: that is no valid file URI.`);
  }
}

function decodeDataUri(uri: string): string {
  const comma = uri.indexOf(",");
  const unreadable = (why: string) =>
    new OpjobError("TEMPLATE_UNREADABLE", `The template's data URI cannot be read: ${why}.`);
  if (comma < 0) throw unreadable("it has no comma before its content");
  const body = uri.slice(comma + 1);
  if (!/;base64$/i.test(uri.slice(0, comma))) {
    try {
      return decodeURIComponent(body);
    } catch {
      throw unreadable("its percent-encoding is broken");
    }
  }
  const compact = decodeURIComponentOrSame(body).replaceAll(/\s/g, "");
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(compact)) throw unreadable("its content is not base64");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(compact, "base64"));
  } catch {
    throw unreadable("its content is not UTF-8 text");
  }
}

function decodeURIComponentOrSame(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
