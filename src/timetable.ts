// When something is done again and again: by a cron expression. Knows node-cron, and nothing of what is done.
import { createTask, setLogger } from "node-cron";
import type { Log } from "./log.ts";

export type Timed = { readonly cron: string; readonly log: Log };

/** Calls at each of the times, never while the last call is not over, until it is stopped. The call must not throw. */
export type Timetable = (timed: Timed, tick: () => Promise<void>) => { stop(): Promise<void> };

export const cronTimetable: Timetable = ({ cron, log }, tick) => {
  // The library would write to the console by itself, past our log.
  setLogger({
    info: (message) => log.debug(message),
    debug: (message) => log.debug(String(message)),
    warn: (message) => log.warn(message),
    error: (message) => log.error(String(message)),
  });
  const task = createTask(cron, tick, { noOverlap: true });
  void task.start();
  return {
    stop: async () => {
      await task.destroy();
    },
  };
};
