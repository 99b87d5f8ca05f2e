// What a FiftyOne user does around opjob, through FiftyOne's own code: queue operations, run a worker, look at results.
// Knows the scripts in peer/ and their answers; must not know opjob.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { databaseOf, type FiftyoneEnvironment } from "./environment.ts";

/** What the peer's operator does: see peer/plugins. */
export interface EchoParameters {
  readonly msg?: string;
  /** Seconds. */
  readonly sleep?: number;
  readonly fail?: boolean;
  /** Half way, with SIGKILL. */
  readonly die?: boolean;
}

export interface OperationSpec {
  /** The orchestrator's instance_id. */
  readonly target: string | null;
  readonly params?: EchoParameters;
  /** Default: the peer's echo. */
  readonly operator?: string;
  /** Created if there is none. Default: one that all share. */
  readonly dataset?: string;
}

/** As FiftyOne's own service reads it. */
export interface PeerOperation {
  readonly id: string;
  readonly operator: string;
  readonly label: string | null;
  readonly target: string | null;
  readonly state: string;
  readonly runLink: string | null;
  /** 0 to 1. */
  readonly progress: number | null;
  readonly progressLabel: string | null;
  readonly result: unknown;
  readonly error: string | null;
  /** ISO 8601, only those that are set: queued_at, started_at, … */
  readonly times: Readonly<Record<string, string>>;
}

/** What a worker's container runs after `python`, before the operation's id: it executes that one operation, monitored. */
export const WORKER_ARGUMENTS = [
  "-c",
  "import sys;from bson import ObjectId;from fiftyone.operators.delegated import DelegatedOperationService as D;" +
    "s=D();r=s.execute_operation(s.get(ObjectId(sys.argv[1])),log=True,monitor=True);" +
    "sys.exit(3 if r is None else 1 if r.error else 0)",
] as const;

/**
 * Queues all of them from one process (a start costs seconds) and gives their ids in the same order. Sets the database up.
 * @throws Error with what FiftyOne said.
 */
export async function queueOperations(
  fiftyone: FiftyoneEnvironment,
  uri: string,
  db: string,
  specs: readonly OperationSpec[],
): Promise<string[]> {
  const env = { ...databaseOf(uri, db), FIFTYONE_DATABASE_ADMIN: "true" };
  return JSON.parse(await ask(fiftyone, "queue_operations.py", env, specs));
}

/** In the order of the ids; null for one that does not exist. */
export async function readOperations(
  fiftyone: FiftyoneEnvironment,
  uri: string,
  db: string,
  ids: readonly string[],
): Promise<(PeerOperation | null)[]> {
  return JSON.parse(await ask(fiftyone, "read_operations.py", databaseOf(uri, db), ids));
}

/** URIs of the operators of the environment, plugins included, sorted: as FiftyOne's own registry lists them. */
export async function readOperators(fiftyone: FiftyoneEnvironment, uri: string, db: string): Promise<string[]> {
  return JSON.parse(await ask(fiftyone, "read_operators.py", databaseOf(uri, db), null));
}

async function ask(
  fiftyone: FiftyoneEnvironment,
  script: string,
  env: Record<string, string>,
  request: unknown,
): Promise<string> {
  const child = spawn(fiftyone.python, [join(import.meta.dirname, "peer", script)], {
    env: { ...fiftyone.env, ...env },
  });
  child.stdin.end(JSON.stringify(request));
  const [[code], stdout, stderr] = await Promise.all([once(child, "close"), text(child.stdout), text(child.stderr)]);
  if (code !== 0) throw new Error(`${script} ended with ${code}:\n${stderr.trim()}`);
  return stdout;
}
