// The body of a request as a value: JSON as Go reads it, or YAML. Knows nothing of the kinds of objects.
import { parse } from "yaml";
import type { Call, Route, Verb } from "./call.ts";
import type { Arrival } from "./http-server.ts";
import { readJson } from "./json-reader.ts";
import { badRequest, unsupportedMedia } from "./status.ts";

type Body = Pick<Call, "body" | "duplicates">;

const NONE: Body = { body: undefined, duplicates: [] };
const NEEDED: readonly Verb[] = ["create", "update", "patch"];
const POSSIBLE: readonly Verb[] = ["delete", "deletecollection"];
const SHOWN = 30;

/** @throws ApiFailure 400 for what cannot be read, 415 for protobuf and CBOR */
export function bodyOf({ body, headers }: Arrival, { verb, resource }: Route): Body {
  if (body === "" && !NEEDED.includes(verb)) return NONE;
  if (!NEEDED.includes(verb) && !POSSIBLE.includes(verb)) return NONE;
  const type = headers["content-type"] ?? "";
  if (/protobuf|cbor/.test(type)) throw unsupportedMedia("application/json, application/yaml");
  try {
    return type.includes("yaml") ? { body: parse(body), duplicates: [] } : readJsonBody(body);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const why = `couldn't get version/kind; json parse error: ${message} (${excerpt(body)})`;
    throw badRequest(`the object provided is unrecognized (must be of type ${resource.kind}): ${why}`);
  }
}

function readJsonBody(text: string): Body {
  const { value, duplicates } = readJson(text);
  return { body: value, duplicates };
}

function excerpt(body: string): string {
  if (body === "") return "<empty>";
  return body.length > SHOWN ? `${body.slice(0, SHOWN)} ...` : body;
}
