// The log: pino, one JSON line per fact. Fields that could carry a secret are never passed in; as a second wall the
// values of known secrets are cut out of every line.
import { type DestinationStream, type Logger, pino } from "pino";

export type Log = Logger;

export type LogOptions = {
  level: string;
  /**
   * Texts that must never appear: the key, the database URI and its password. Short ones (< 6 characters) are ignored.
   * A Set may grow: what is added is cut out from then on.
   */
  secrets: readonly string[] | ReadonlySet<string>;
  destination?: DestinationStream;
};

export function createLog({ level, secrets, destination }: LogOptions): Log {
  const sink = destination ?? pino.destination({ fd: 1, sync: false });
  const hide = hiding(secrets);
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return pino(options, { write: (line: string) => sink.write(hide(line)) });
}

/** Cuts the secrets out of a line; they are made ready anew whenever there are more of them. */
function hiding(secrets: LogOptions["secrets"]): (line: string) => string {
  let ready: string[] = [];
  let seen = 0;
  return (line) => {
    const size = "size" in secrets ? secrets.size : secrets.length;
    if (size !== seen) {
      ready = [...secrets].filter((secret) => secret.length >= 6).map((secret) => JSON.stringify(secret).slice(1, -1));
      seen = size;
    }
    return ready.reduce((text, secret) => text.replaceAll(secret, "[hidden]"), line);
  };
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
