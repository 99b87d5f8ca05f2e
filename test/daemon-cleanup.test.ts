// Cleanup, seen from outside: what the daemon deletes of Jobs that nothing else would remove, and what it leaves alone.
import { expect, test } from "@jest/globals";
import { ObjectId } from "mongodb";
import { until } from "./local-daemon.ts";
import { type Job, NAMESPACE, type Scene, scene, template } from "./scene.ts";

const SETTINGS = { OPJOB_CLEANUP_AFTER_SECONDS: "1", OPJOB_SWEEP_CRON: "* * * * * *" };
const ENDS = template({ pod: "" }).replace(
  "  template:\n    spec:",
  '  template:\n    metadata:\n      annotations:\n        local/run-for-ms: "1"\n    spec:',
);

const operations = ({ database }: Scene) => database.db.collection("delegated_ops");
/** An operation that its worker completed, and whose Job has ended. */
async function completed(stage: Scene): Promise<string> {
  const id = await stage.queue();
  await stage.launched(id);
  const fields = { run_state: "completed", completed_at: new Date(), result: { result: 1, error: null } };
  await operations(stage).updateOne({ _id: new ObjectId(id) }, { $set: fields });
  await stage.reaches(id, "done");
  return id;
}
const names = (jobs: readonly Job[]): string[] => jobs.map(({ metadata }) => metadata.name);
const gone = (stage: Scene, id: string) =>
  until("its Job is gone", async () => (await stage.jobOf(id)) === undefined, 15_000);

test("a finished Job without a TTL goes in its time; one with a TTL, and somebody else's, stays", async () => {
  await using stage = await scene(ENDS);
  await stage.start(SETTINGS);
  const id = await completed(stage);
  const mine = await until("its Job has ended", async () => {
    const job = await stage.jobOf(id);
    return job?.status?.["completionTime"] !== undefined && job;
  });
  const copy = (name: string, change: (job: Job) => object): Promise<unknown> => {
    const { metadata, spec } = change(mine) as Job;
    const fresh = { name, labels: metadata.labels, annotations: metadata.annotations };
    const { selector: _, ...rest } = spec as Record<string, unknown>;
    const pod = { ...(rest["template"] as object), metadata: { annotations: { "local/run-for-ms": "1" } } };
    const body = { metadata: fresh, spec: { ...rest, template: pod } };
    return stage.kubernetes.create(`/apis/batch/v1/namespaces/${NAMESPACE}/jobs`, body);
  };
  await copy("with-ttl", (job) => ({ ...job, spec: { ...job.spec, ttlSecondsAfterFinished: 3_600 } }));
  await copy("of-another", ({ metadata, spec }) => ({
    spec,
    metadata: { ...metadata, annotations: { ...metadata.annotations, "opjob/database": "another" } },
  }));
  await until("its Job is gone", async () => !names(await stage.jobs()).includes(mine.metadata.name), 15_000);
  // A Job that comes later goes too: the passes after it have seen the others, and left them alone.
  await gone(stage, await completed(stage));
  expect(names(await stage.jobs()).toSorted()).toEqual(["of-another", "with-ttl"]);
  const metrics = await (await fetch(`${stage.daemon().url}/metrics`)).text();
  expect(metrics).toContain('opjob_cleanup_total{outcome="deleted"} 2');
}, 60_000);

test("a finished Job is kept while its operation's own result may still come", async () => {
  await using stage = await scene(ENDS);
  await stage.start({ ...SETTINGS, OPJOB_RESULT_GRACE_SECONDS: "3" });
  const id = await stage.queue();
  await stage.reaches(id, "finished");
  await new Promise((resolve) => setTimeout(resolve, 2_200));
  expect(await stage.jobOf(id)).toBeDefined();
  await stage.reaches(id, "failed");
  await gone(stage, id);
}, 30_000);

test("a database that lost its operations costs some Jobs at a time, not all", async () => {
  await using stage = await scene();
  await stage.start({ OPJOB_CLEANUP_MOST: "2" });
  const ids = await Promise.all(Array.from({ length: 6 }, () => stage.queue()));
  for (const id of ids) await stage.launched(id);
  await operations(stage).deleteMany({});
  await until("two Jobs are gone", async () => (await stage.jobs()).length === 4);
  const told = () => stage.daemon().lines.filter(({ msg }) => String(msg).startsWith("many operations are gone"));
  await until("it says so", () => told().length > 0);
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  expect(await stage.jobs()).toHaveLength(4);
}, 30_000);
