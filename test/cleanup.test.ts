// Cleanup: which finished Jobs go, and after which look. With what was seen, and what is there by then, in each combination.
import { expect, test } from "@jest/globals";
import { createCleanup } from "../src/cleanup.ts";
import type { Cluster } from "../src/clusters/kubernetes.ts";
import type { JobView } from "../src/clusters/observation.ts";
import { createDeletion } from "../src/deletion.ts";
import { createLog } from "../src/log.ts";
import { createMetrics } from "../src/metrics.ts";
import { NO_FENCE } from "../src/operations/fence.ts";
import type { Operation } from "../src/operations/operation.ts";
import { createRation } from "../src/ration.ts";
import { condition, DATABASE, iso, jobView, T0 } from "./clusters/views.ts";
import { operationOf } from "./operations/claimed.ts";

const KEPT = 3_600_000;
const NOW = T0 + 60_000 + KEPT;
const finished = (fields: Partial<JobView> = {}): JobView =>
  jobView({ conditions: [condition("Complete", { at: iso(T0 + 60_000) })], ...fields });
const OVER = operationOf({ runState: "completed" });

type World = {
  readonly mode?: "on" | "dry-run" | "off";
  readonly seen?: readonly JobView[];
  /** By name, as the API server has it; default: as it was seen. */
  readonly live?: (name: string) => JobView | undefined;
  /** As the primary has it. */
  readonly operation?: Operation | undefined;
  /** Whether the list of operations says that they have ended. */
  readonly ended?: boolean;
  readonly active?: boolean;
  readonly most?: number;
  readonly now?: number;
};

function cleaning(world: World = {}) {
  const { mode = "on", seen = [finished()], ended = true, active = true, most = 100, now = NOW } = world;
  const operation = "operation" in world ? world.operation : OVER;
  const gone: string[] = [];
  const lines: Record<string, unknown>[] = [];
  const metrics = createMetrics({ defaults: false });
  const cluster = {
    getJob: async (_: string, name: string) =>
      world.live ? world.live(name) : seen.find((job) => job.name === name && !gone.includes(job.uid)),
    deleteJob: async (_: string, __: string, uid: string) => gone.push(uid) > 0,
  };
  const log = createLog({
    level: "info",
    secrets: new Set(),
    destination: { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
  });
  const cleanup = createCleanup({
    mode,
    keptMs: KEPT,
    ration: createRation({ most, ms: 30_000, now: () => now }),
    operations: {
      read: async () => operation,
      ended: async (candidates) => (ended ? [...candidates] : []),
    },
    observed: {
      finished: function* () {
        for (const job of seen) if (!gone.includes(job.uid)) yield { job, scope: "cluster/fiftyone" };
      },
    },
    pool: { ofScope: () => cluster as unknown as Cluster },
    database: DATABASE,
    active: () => active,
    deleteJob: createDeletion({ fence: NO_FENCE, metrics, log }),
    metrics,
    log,
    now: () => now,
  });
  const counted = async (outcome: string): Promise<number> => {
    const { values } = await metrics.cleanups.get();
    return values.find(({ labels }) => labels["outcome"] === outcome)?.value ?? 0;
  };
  const stop = new AbortController();
  return { cleanup: { run: () => cleanup.run(stop.signal) }, gone, lines, counted, stop };
}

test("a finished Job of an operation that has ended goes, and is counted and told", async () => {
  const { cleanup, gone, lines, counted } = cleaning();
  await cleanup.run();
  expect(gone).toEqual(["job-1"]);
  expect(lines).toMatchObject([{ msg: "job deleted", job: finished().name, uid: "job-1" }]);
  expect(await counted("deleted")).toBe(1);
});

test.each<[string, World]>([
  ["its time is not over", { now: NOW - 1 }],
  ["nobody tells when it ended", { seen: [finished({ conditions: [condition("Complete", { at: undefined })] })] }],
  ["its operation goes on, by the list", { ended: false }],
  ["its operation goes on, by the live look", { operation: operationOf() }],
  ["its operation is gone, for then its own road deletes it", { operation: undefined }],
  ["its operation runs, by the live look", { operation: operationOf({ runState: "running" }) }],
  ["it is gone by then", { live: () => undefined }],
  ["another Job has its name by then", { live: () => finished({ uid: "job-2" }) }],
  ["it has a time of its own by then", { live: () => finished({ tidied: true }) }],
  ["it is being deleted by then", { live: () => finished({ deleting: true }) }],
  ["it is another opjob's by then", { live: () => finished({ database: "other" }) }],
  ["it serves another operation by then", { live: () => finished({ operation: "0".repeat(24) }) }],
  ["it lives, whatever the watch says", { live: () => jobView() }],
  ["another replica leads", { active: false }],
  ["it is switched off", { mode: "off" }],
])("it stays if %s", async (_, world) => {
  const { cleanup, gone } = cleaning(world);
  await cleanup.run();
  expect(gone).toEqual([]);
});

test("what is not as it was seen any more is counted", async () => {
  const { cleanup, counted } = cleaning({ operation: operationOf() });
  await cleanup.run();
  expect(await counted("skipped")).toBe(1);
});

test("a dry run deletes nothing, and tells each Job once", async () => {
  const { cleanup, gone, lines, counted } = cleaning({ mode: "dry-run" });
  await cleanup.run();
  await cleanup.run();
  expect(gone).toEqual([]);
  expect(lines).toMatchObject([{ msg: "a finished Job would be deleted", uid: "job-1" }]);
  expect(await counted("dry-run")).toBe(1);
});

test("of many only some go at a time", async () => {
  const seen = Array.from({ length: 5 }, (_, i) => finished({ uid: `job-${i}`, name: `echo-${i}` }));
  const { cleanup, gone } = cleaning({ seen, most: 2 });
  await cleanup.run();
  await cleanup.run();
  expect(gone).toEqual(["job-0", "job-1"]);
});

test("a pass that is told to stop deletes no further Job", async () => {
  const seen = Array.from({ length: 5 }, (_, i) => finished({ uid: `job-${i}`, name: `echo-${i}` }));
  const { cleanup, gone, stop } = cleaning({
    seen,
    live: (name) => {
      if (name === "echo-1") stop.abort();
      return seen.find((job) => job.name === name);
    },
  });
  await cleanup.run();
  await cleanup.run();
  expect(gone).toEqual(["job-0", "job-1"]);
});

test("a cluster that does not answer stops the pass, and the sweep with it not", async () => {
  const { cleanup, gone, lines } = cleaning({
    live: () => {
      throw new Error("away");
    },
  });
  await cleanup.run();
  expect(gone).toEqual([]);
  expect(lines).toMatchObject([{ msg: "cannot tidy up finished Jobs now" }]);
});
