// The log: pino, one JSON line per fact. Fields that could carry a secret are never passed in; as a second wall the
// values of known secrets are cut out of every line.
import { type DestinationStream, type Logger, pino } from "pino";

export type Log = Logger;

export type LogOptions = {
  level: string;
  /** Texts that must never appear: the key, the database URI and its password. Short ones (< 6 characters) are ignored. */
  secrets: readonly string[];
  destination?: DestinationStream;
};

export function createLog({ level, secrets, destination }: LogOptions): Log {
  const sink = destination ?? pino.destination({ fd: 1, sync: false });
  const hidden = secrets.filter((secret) => secret.length >= 6).map((secret) => JSON.stringify(secret).slice(1, -1));
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  if (hidden.length === 0) return pino(options, sink);
  return pino(options, {
    write: (line: string) => sink.write(hidden.reduce((text, secret) => text.replaceAll(secret, "[hidden]"), line)),
  });
}

/** The texts in a MongoDB connection string that are secret: the whole of it, and its password in both spellings. */
export function secretsOfUri(uri: string): string[] {
  const password = /^[^:]+:\/\/[^:@/]*:([^@/]*)@/.exec(uri)?.[1];
  if (password === undefined) return [uri];
  try {
    return [uri, password, decodeURIComponent(password)];
  } catch {
    return [uri, password];
  }
}
