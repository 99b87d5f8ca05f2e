// Limits, seen from outside: how many Jobs live at once, whose they are, and what those that wait are told.
import { expect, test } from "@jest/globals";
import { witness } from "./in-flight.ts";
import { register, until } from "./local-daemon.ts";
import { NAMESPACE, type Scene, scene, TARGET, template } from "./scene.ts";

/** A Job that runs for so long. Its operation gets no result, which is nothing to the limits. */
const running = (ms: number): string =>
  template().replace(
    "    spec:\n      restart",
    `    metadata: { annotations: { local/run-for-ms: "${ms}" } }\n    spec:\n      restart`,
  );

const queueMany = async (stage: Scene, target: string, count: number): Promise<string[]> => {
  const ids: string[] = [];
  for (let i = 0; i < count; i++) {
    ids.push(await stage.queue({ delegation_target: target, queued_at: new Date(Date.now() - 100_000 + i) }));
  }
  return ids;
};
const ended = (stage: Scene) => stage.database.db.collection("delegated_ops").countDocuments({ run_state: "failed" });

test("no more Jobs live at once than the limits say, each orchestrator has its share, and all come to their turn", async () => {
  await using stage = await scene(running(200));
  const { db } = stage.database;
  const others = ["other", "small"];
  for (const id of others) {
    const config: Record<string, string> = { namespace: NAMESPACE, ...(id === "small" && { maxInFlight: "2" }) };
    await register(db, { id, template: running(200), secret: "KUBE", config });
  }
  for (const target of [TARGET, ...others]) await queueMany(stage, target, 20);
  await using seen = await witness(stage.kubernetes.kubeconfig(), NAMESPACE);
  await stage.start({ OPJOB_MAX_IN_FLIGHT: "8", OPJOB_RESULT_GRACE_SECONDS: "0" });
  await until("all have ended", async () => (await ended(stage)) === 60, 40_000);
  expect(seen.most.total).toBe(8);
  expect(seen.most.of.get("small")).toBe(2);
  expect([...seen.created.values()].map(({ length }) => length)).toEqual([20, 20, 20]);
}, 60_000);

test("a restarted daemon counts the Jobs and claims of the one before", async () => {
  await using stage = await scene(running(600_000));
  await queueMany(stage, TARGET, 12);
  await using seen = await witness(stage.kubernetes.kubeconfig(), NAMESPACE);
  const limit = { OPJOB_MAX_IN_FLIGHT_PER_CLUSTER: "5" };
  const first = await stage.start(limit);
  await until("five live", () => seen.live() === 5);
  await first.stop();
  await stage.start(limit);
  await until("a sweep", async () => (await stage.daemon().metrics.sweeps.get()).values.length > 0);
  expect([seen.live(), seen.most.total]).toEqual([5, 5]);
});

test("who waits says why and how many are before it, is not claimed, and goes when a place is free", async () => {
  await using stage = await scene();
  await stage.start({ OPJOB_MAX_IN_FLIGHT_PER_ORCHESTRATOR: "1" });
  const [first = "", second = "", third = ""] = await queueMany(stage, TARGET, 3);
  await stage.launched(first);
  await stage.told(third, "LimitReached");
  const { opjob, run_state } = await stage.read(third);
  expect([run_state, opjob]).toMatchObject(["queued", { phase: "queued", place: 2 }]);
  expect(opjob?.message).toBe(
    `As many operations are in flight as may be of orchestrator "${TARGET}": 1. It is number 2 of 2 that wait for this orchestrator.`,
  );
  expect(opjob).not.toHaveProperty("attempt");
  const metrics = await (await fetch(`${stage.daemon().url}/metrics`)).text();
  expect(metrics).toContain(`opjob_gate_closed{orchestrator="${TARGET}",gate="limit"} 1`);
  await stage.database.db.collection("delegated_ops").deleteOne({ _id: (await stage.read(first))._id });
  const launched = await stage.launched(second);
  expect(launched.opjob).toMatchObject({ attempt: 1, reason: null });
  expect((await stage.read(third)).opjob?.phase).toBe("queued");
});

test("an operation whose claim a failover took back does not wait for the place that its own Job holds", async () => {
  await using stage = await scene();
  await stage.start({ OPJOB_MAX_IN_FLIGHT: "1" });
  const [id = ""] = await queueMany(stage, TARGET, 1);
  const { _id, opjob } = await stage.launched(id);
  await stage.database.db.collection("delegated_ops").updateOne({ _id }, { $unset: { opjob: 1 } });
  expect((await stage.launched(id)).opjob).toMatchObject({ attempt: 1, uid: opjob?.uid });
});

test("a record's limit is raised without a restart", async () => {
  await using stage = await scene();
  const { db } = stage.database;
  const set = (fields: object) => db.collection("orchestrators").updateOne({ instance_id: TARGET }, { $set: fields });
  await set({ "config.kubernetes.max_in_flight": 1 });
  await stage.start();
  const [first = "", second = ""] = await queueMany(stage, TARGET, 2);
  await stage.launched(first);
  await stage.told(second, "LimitReached");
  await set({ "config.kubernetes.max_in_flight": 2, updated_at: new Date() });
  await stage.launched(second);
});

test("operations that are put off for a fault hold no place: another orchestrator goes on", async () => {
  await using stage = await scene();
  await register(stage.database.db, { id: "broken", template: template(), secret: "MISSING" });
  const broken = await queueMany(stage, "broken", 6);
  await stage.start({ OPJOB_MAX_IN_FLIGHT: "2" });
  await stage.reaches(broken[0] ?? "", "SECRET_MISSING");
  const [one = "", two = ""] = await queueMany(stage, TARGET, 2);
  await stage.launched(one);
  await stage.launched(two);
});

test("while the cluster has no room no more Jobs are made; they are made again when there is", async () => {
  await using stage = await scene(running(600_000));
  stage.kubernetes.faults.setCapacity({ pods: "2" });
  await using seen = await witness(stage.kubernetes.kubeconfig(), NAMESPACE);
  const daemon = await stage.start({
    OPJOB_BACKPRESSURE_ENGAGE: "4",
    OPJOB_BACKPRESSURE_RELEASE: "1",
    OPJOB_BACKPRESSURE_RAMP_SECONDS: "1",
    OPJOB_LAUNCH_CONCURRENCY: "1",
  });
  for (let i = 0; i < 30; i++) {
    await stage.queue({ queued_at: new Date(Date.now() - 100_000 + i) });
    if (i < 6) await until("it is made", () => seen.live() === i + 1);
    if (i === 5) await until("it is said", () => daemon.lines.some(({ jobs_without_room }) => jobs_without_room === 4));
  }
  const ids = await stage.database.db.collection("delegated_ops").find().sort({ queued_at: 1 }).toArray();
  await stage.told(String(ids.at(-1)?._id), "ClusterFull");
  expect(seen.live()).toBeLessThan(9);
  stage.kubernetes.faults.setCapacity({ pods: "100" });
  await until("all are made", () => seen.live() === 30, 20_000);
}, 60_000);
