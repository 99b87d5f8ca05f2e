// Faults to be planted in retries and in the cleanup. Knows the text of src/; nothing of how faults are found.
import type { Mutant } from "./mutant.ts";

export const AGAIN: readonly Mutant[] = [
  {
    name: "launch again although a worker came first",
    file: "operations/retry.ts",
    from: "run_state: state,",
    to: "...(state === undefined ? {} : {}),",
  },
  {
    name: "launch again an operation that runs",
    file: "operations/retry.ts",
    from: "return isStale(operation) || ((!started || mayRunTwice(operation, policy)) && isRetried(verdict, started));",
    to: "return isStale(operation) || isRetried(verdict, started);",
  },
  {
    name: "launch again without end",
    file: "operations/retry.ts",
    from: "if (spent || archived",
    to: "if ((spent && policy.budget === 0) || archived",
  },
  {
    name: "begin the next attempt before the old Job is gone",
    file: "retry.ts",
    from: "return takeBack(options, { operation, cluster, job });",
    to: "await takeBack(options, { operation, cluster, job });\n  if (job !== undefined) return relaunch(options, operation);",
  },
  {
    name: "begin the next attempt while a Pod of the old one can run",
    file: "retry.ts",
    from: "if (canRun(pods)) return { again: LOOK_AGAIN };",
    to: "if (canRun([])) return { again: LOOK_AGAIN };",
  },
  {
    name: "believe the first look that a Job and its Pods are gone",
    file: "retry.ts",
    from: "return wait > 0 ? { again: wait } : relaunch(options, operation);",
    to: "return wait < 0 ? { again: LOOK_AGAIN } : relaunch(options, operation);",
  },
  {
    name: "take back a Job without a look at its Pods",
    file: "retry.ts",
    from: "if (!mayRunTwice(operation, policy) && worked(pods)) {\n    await operations.restore",
    to: "if (!mayRunTwice(operation, policy) && worked([])) {\n    await operations.restore",
  },
  {
    name: "believe a Job that had ended before it was recorded",
    file: "operations/retry.ts",
    from: 'runState === "queued" && claim.stale === true;',
    to: 'runState === "queued" && claim.stale === true && claim.attempt < 0;',
  },
  {
    name: "record a Job that has ended as any other",
    file: "record.ts",
    from: "...(jobEnd(created) === undefined ? {} : { stale: true }),",
    to: "...(jobEnd(created) === undefined || at.getTime() > 0 ? {} : { stale: true }),",
  },
  {
    name: "tidy up a finished Job without a live look",
    file: "cleanup.ts",
    from: "if (!(await isLeftOver(options, cluster, job))) return skip(options, job);",
    to: "if (false as boolean) return skip(options, job) && (await isLeftOver(options, cluster, job));",
  },
];
