// What MongoDB's errors mean for a person, and which database one is. Pure. Knows the driver's classes and the server's codes.
import { createHash } from "node:crypto";
import { type MongoClient, MongoError, MongoServerError } from "mongodb";
import { asOpjobError, OpjobError } from "./errors.ts";

/** 13: may not do this; 18: wrong user or password; 8000: the same in Atlas' words. */
const FORBIDDEN = new Set<unknown>([13, 18, 8000]);

/** Any error of a database call, as one of ours; what MongoDB did not cause stays what it is. */
export function databaseError(thrown: unknown): OpjobError {
  if (!(thrown instanceof MongoError)) return asOpjobError(thrown);
  const refusal = [thrown, thrown.cause, serverErrorOf(thrown)].find((error) => error instanceof MongoServerError);
  if (refusal instanceof MongoServerError) {
    const code = FORBIDDEN.has(refusal.code) ? "DATABASE_FORBIDDEN" : "INTERNAL";
    return new OpjobError(code, `MongoDB refused: ${refusal.message} (code ${String(refusal.code)}).`, {
      cause: thrown,
    });
  }
  return new OpjobError("DATABASE_UNREACHABLE", `MongoDB does not answer: ${thrown.message}.`, { cause: thrown });
}

/** A failed server selection hides why each server was refused in its description. */
function serverErrorOf(error: MongoError): unknown {
  const { reason } = error as MongoError & { reason?: { servers?: Map<string, { error?: unknown }> } };
  return [...(reason?.servers?.values() ?? [])]
    .map((server) => server.error)
    .find((inner) => inner instanceof MongoServerError);
}

/** Tells databases apart: the same hosts and name give the same text, whatever user and options the URI has. */
export function fingerprint({ options }: MongoClient, name: string): string {
  const hosts = options.srvHost === undefined ? options.hosts.map(String).toSorted().join(",") : options.srvHost;
  return createHash("sha256").update(`${hosts}/${name}`).digest("hex").slice(0, 16);
}
