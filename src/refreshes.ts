// The refreshes of a daemon: of orchestrators that have never reported their operators, and of all of them at set times.
// One at a time for each orchestrator; none of them holds up an operation, and none that failed is tried again and again.
import { createHash } from "node:crypto";
import type { Config } from "./config.ts";
import { databaseError } from "./database.ts";
import { asOpjobError, type OpjobError } from "./errors.ts";
import { Lanes, type Next } from "./lanes.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import type { Directory } from "./orchestrators/directory.ts";
import type { OperatorLists } from "./orchestrators/mongo.ts";
import { type RefreshOptions, refresh, refreshId } from "./refresh.ts";
import type { Timetable } from "./timetable.ts";

export type RefreshesOptions = RefreshOptions & {
  readonly directory: Pick<Directory, "targets" | "isActive" | "get">;
  readonly lists: Pick<OperatorLists, "of" | "missing">;
  readonly config: Pick<Config, "refreshNew" | "refreshCron">;
  readonly timetable: Timetable;
  /** Whether this daemon is the one that acts: a standby makes no Job. */
  readonly active: () => boolean;
  readonly metrics: Pick<Metrics, "refreshes">;
  readonly log: Log;
};

export type Refreshes = {
  /** Looks for orchestrators whose list is empty; never throws. Called whenever records were read. */
  look(): Promise<void>;
  close(): Promise<void>;
  /** In memory: of active orchestrators only. */
  sizes(): { readonly refreshes: number; readonly tried: number };
};

/** One whose Job waits for a node holds its place for long: few places would keep the others from theirs. */
const AT_ONCE = 32;
/** A reason for a refresh; the other is a time. */
const NEW = "new";
/** A fault on the way that may pass: the first pause, and the longest (ms). */
const RETRY = { first: 10_000, longest: 600_000 };

export function createRefreshes(options: RefreshesOptions): Refreshes {
  const { config, directory, lists, active, log, clock } = options;
  const stop = new AbortController();
  /** Why each is due: a new one, or the time of a set refresh. */
  const due = new Map<string, string>();
  /** As what each was tried the last time: what did not work is tried again once something has changed. */
  const tried = new Map<string, string>();
  const pauses = new Map<string, number>();

  const want = (id: string, why: string): void => {
    due.set(id, why);
    lanes.hint(id);
  };
  const work = async (id: string): Promise<Next> => {
    const why = due.get(id) ?? "";
    const subject = `${why} ${fingerprintOf(directory, id)}`;
    if (tried.get(id) !== subject && (await isWanted(id, why))) {
      const error = await attempt(options, { id, subject, signal: stop.signal });
      if (stop.signal.aborted) return undefined;
      if (error?.retryable) return again(pauses, id);
      tried.set(id, subject);
    }
    // A set time that came meanwhile is another reason.
    if (due.get(id) === why) due.delete(id);
    pauses.delete(id);
    return due.has(id) ? { again: 0 } : undefined;
  };
  /** Somebody else may lead, or have reported the operators of a new one, since. */
  const isWanted = async (id: string, why: string): Promise<boolean> =>
    why !== "" &&
    active() &&
    directory.isActive(id) &&
    (!why.startsWith(NEW) || (await lists.of(id)).operators.length === 0);
  const onError = (id: string, thrown: unknown): void =>
    log.error({ orchestrator: id, error: databaseError(thrown).message }, "refresh failed");
  const lanes = new Lanes({ work, concurrency: AT_ONCE, clock, onError });

  const tick = async (): Promise<void> => {
    if (!active()) return;
    const minute = String(Math.floor(clock.now() / 60_000));
    for (const id of directory.targets()) want(id, minute);
  };
  const timed = config.refreshCron === "" ? undefined : options.timetable({ cron: config.refreshCron, log }, tick);

  return {
    sizes: () => ({ refreshes: Math.max(lanes.size, due.size, pauses.size), tried: tried.size }),
    async look() {
      for (const id of tried.keys()) if (!directory.isActive(id)) tried.delete(id);
      if (!config.refreshNew || !active()) return;
      try {
        const missing = (await lists.missing()).filter(({ id }) => directory.isActive(id) && !due.has(id));
        for (const { id, record } of missing) want(id, `${NEW} ${record}`);
      } catch (error) {
        log.debug({ error: databaseError(error).message }, "cannot see which orchestrators are new");
      }
    },
    async close() {
      await timed?.stop();
      stop.abort();
      await lanes.close();
    },
  };
}

function again(pauses: Map<string, number>, id: string): Next {
  const pause = Math.min(RETRY.longest, (pauses.get(id) ?? RETRY.first / 2) * 2);
  pauses.set(id, pause);
  return { again: pause };
}

/** What a refresh depends on: with the same record it would fail the same way. */
function fingerprintOf(directory: RefreshesOptions["directory"], id: string): string {
  try {
    const { updatedAt: _, ...orchestrator } = directory.get(id);
    return createHash("sha256").update(JSON.stringify(orchestrator)).digest("hex");
  } catch {
    return "wrong";
  }
}

type Attempt = { readonly id: string; readonly subject: string; readonly signal: AbortSignal };

/** undefined: it went well. */
async function attempt(options: RefreshesOptions, { id, subject, signal }: Attempt): Promise<OpjobError | undefined> {
  const { log, metrics, database } = options;
  const fields = { orchestrator: id };
  try {
    const onProgress = (words: string): void => log.info({ ...fields, words }, "refresh");
    const wanted = { orchestrator: id, id: refreshId(database, id, subject), onProgress, signal };
    const { job, operators, added, removed } = await refresh(options, wanted);
    metrics.refreshes.inc({ orchestrator: id, outcome: "reported" });
    log.info({ ...fields, job, operators: operators.length, added, removed }, "refreshed");
    return undefined;
  } catch (thrown) {
    const error = asOpjobError(databaseError(thrown));
    if (signal.aborted) return error;
    const { code, message, remedy } = error;
    metrics.refreshes.inc({ orchestrator: id, outcome: "failed" });
    log[error.retryable ? "warn" : "error"]({ ...fields, code, error: message, remedy }, "refresh failed");
    return error;
  }
}
